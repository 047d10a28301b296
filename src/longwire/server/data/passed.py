"""OpenAI's other APIs: a request goes to a channel that has its model, its answer comes as it is.

Law: nothing is held of either side but what a small buffer or a temporary file holds. Who leaves
before the end abandons the request. An error before the answer has the API's own envelope.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Scope, Send

from longwire.core.errors import (
    BodyTooLarge,
    ClientGone,
    LongwireError,
    UpstreamDisconnected,
    UpstreamError,
    sole,
)
from longwire.core.nouns.passed_api import PASSED_APIS, PassedApi
from longwire.core.rules.turn import Principal, Turn
from longwire.dialects.passed_apis.form import Form, boundary_of
from longwire.dialects.passed_apis.request import (
    FORM,
    alone,
    decode_form,
    decode_json,
    media_type_of,
)
from longwire.logger import structlog
from longwire.relay.turns.running import Relay, RunningTurn
from longwire.server.auth import Keys
from longwire.server.data.uploads import Spool, SpooledForm
from longwire.server.health import Readiness
from longwire.server.http.bodies import codings_of, unpacked
from longwire.server.problems import headers_of, problem_of, request_id

_log = structlog.get_logger()
PATHS: Final[Mapping[str, PassedApi]] = {f"/v1{api.path}": api for api in PASSED_APIS.values()}
_EVENTS: Final = "text/event-stream"
_TEXTS: Final = ("application/json", _EVENTS, "text/plain")
_MOST_KEPT: Final = 1024 * 1024
"""How much of an answer is kept where a key keeps bodies."""


@dataclass(frozen=True, slots=True)
class PassedTurns:
    """The routes of these APIs, as a raw ASGI application; a body may have `max_body` bytes."""

    relay: Relay
    keys: Keys
    readiness: Readiness
    max_body: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises `LongwireError` for what is answered at the server's edge."""
        api, headers = PATHS[scope["path"]], headers_of(scope)
        with self.readiness:
            caller = self.keys.authenticate(headers)
            reply = _Reply(send, request_id(headers))
            announced = headers.get("content-length", "")
            if announced.isdecimal() and int(announced[:20]) > self.max_body:
                raise BodyTooLarge(self.max_body)
            is_form = media_type_of(api, headers) == FORM
            serve = self._form if is_form else self._json
            try:
                await serve(_Request(api, headers, caller, receive), reply)
            except ClientGone:
                pass  # nobody is left to hear of it
            except BaseExceptionGroup as group:
                _, others = group.split(ClientGone)
                if others is not None:
                    raise sole(others) from None

    async def _json(self, request: "_Request", reply: "_Reply") -> None:
        """Serve a request whose body is read as a whole."""
        body = bytearray()
        async for chunk in request.arriving():
            body += chunk
            if len(body) > self.max_body:
                raise BodyTooLarge(self.max_body)
        codings = codings_of(request.headers.get("content-encoding", ""))
        whole = await unpacked(bytes(body), codings, self.max_body)
        turn = decode_json(request.api, whole)
        async with asyncio.TaskGroup() as group:
            leaving = group.create_task(request.wait_for_leaving())
            await self._run(turn, request, reply)
            leaving.cancel()

    async def _form(self, request: "_Request", reply: "_Reply") -> None:
        """Serve a request whose files may still come while it goes upstream."""
        form = Form(boundary_of(request.headers["content-type"]))
        spool = Spool(form, self.max_body)
        with contextlib.closing(spool):
            async with asyncio.TaskGroup() as group:
                arriving = group.create_task(request.spool(spool))
                # Without a size, which upstreams want to know, it is sent once it is complete.
                size = request.headers.get("content-length", "")
                await spool.until(lambda: size.isdecimal() and "model" in form.fields)
                upload = SpooledForm(spool, form, int(size) if size.isdecimal() else spool.size)
                await self._run(decode_form(request.api, form, upload, upload.size), request, reply)
                arriving.cancel()

    async def _run(self, turn: Turn, request: "_Request", reply: "_Reply") -> None:
        turn = alone(turn, reply.request_id)
        running = self.relay.open(turn, request.caller, request.headers, reply.request_id)
        try:
            async with running:
                await reply.stream(running)
        except UpstreamError as failure:
            if not reply.has_begun:
                raise
            await reply.break_off(failure)
        else:
            # Not before the turn is over: with the end of its answer its client may be gone.
            await reply.end()


@dataclass(frozen=True, slots=True)
class _Request:
    """One request whose head is there."""

    api: PassedApi
    headers: Mapping[str, str]
    caller: Principal
    receive: Receive

    async def arriving(self) -> AsyncIterator[bytes]:
        """Give the parts of its body. Raises `ClientGone`."""
        is_more = True
        while is_more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            yield message.get("body", b"")
            is_more = message.get("more_body", False)

    async def wait_for_leaving(self) -> None:
        """Raise `ClientGone` once the client has gone."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        raise ClientGone

    async def spool(self, spool: Spool) -> None:
        """Keep its body as it arrives, then wait for its client's leaving."""
        try:
            async for chunk in self.arriving():
                spool.append(chunk)
            spool.end()
        except ClientGone:
            raise
        except LongwireError as failure:
            spool.fail(failure)
        await self.wait_for_leaving()


class _Reply:
    """What goes back to one client."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self._media_type = ""

    @property
    def has_begun(self) -> bool:
        """Whether any of an answer was sent."""
        return bool(self._media_type)

    async def stream(self, running: RunningTurn) -> None:
        """Send an answer as it comes, but for its end. Raises `UpstreamError`."""
        keeps = running.request.caller.grant.keeps_bodies
        kept, room = running.record.passed_on, _MOST_KEPT if keeps else 0
        async for batch in running:
            if batch and not self.has_begun:
                await self._begin(running)
                room = room if self._media_type.startswith(_TEXTS) else 0
            if body := b"".join([event.wire for event in batch]):
                if room:
                    kept.append(body[:room])
                    room -= len(kept[-1])
                await self._body(body)
            if running.aggregate.terminal is not None:
                return
        raise UpstreamDisconnected("The upstream ended the answer too early.")

    async def break_off(self, failure: UpstreamError) -> None:
        """Leave an answer without its end, and say why where its form has a place for that."""
        _log.warning("answer_broke_off", request_id=self.request_id, reason=str(failure))
        if self._media_type.startswith(_EVENTS):
            await self._body(b"data: " + problem_of(failure).envelope() + b"\n\n")

    async def end(self) -> None:
        """Send the end of an answer."""
        await self._body(b"", is_more=False)

    async def _begin(self, running: RunningTurn) -> None:
        delivery = running.delivery
        self._media_type = delivery.media_type
        headers = {
            **running.limits,
            "content-type": delivery.media_type,
            "x-request-id": self.request_id,
            "x-longwire-channel": running.channel,
            "x-longwire-transport": delivery.transport,
            "x-longwire-api": running.record.way.api,
            "x-longwire-continuity": delivery.continuity,
        }
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": pairs})

    async def _body(self, body: bytes, *, is_more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": is_more})
