"""The same turns over HTTP: JSON, SSE, and the routes beside them; the posts of every API.

Law: an error before the first event is an HTTP status with an envelope, after it an SSE event
(OpenAI reference, create a response; streaming events).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from aiohttp import hdrs, web

from longwire.emulator.cache import Caller
from longwire.emulator.counters import Turn
from longwire.emulator.errors import Rejected, unknown_parameter
from longwire.emulator.events import FAR_AWAY, Event
from longwire.emulator.faults import Cut, Point, Spoiled, key_of, strike
from longwire.emulator.options import Transport
from longwire.emulator.oracle import digest, encode, listed
from longwire.emulator.rendering import mint, turn_state
from longwire.emulator.requests import CODEX_REFUSES, COUNTED, Body, decode, read
from longwire.emulator.turns import Exchange, World, count_tokens, usage
from longwire.emulator.wire import Outlet, Write, abort

Answer = Callable[[World, Caller, web.Request, Body, int], Awaitable[web.StreamResponse]]
"""What answers a body, of which the size is given too."""
COMPACTION_REFUSES = CODEX_REFUSES | {"generate", "include", "store", "stream", "service_tier"}


class Terminal(msgspec.Struct):
    """The one member of a terminal event that a plain JSON answer consists of."""

    response: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Form:
    """How one answer goes out: in a stream or as one JSON value."""

    streams: bool
    encode: Callable[[Event], bytes]
    headers: dict[str, str]
    error: Callable[[Rejected], dict[str, Any]] | None = None
    """An error in mid-stream, in the words of another API than Responses."""
    end: bytes = b""


class Running(Protocol):
    """A turn that can be run, of any API."""

    async def run(self) -> None:
        """Answer; raises Rejected for a refusal, Cut or Spoiled for what a fault did."""


async def respond(
    world: World, caller: Caller, request: web.Request, answer: "Answer"
) -> web.StreamResponse:
    """One POST; raises Rejected for what is refused before the first event."""
    try:
        content = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        message = "Request exceeds the maximum size"
        raise Rejected(message, code="request_too_large", status=413) from error
    world.journal.counters.http_requests += 1
    world.journal.counters.bytes_in += len(content)
    body: Body = {}
    try:
        body = decode(content)
        return await answer(world, caller, request, body, len(content))
    except Rejected as error:
        if error.violation:
            world.journal.violation(f"http {caller.connection}", str(error), content)
        raise


async def answer_responses(
    world: World, caller: Caller, request: web.Request, body: Body, size: int
) -> web.StreamResponse:
    """`POST …/responses`."""
    record = world.journal.turn(caller, size, body)
    streams = body.get("stream") is True
    form = Form(
        streams=streams,
        encode=sse if streams else only_response,
        headers=stream_headers(caller, world.used[caller.account]),
        end=b"data: [DONE]\n\n" if world.options.done_marker else b"",
    )

    def begin(outlet: Outlet) -> Exchange:
        check_state(caller, request.headers.get("x-codex-turn-state"))
        parsed = read(body, caller.route, "http", world.options, world.script)
        return Exchange(world, caller, parsed, record, outlet)

    return await play(world, request, record, form, begin)


async def play(
    world: World,
    request: web.Request,
    record: Turn,
    form: Form,
    begin: Callable[[Outlet], Running],
) -> web.StreamResponse:
    """Run a turn into a stream or one JSON value."""
    stream = web.StreamResponse(headers=form.headers)
    chunks: list[bytes] = []
    outlet = Outlet(
        request=request,
        transport="http",
        encode=form.encode,
        write=stream_writer(request, stream) if form.streams else collector(chunks),
        sent=world.journal.sent,
        error=form.error,
    )
    try:
        await strike(world.faults, "before_create", outlet)
        await begin(outlet).run()
    except Rejected as error:
        record.status = f"error:{error.label}"
        raise
    except (Cut, Spoiled):
        if not stream.prepared:
            outlet.reset()
    finally:
        world.journal.finished(record)
    if not form.streams:
        return web.Response(body=b"".join(chunks), content_type="application/json")
    if form.end and record.status != "cut":
        await stream.write(form.end)
    return stream


async def struck(world: World, request: web.Request, point: Point) -> web.Response | None:
    """The refusal that a fault at one of the points before any answer makes of a request."""
    transport: Transport = "websocket" if upgrades(request) else "http"
    fault = world.faults.take(point, transport, key_of(request))
    if fault is None:
        return None
    if fault.act == "hang":
        await asyncio.Event().wait()
    if fault.act == "reset" and request.transport is not None:
        abort(request.transport)
    if fault.act != "refuse" or fault.body is None:
        raise fault.refusal()
    world.journal.counters.handshakes_refused += upgrades(request)
    status, headers = fault.status or 403, fault.headers
    if isinstance(fault.body, str):
        return web.Response(text=fault.body, status=status, headers=headers)
    return web.json_response(body=encode(fault.body), status=status, headers=headers)


def upgrades(request: web.Request) -> bool:
    """Whether the request wants to become a WebSocket."""
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def check_state(caller: Caller, state: str | None) -> None:
    """Refuse a turn state that was issued to another account, or on another route."""
    if state is not None and (caller.route != "codex" or state != turn_state(caller.account)):
        raise Rejected("The turn state is not one of this account.", param="x-codex-turn-state")


def stream_writer(request: web.Request, stream: web.StreamResponse) -> Write:
    """Starts the stream with the first bytes, so that an error before them can be a status."""

    async def write(content: bytes) -> None:
        if not stream.prepared:
            await stream.prepare(request)
        await stream.write(content)

    return write


def collector(chunks: list[bytes]) -> Write:
    """Keeps the bytes of an answer that is sent as a whole."""

    async def write(content: bytes) -> None:
        chunks.append(content)

    return write


def stream_headers(caller: Caller, used: float) -> dict[str, str]:
    """Headers of a stream; the Codex backend gives its turn state and limits here."""
    headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
    if caller.route != "codex":
        return headers
    return headers | codex_headers(used) | {"x-codex-turn-state": turn_state(caller.account)}


def codex_headers(used: float) -> dict[str, str]:
    """The rate-limit family of the Codex backend, with the percentage used."""
    return {
        "x-models-etag": '"emulator-1"',
        "x-codex-primary-used-percent": f"{used:g}",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": str(FAR_AWAY),
    }


def sse(event: Event) -> bytes:
    """One server-sent event, without a name where it has no type."""
    name = f"event: {event.kind}\n" if event.kind else ""
    return b"%bdata: %b\n\n" % (name.encode(), event.payload)


def only_response(event: Event) -> bytes:
    """The terminal's Response; nothing of the events before it."""
    if event.mark != "terminal":
        return b""
    return bytes(msgspec.json.decode(event.payload, type=Terminal).response)


