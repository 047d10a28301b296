"""The routes of Messages: who may come in, whole answers and streams, counts and models.

Law: an error before the first event is an HTTP status with an envelope, after it an event.
"""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import hdrs, web

from longwire.emulator.cache import Caller, Lanes
from longwire.emulator.errors import Rejected
from longwire.emulator.events import Event
from longwire.emulator.faults import Cut, Spoiled, strike
from longwire.emulator.http import collector, sse, stream_writer, struck
from longwire.emulator.messages.caching import segments_of, tokens_of
from longwire.emulator.messages.conversation import conversation
from longwire.emulator.messages.errors import envelope, kind_of, refused
from longwire.emulator.messages.requests import check
from longwire.emulator.messages.threads import Threads
from longwire.emulator.messages.turns import Exchange, Memory
from longwire.emulator.requests import Body, decode
from longwire.emulator.turns import World
from longwire.emulator.wire import Outlet

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[web.Request, Caller, str], Awaitable[web.StreamResponse]]

VERSION = "anthropic-version"
DATE = re.compile(r"20\d\d-\d\d-\d\d")
PREFIXES = ("/v1", "/anthropic/v1")
LIMITS = {
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
    "anthropic-ratelimit-requests-reset": "2100-01-01T00:00:00Z",
}
MOST_MODELS = 20


@dataclass(slots=True)
class Room:
    """The routes and what they share."""

    world: World
    memory: Memory | None = None
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def endpoint(self, serve: Serve) -> Handler:
        """`serve` behind the faults of the handshake, the check of the caller and envelopes."""

        async def endpoint(request: web.Request) -> web.StreamResponse:
            number = next(self.numbers)
            request_id = f"req_{self.world.run}{number:08x}"
            try:
                refusal = await struck(self.world, request, "handshake")
                return refusal or await serve(request, self._caller(request, number), request_id)
            except web.HTTPRequestEntityTooLarge:
                error = refused("Request exceeds the maximum size", "request_too_large")
            except Rejected as rejected:
                error = rejected
            body = envelope(error.error, error.status, request_id)
            headers = {"request-id": request_id, **error.headers}
            return web.json_response(body, status=error.status, headers=headers)

        return endpoint

    def _caller(self, request: web.Request, number: int) -> Caller:
        """Who asks; raises Rejected with 401, or with 400 where the version is missing."""
        key = request.headers.get("x-api-key", "")
        token = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ").strip()
        account, keys = key or token, self.world.options.api_keys
        if not account:
            raise refused("x-api-key header is required", "authentication_error", violation=False)
        if keys is not None and account not in keys:
            message = "invalid x-api-key" if key else "Invalid bearer token"
            raise refused(message, "authentication_error", violation=False)
        version = request.headers.get(VERSION)
        if version is None:
            raise refused(f"{VERSION}: header is required")
        if not DATE.fullmatch(version):
            raise refused(f'{VERSION}: "{version}" is not a valid version')
        clock = asyncio.get_running_loop().time
        return Caller("http", "public", account, account[-4:], number, Lanes(clock, None))

    def remembered(self, caller: Caller) -> Memory:
        """What is kept between requests; its clock is that of the loop that serves."""
        if self.memory is None:
            threads = Threads(caller.lanes.clock, self.world.options.thread_lifetime)
            self.memory = Memory(threads)
        return self.memory

    async def create(
        self, request: web.Request, caller: Caller, request_id: str
    ) -> web.StreamResponse:
        """`POST …/messages`."""
        content = await self._content(request)
        try:
            body, betas = decode(content), betas_of(request)
            answering = Answering(self, caller, request, request_id, body, betas)
            return await answering.run(len(content))
        except Rejected as error:
            self._note(error, caller, content)
            raise

    async def count(
        self, request: web.Request, caller: Caller, request_id: str
    ) -> web.StreamResponse:
        """`POST …/messages/count_tokens`: how many tokens the prompt is."""
        if refusal := await struck(self.world, request, "count"):
            return refusal
        content = await self._content(request)
        try:
            body, betas = decode(content), betas_of(request)
            check(body, betas, strict=self.world.options.strict, counts=True)
            segments = segments_of(conversation(body, caller.account))
        except Rejected as error:
            self._note(error, caller, content)
            raise
        counted = {"input_tokens": tokens_of(segments)}
        return web.json_response(counted, headers={"request-id": request_id})

    async def models(self, request: web.Request, _: Caller, request_id: str) -> web.StreamResponse:
        """`GET …/models`, a page of it."""
        if refusal := await struck(self.world, request, "models"):
            return refusal
        names = list(self.world.options.models)
        after = request.query.get("after_id")
        rest = names[names.index(after) + 1 :] if after in names else names
        limit = request.query.get("limit", str(MOST_MODELS))
        page = rest[: int(limit) if limit.isdecimal() else MOST_MODELS]
        listed = {
            "data": [model_entry(name) for name in page],
            "has_more": len(page) < len(rest),
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        }
        return web.json_response(listed, headers={"request-id": request_id})

    async def model(self, request: web.Request, _: Caller, request_id: str) -> web.StreamResponse:
        """`GET …/models/{id}`."""
        name = request.match_info["id"]
        if name not in self.world.options.models:
            raise refused(f"model: {name}", "not_found_error", violation=False)
        return web.json_response(model_entry(name), headers={"request-id": request_id})

    async def _content(self, request: web.Request) -> bytes:
        content = await request.read()
        self.world.journal.counters.http_requests += 1
        self.world.journal.counters.bytes_in += len(content)
        return content

    def _note(self, error: Rejected, caller: Caller, content: bytes) -> None:
        if error.violation:
            self.world.journal.violation(f"messages {caller.connection}", str(error), content)


