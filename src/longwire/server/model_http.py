"""`POST /v1/responses`: one turn over HTTP, streamed as events or answered whole.

Law: no status before the upstream's first event, nothing after the terminal. A client that leaves
before the terminal cancels its turn; one that leaves after it cancels nothing. Raw ASGI, because
this is the hot path: one write per batch of events, and no queue, lock or task per event.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from longwire.core import sse
from longwire.core.errors import UpstreamDisconnected
from longwire.core.events import of_the_response
from longwire.core.session import is_codex
from longwire.core.turn import COMPACTION, Principal, Turn
from longwire.dialects.response_events import EventEncoder, response_of
from longwire.dialects.responses import decode_request
from longwire.relay.answer import Answer
from longwire.relay.relay import Relay
from longwire.server.auth import Keys
from longwire.server.bodies import ClientGone, read_body
from longwire.server.chunks import passing
from longwire.server.errors import (
    conceal_account,
    headers_of,
    problem_of,
    report,
    request_id,
    response_to,
)
from longwire.server.health import Readiness

NO_TERMINAL = "The upstream ended the response without its terminal."
"""What a stream is told that ends too early."""

_STREAM = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


class ModelHttp:
    """The data plane over HTTP, as a raw ASGI application."""

    __slots__ = ("_keys", "_max_body", "_readiness", "_relay")

    def __init__(self, relay: Relay, keys: Keys, readiness: Readiness, max_body: int) -> None:
        self._relay = relay
        self._readiness = readiness
        self._keys = keys
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one turn; failures are answered here."""
        headers = headers_of(scope)
        reply = _Reply(scope, headers, send)
        try:
            with self._readiness.turn():
                caller = self._keys.authenticate(headers)
                turn = decode_request(await read_body(headers, receive, self._max_body))
                if scope["path"].endswith("/compact"):
                    turn = replace(turn, api=COMPACTION, streams=False, runs_in_background=False)
                reply.previous = turn.previous_response_id
                async with _while_connected(receive, reply):
                    await self._serve(turn, caller, headers, reply)
        except ClientGone:
            return  # nobody is left to be told
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            await reply.fail(error)

    async def _serve(
        self, turn: Turn, caller: Principal, headers: Mapping[str, str], reply: "_Reply"
    ) -> None:
        """Send the turn and its answer; a failure is told while the client is watched."""
        try:
            async with self._relay.open(turn, caller, headers, reply.id) as answer:
                if turn.streams:
                    await reply.stream(answer)
                else:
                    await reply.whole(answer)
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            await reply.fail(error)


class _Reply:
    """What goes back to one client: nothing yet, a stream under way, or all of it."""

    __slots__ = ("_encoder", "_headers", "_is_codex", "_scope", "_send", "ends", "id", "previous")

    def __init__(self, scope: Scope, headers: Mapping[str, str], send: Send) -> None:
        self._scope = scope
        self._headers = headers
        self._send = send
        self._encoder: EventEncoder | None = None
        self._is_codex = is_codex(headers)
        self.id = request_id(headers)
        self.previous: str | None = None
        self.ends = False

    async def stream(self, answer: Answer) -> None:
        """Send the events as they come."""
        encoder = EventEncoder(self.previous, answer.aggregate)
        await self._begin(self._named(answer, _STREAM))
        self._encoder = encoder
        take = passing(self._send, encoder.encode_plain)
        if take is not None:
            answer.pass_on(take)
        async for batch in answer:
            if not batch:
                await self._write(self._keep_alive(encoder))
                continue
            self.ends = batch[-1] is answer.aggregate.terminal
            events = batch if self._is_codex else of_the_response(batch)
            if events:
                await self._write(encoder.encode_batch(events))
        if not self.ends:
            raise UpstreamDisconnected(NO_TERMINAL)

    async def whole(self, answer: Answer) -> None:
        """Send the response alone, once it is complete."""
        async for _ in answer:
            pass
        terminal = answer.aggregate.terminal
        if terminal is None:
            raise UpstreamDisconnected(NO_TERMINAL)
        body = response_of(EventEncoder(self.previous, answer.aggregate).encode(terminal))
        kind = {"content-type": "application/json", "content-length": str(len(body))}
        self.ends = True
        await self._begin(self._named(answer, kind))
        await self._write(body)

    async def fail(self, error: Exception) -> None:
        """Answer with the error's status, or end a stream under way with `response.failed`."""
        if self.ends:
            report(problem_of(error), error, self.id)
            return
        self.ends = True
        if not self._is_codex:
            conceal_account(error)
        if self._encoder is None:
            await response_to(error, self.id)(self._scope, _nothing_more, self._send)
            return
        problem = problem_of(error)
        report(problem, error, self.id)
        failed = self._encoder.failure(problem.code, problem.message)
        await self._write(sse.encode("response.failed", failed))

    def _keep_alive(self, encoder: EventEncoder) -> bytes:
        """Bridge silence: an event for Codex, whose idle timer no comment resets."""
        if self._is_codex:
            return sse.encode("keepalive", encoder.keep_alive())
        return sse.COMMENT_KEEP_ALIVE

    def _named(self, answer: Answer, content: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        told = answer.told if self._is_codex else {}
        return _headers(self.id, answer, {**told, **content})

    async def _begin(self, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _write(self, body: bytes) -> None:
        """Write and wait until the client keeps up; the last write ends the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": not self.ends})


@asynccontextmanager
async def _while_connected(receive: Receive, reply: _Reply) -> AsyncIterator[None]:
    """Cancel what is inside when the client leaves before its reply ends."""
    try:
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(_watch(receive, reply))
            yield
            watcher.cancel()
    except* ClientGone:
        pass


async def _watch(receive: Receive, reply: _Reply) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    if not reply.ends:
        raise ClientGone


async def _nothing_more() -> dict[str, str]:
    return {"type": "http.disconnect"}


def _headers(request: str, answer: Answer, content: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    facts = answer.facts
    named = {
        **content,
        **answer.limits,
        "x-request-id": request,
        "x-longwire-channel": answer.channel,
        "x-longwire-transport": facts.transport,
        "x-longwire-continuity": facts.continuity,
    }
    if facts.reason:
        named["x-longwire-reason"] = facts.reason
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