async def count(world: World, caller: Caller, request: web.Request) -> web.Response:
    """`POST …/responses/input_tokens`: the input as a turn would have it, counted."""
    content = await request.read()
    world.journal.counters.http_requests += 1
    try:
        body = decode(content)
        for name in body:
            if name not in COUNTED:
                raise unknown_parameter(name, caller.route)
        parsed = read(body, caller.route, "http", world.options, world.script)
        tokens = count_tokens(world, caller, parsed)
    except Rejected as error:
        if error.violation:
            world.journal.violation(f"http {caller.connection}", str(error), content)
        raise
    return web.json_response({"object": "response.input_tokens", "input_tokens": tokens})


async def compact(world: World, caller: Caller, request: web.Request) -> web.Response:
    """`POST …/responses/compact`: the user's messages and one compaction item."""
    content = await request.read()
    world.journal.counters.http_requests += 1
    world.journal.counters.compactions += 1
    try:
        body = decode(content)
        for name in body if caller.route == "codex" else ():
            if name in COMPACTION_REFUSES:
                raise unknown_parameter(name, caller.route)
    except Rejected as error:
        world.journal.violation(f"http {caller.connection}", str(error), content)
        raise
    items = [item for item in listed(body.get("input") or []) if item.get("role") == "user"]
    identity = f"cmp_{digest(items)[:48]}"
    sealed = mint(caller.account, identity)
    compaction = {"id": identity, "type": "compaction", "encrypted_content": sealed}
    output = [*items, compaction]
    if caller.route == "codex":
        return web.json_response({"output": output})
    answered = {
        "id": world.issue(),
        "object": "response.compaction",
        "created_at": int(time.time()),
        "output": output,
        "usage": usage(len(encode(body)) // 4, 0, 8),
    }
    return web.json_response(answered)