@dataclass(frozen=True, slots=True)
class Answering:
    """One request of a message on its way to a whole answer or a stream."""

    room: Room
    caller: Caller
    request: web.Request
    request_id: str
    body: Body
    betas: frozenset[str]

    async def run(self, size: int) -> web.StreamResponse:
        """Answer; raises Rejected for what is refused before the first event."""
        world, streams = self.room.world, self.body.get("stream") is True
        record = world.journal.turn(self.caller, size, journalled(self.body))
        record.api = "messages"
        headers = {"request-id": self.request_id, **LIMITS}
        stream = web.StreamResponse(headers=headers | STREAMED)
        chunks: list[bytes] = []
        outlet = Outlet(
            request=self.request,
            transport="http",
            encode=encoded if streams else nothing,
            write=stream_writer(self.request, stream) if streams else collector(chunks),
            sent=world.journal.sent,
        )
        memory = self.room.remembered(self.caller)
        try:
            await strike(world.faults, "before_create", outlet)
            check(self.body, self.betas, strict=world.options.strict)
            story = await Exchange(
                world, memory, self.caller, self.body, record, outlet, streams
            ).run()
            if not streams:
                return web.json_response(body=msgspec.json.encode(story.message()), headers=headers)
        except Rejected as error:
            record.status = f"error:{error.label}"
            raise
        except (Cut, Spoiled):
            if not stream.prepared:
                outlet.reset()
        finally:
            world.journal.finished(record)
        return stream


STREAMED = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


def encoded(event: Event) -> bytes:
    """One server-sent event; an error that a fault makes is one of this API."""
    if event.kind != "error":
        return sse(event)
    error: dict[str, Any] = msgspec.json.decode(event.payload)
    if "error" not in error:
        kind = kind_of(error.get("code"), 500)
        error = {"type": "error", "error": {"type": kind, "message": error.get("message")}}
    return sse(Event("error", msgspec.json.encode(error)))


def nothing(_: Event) -> bytes:
    """What leaves of an event where the answer is whole."""
    return b""


def journalled(body: Body) -> Body:
    """What the journal wants to know of a request."""
    thread = body.get("thread")
    previous = thread.get("previous_message_id") if isinstance(thread, dict) else None
    known = {"model": body.get("model"), "input": body.get("messages"), "store": False}
    return known | {"previous_response_id": previous}


def betas_of(request: web.Request) -> frozenset[str]:
    """The betas that a request asks for."""
    named = ",".join(request.headers.getall("anthropic-beta", []))
    return frozenset(beta.strip() for beta in named.split(",") if beta.strip())


def model_entry(name: str) -> dict[str, Any]:
    """One entry of the list of models."""
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "2025-06-15T00:00:00Z",
    }


def messages_routes(world: World) -> list[web.RouteDef]:
    """All routes of Messages but those that it shares with Responses."""
    room = Room(world)
    routes = [
        web.get("/anthropic/v1/models", room.endpoint(room.models)),
        web.get("/anthropic/v1/models/{id}", room.endpoint(room.model)),
    ]
    for prefix in PREFIXES:
        routes.append(web.post(f"{prefix}/messages", room.endpoint(room.create)))
        routes.append(web.post(f"{prefix}/messages/count_tokens", room.endpoint(room.count)))
    return routes


def by_version(world: World, other: Handler) -> Handler:
    """The list of models, or one, for whoever names a version of Messages; else `other`."""
    room = Room(world)

    async def choose(request: web.Request) -> web.StreamResponse:
        serve = room.model if "id" in request.match_info else room.models
        named = VERSION in request.headers
        return await (room.endpoint(serve)(request) if named else other(request))

    return choose
