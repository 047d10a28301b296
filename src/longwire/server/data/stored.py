"""Responses that an upstream keeps: fetched, cancelled and deleted where they were made.

Law: nobody reaches a response that another caller's turn made. What comes back passes as it comes.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from starlette.types import Receive, Scope, Send

from longwire.core.errors import ClientGone, LongwireError, UnknownResponse, UpstreamError
from longwire.core.ports import Limits
from longwire.core.rules.limits import NOTHING, Subject
from longwire.core.rules.routing import RESPONSES
from longwire.core.rules.session import forwarded
from longwire.logger import structlog
from longwire.relay.channels.channel import Channel
from longwire.relay.turns.failures import without_credentials
from longwire.relay.turns.holders import Holders
from longwire.server.auth import Keys
from longwire.server.health import Readiness
from longwire.server.problems import headers_of, problem_of, request_id
from longwire.upstream.http.address import Fetched

_log = structlog.get_logger()
_BASE: Final = "/v1/responses"
_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:=~-]{0,255}")
"""What may stand in a path as it is, and leads to no other one."""


class StoredResponses:
    """The routes below a response's id, as a raw ASGI application."""

    __slots__ = ("_holders", "_keys", "_limits", "_readiness")

    def __init__(self, keys: Keys, readiness: Readiness, limits: Limits, holders: Holders) -> None:
        self._keys = keys
        self._readiness = readiness
        self._limits = limits
        self._holders = holders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, which counts as one against the limits of its key; log it."""
        headers = headers_of(scope)
        caller = self._keys.authenticate(headers)
        line = {"caller": caller.name, "method": scope["method"], "request_id": request_id(headers)}
        started, response_id = time.monotonic(), scope["path_params"]["id"]
        try:
            async with self._admitted(caller.subject) as limits:
                if _ID.fullmatch(response_id) is None:
                    raise UnknownResponse(response_id)
                channel = await self._holders.find(caller, response_id)
                line["channel"] = channel.name
                own = {**limits, "x-request-id": line["request_id"]}
                line["status"] = await _pass(channel, own, scope, receive, send)
        except LongwireError as failure:
            line["status"] = problem_of(failure).status
            raise
        finally:
            _log.info("response", **line, ms=round((time.monotonic() - started) * 1000))

    @asynccontextmanager
    async def _admitted(self, subject: Subject) -> AsyncIterator[Mapping[str, str]]:
        """Count what is inside as one request; give headers that say what is left."""
        with self._readiness:
            if not subject.is_limited:
                yield {}
                return
            permit = await self._limits.enter(subject)
            try:
                yield permit.headers
            finally:
                self._limits.leave(permit, NOTHING)


async def _pass(
    channel: Channel, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
) -> int:
    """Ask a channel, and pass on what it says; return its status. Raises `UpstreamError`."""
    query = scope["query_string"].decode("latin-1")
    target = scope["path"].removeprefix(_BASE) + (f"?{query}" if query else "")
    callers = forwarded(headers_of(scope))
    try:
        async with channel.by_api[RESPONSES].fetch(scope["method"], target, callers) as fetched:
            marked = {**headers, "x-longwire-channel": channel.name}
            await _send(fetched, marked, receive, send)
            return fetched.status
    except UpstreamError as failure:
        raise without_credentials(failure, channel) from None


async def _send(fetched: Fetched, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
    """Send an answer as it comes, until its end or until the client has gone."""
    named = {**headers, "content-type": fetched.media_type}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    try:
        async with asyncio.TaskGroup() as group:
            leaving = group.create_task(_wait_for_leaving(receive))
            start = {"type": "http.response.start", "status": fetched.status, "headers": pairs}
            await send(start)
            async for chunk in fetched.body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            leaving.cancel()
    except* ClientGone:
        pass  # nobody is left to hear it
    except* UpstreamError as broken:
        # The server cuts an answer that has no end, and so does the client hear of it.
        _log.warning("response_broke_off", reason=str(broken.exceptions[0]))


async def _wait_for_leaving(receive: Receive) -> None:
    """Raise `ClientGone` once the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientGone
