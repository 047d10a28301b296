"""The routes of Messages: whole answers and streams, counts of tokens, and models."""

import re
from functools import partial
from typing import Any

from aiohttp import hdrs, web

from longwire.emulator.apis import Api, Endpoint, Handler, bearer
from longwire.emulator.cache import Caller
from longwire.emulator.errors import Rejected
from longwire.emulator.events import Event
from longwire.emulator.http import Form, play, respond, sse, struck
from longwire.emulator.messages.caching import segments_of, tokens_of
from longwire.emulator.messages.conversation import conversation
from longwire.emulator.messages.errors import envelope, refused
from longwire.emulator.messages.requests import check
from longwire.emulator.messages.turns import Exchange, Memory
from longwire.emulator.requests import Body
from longwire.emulator.turns import World
from longwire.emulator.wire import Outlet

VERSION = "anthropic-version"
DATE = re.compile(r"20\d\d-\d\d-\d\d")
PREFIXES = ("/v1", "/anthropic/v1")
MOST_MODELS = 20
STREAM = {hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8", hdrs.CACHE_CONTROL: "no-cache"}
LIMITS = {
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
    "anthropic-ratelimit-requests-reset": "2100-01-01T00:00:00Z",
}


def token(request: web.Request) -> str:
    """The key of a request, in either header; raises `Rejected` where the version is missing."""
    key = request.headers.get("x-api-key") or bearer(request)
    version = request.headers.get(VERSION)
    if key and version is None:
        raise refused(f"{VERSION}: header is required")
    if key and not DATE.fullmatch(str(version)):
        raise refused(f'{VERSION}: "{version}" is not a valid version')
    return key


def unauthorized(key: str) -> Rejected:
    """What a key is refused with."""
    message = "invalid x-api-key" if key else "x-api-key header is required"
    return refused(message, "authentication_error", violation=False)


API = Api("messages", token, envelope, unauthorized, id_header="request-id")


def messages_routes(world: World, memory: Memory, endpoint: Endpoint) -> list[web.RouteDef]:
    """All routes of Messages but those that it shares with Responses."""

    async def create(request: web.Request, caller: Caller) -> web.StreamResponse:
        return await respond(world, caller, request, partial(answer, memory))

    async def count(request: web.Request, caller: Caller) -> web.StreamResponse:
        refusal = await struck(world, request, "count")
        return refusal or await respond(world, caller, request, counted)

    listing, one = model_handlers(world, endpoint)
    routes = [
        web.get("/anthropic/v1/models", listing),
        web.get("/anthropic/v1/models/{id}", one),
    ]
    for prefix in PREFIXES:
        routes.append(web.post(f"{prefix}/messages", endpoint("public", create, API)))
        routes.append(web.post(f"{prefix}/messages/count_tokens", endpoint("public", count, API)))
    return routes


async def answer(
    memory: Memory, world: World, caller: Caller, request: web.Request, body: Body, size: int
) -> web.StreamResponse:
    """Run the turn into a stream or one message."""
    record = world.journal.turn(caller, size, journalled(body))
    streams = body.get("stream") is True
    headers = headers_of(caller) | LIMITS
    encode = sse if streams else whole
    form = Form(streams=streams, encode=encode, headers=headers | STREAM, error=envelope)

    def begin(outlet: Outlet) -> Exchange:
        check(body, betas_of(request), strict=world.options.strict)
        return Exchange(world, memory, caller, body, record, outlet, streams)

    response = await play(world, request, record, form, begin)
    if not streams:
        response.headers.update(headers)
    return response


async def counted(
    world: World, caller: Caller, request: web.Request, body: Body, _: int
) -> web.StreamResponse:
    """How many tokens the prompt is."""
    check(body, betas_of(request), strict=world.options.strict, counts=True)
    tokens = tokens_of(segments_of(conversation(body, caller.account)))
    return web.json_response({"input_tokens": tokens}, headers=headers_of(caller))


def whole(event: Event) -> bytes:
    """The message, and nothing of the events before it."""
    return event.payload if event.mark == "terminal" else b""


def headers_of(caller: Caller) -> dict[str, str]:
    """What each answer bears."""
    return {API.id_header: f"req_{caller.connection}"}


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


def by_version(world: World, endpoint: Endpoint, other: Handler) -> Handler:
    """The list of models, or one, for whoever names a version of Messages; else `other`."""
    listing, one = model_handlers(world, endpoint)

    async def choose(request: web.Request) -> web.StreamResponse:
        own = one if "id" in request.match_info else listing
        return await (own if VERSION in request.headers else other)(request)

    return choose


def model_handlers(world: World, endpoint: Endpoint) -> tuple[Handler, Handler]:
    """What answers with a page of the models, and with one."""
    names = world.options.models

    async def listing(request: web.Request, caller: Caller) -> web.StreamResponse:
        refusal = await struck(world, request, "models")
        listed = page(names, request.query.get("after_id"), request.query.get("limit", ""))
        return refusal or web.json_response(listed, headers=headers_of(caller))

    async def one(request: web.Request, caller: Caller) -> web.StreamResponse:
        name = request.match_info["id"]
        if name not in names:
            raise refused(f"model: {name}", "not_found_error", violation=False)
        return web.json_response(model_entry(name), headers=headers_of(caller))

    return endpoint("public", listing, API), endpoint("public", one, API)


def page(names: tuple[str, ...], after: str | None, limit: str) -> dict[str, Any]:
    """One page of the models."""
    rest = names[names.index(after) + 1 :] if after in names else names
    shown = rest[: int(limit) if limit.isdecimal() else MOST_MODELS]
    return {
        "data": [model_entry(name) for name in shown],
        "has_more": len(shown) < len(rest),
        "first_id": shown[0] if shown else None,
        "last_id": shown[-1] if shown else None,
    }


def model_entry(name: str) -> dict[str, Any]:
    """One entry of the list of models."""
    created = {"created_at": "2025-06-15T00:00:00Z"}
    return {"type": "model", "id": name, "display_name": name, **created}
