"""The routes of the other APIs, and how their answers go out."""

import asyncio
from functools import partial

from aiohttp import web

from longwire.emulator.apis import RESPONSES, Endpoint
from longwire.emulator.cache import Caller
from longwire.emulator.counters import Turn
from longwire.emulator.errors import Rejected
from longwire.emulator.events import Event
from longwire.emulator.faults import Cut, Spoiled, strike
from longwire.emulator.http import stream_writer
from longwire.emulator.passed.answers import EVENTS, Answer, answer
from longwire.emulator.passed.requests import SHAPES, read
from longwire.emulator.turns import World
from longwire.emulator.wire import Outlet


def passed_routes(world: World, endpoint: Endpoint) -> list[web.RouteDef]:
    """The routes of one emulator."""
    return [
        web.post(f"/v1/{api}", endpoint("public", partial(serve, world, api), RESPONSES))
        for api in SHAPES
    ]


async def serve(world: World, api: str, request: web.Request, caller: Caller) -> web.StreamResponse:
    """Read a request, and answer it."""
    world.journal.counters.http_requests += 1
    try:
        parsed = await read(api, request, world.options.max_body)
    except Rejected as error:
        if error.violation:
            world.journal.violation(f"http {caller.connection}", f"{api}: {error}")
        raise
    world.journal.counters.bytes_in += parsed.size
    record = world.journal.turn(caller, parsed.size, {"model": parsed.body.get("model")})
    record.api = api
    reply = answer(parsed, world.script)
    stream = web.StreamResponse(headers={"content-type": reply.media_type})
    outlet = Outlet(
        request=request,
        transport="http",
        encode=among_events if reply.media_type == EVENTS else alone,
        write=stream_writer(request, stream),
        sent=world.journal.sent,
        error=Rejected.body,
    )
    try:
        await play(world, reply, outlet)
        record.status = "completed"
    except Rejected as error:
        record.status = f"error:{error.label}"
        raise
    except (Cut, Spoiled):
        _cut(record, stream, outlet)
    finally:
        world.journal.finished(record)
    return stream


def alone(event: Event) -> bytes:
    """A part of an answer as it is."""
    return event.payload


def among_events(event: Event) -> bytes:
    """A part of a stream, which is an event already; what a fault says becomes one."""
    return event.payload if event.mark == "delta" else b"data: %b\n\n" % event.payload


def _cut(record: Turn, stream: web.StreamResponse, outlet: Outlet) -> None:
    record.status = "cut"
    if not stream.prepared:
        outlet.reset()


async def play(world: World, reply: Answer, outlet: Outlet) -> None:
    """Write the parts of an answer, with the faults between them; see `strike`."""
    script, faults = world.script, world.faults
    await strike(faults, "before_create", outlet)
    await strike(faults, "after_create", outlet)
    await asyncio.sleep(script.first_event_ms / 1000)
    is_first = True
    for part in reply.parts:
        if not is_first:
            await asyncio.sleep(script.delay_ms / 1000)
            await strike(faults, "mid_delta", outlet)
        is_first = False
        await outlet.send(Event("", part, "delta"))
        await outlet.flush()
    await strike(faults, "before_terminal", outlet)
