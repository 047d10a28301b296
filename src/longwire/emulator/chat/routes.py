"""The route of Chat Completions."""

import time
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from longwire.emulator.apis import Api, Endpoint, bearer, incorrect_key
from longwire.emulator.cache import Caller
from longwire.emulator.chat.answers import Completion, Head
from longwire.emulator.chat.messages import has_thought
from longwire.emulator.chat.refusals import envelope
from longwire.emulator.chat.requests import read, thinks
from longwire.emulator.chat.vendors import VENDORS
from longwire.emulator.events import Event
from longwire.emulator.http import Form, play, respond
from longwire.emulator.requests import Body, Request
from longwire.emulator.turns import Exchange, World
from longwire.emulator.wire import Outlet

NAME = "chat_completions"
STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


def chat_routes(world: World, endpoint: Endpoint) -> list[web.RouteDef]:
    """The routes of one emulator."""
    vendor = VENDORS[world.options.chat_vendor]

    def token(request: web.Request) -> str:
        return request.headers.get(vendor.key_header, "") or bearer(request)

    api = Api(NAME, token, lambda error: envelope(vendor, error), incorrect_key)

    async def complete(request: web.Request, caller: Caller) -> web.StreamResponse:
        return await respond(world, caller, request, answer)

    return [web.post("/v1/chat/completions", endpoint("public", complete, api))]


async def answer(
    world: World, caller: Caller, request: web.Request, body: Body, size: int
) -> web.StreamResponse:
    """Run the turn into chunks or one completion."""
    vendor = VENDORS[world.options.chat_vendor]
    caller = replace(caller, prompts=world.cached_prompts(NAME, caller.account))
    shown = body | {"input": body.get("messages"), "store": False}
    record = world.journal.turn(caller, size, shown)
    streams = body.get("stream") is True
    form = Form(
        streams=streams,
        encode=sse if streams else whole,
        headers=STREAM,
        error=lambda error: envelope(vendor, error),
    )

    def begin(outlet: Outlet) -> Exchange:
        parsed = read(body, vendor, world.script)
        record.thoughts = sum(map(has_thought, body["messages"]))
        return Exchange(world, caller, parsed, record, outlet, teller(world, body))

    return await play(world, request, record, form, begin)


def teller(world: World, body: Body) -> Callable[[Request, str], Completion]:
    """What tells the answer to a body that was read."""
    options = body.get("stream_options") or {}
    vendor = VENDORS[world.options.chat_vendor]
    obfuscates = vendor.obfuscates and options.get("include_obfuscation") is not False
    head = Head(
        vendor=vendor,
        created=int(time.time()),
        streams=body.get("stream") is True,
        wants_usage=options.get("include_usage") is True,
        obfuscates=obfuscates and world.options.obfuscation,
        thinks=thinks(body, vendor),
        ending=world.options.chat_ending,
        choices=body.get("n") or 1,
    )
    return lambda request, response_id: Completion(request, response_id, head)


def sse(event: Event) -> bytes:
    """One event of a stream; points at which nothing is said are none."""
    if event.kind == "comment":
        return event.payload + b"\n\n"
    return b"data: %b\n\n" % event.payload if event.payload else b""


def whole(event: Event) -> bytes:
    """The completion, and nothing before it."""
    return event.payload if event.mark == "terminal" else b""
