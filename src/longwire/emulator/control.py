"""The control routes under `/_emulator`, for those who do not hold the `Emulator` object.

Law: a bad control request is a 400 that names the field, and changes nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from aiohttp import web

from longwire.emulator.faults import Fault
from longwire.emulator.options import Script
from longwire.emulator.turns import World

Read = Callable[[], Any]
Change = Callable[[bytes], None]
Handler = Callable[[web.Request], Awaitable[web.Response]]


def control_routes(world: World) -> Sequence[web.RouteDef]:
    """All control routes of one emulator."""

    def arm(content: bytes) -> None:
        world.faults.add(*msgspec.json.decode(content, type=list[Fault]))

    def direct(content: bytes) -> None:
        world.script = msgspec.json.decode(content, type=Script)

    def reset(_: bytes) -> None:
        world.faults.clear()
        world.journal.reset()
        world.script = Script()

    return [
        web.get("/_emulator/counters", reading(world.journal.counters.snapshot)),
        web.get("/_emulator/violations", reading(lambda: world.journal.violations)),
        web.get("/_emulator/turns", reading(lambda: list(world.journal.turns))),
        web.post("/_emulator/faults", changing(arm)),
        web.delete("/_emulator/faults", changing(lambda _: world.faults.clear())),
        web.put("/_emulator/script", changing(direct)),
        web.post("/_emulator/reset", changing(reset)),
    ]


def reading(read: Read) -> Handler:
    """A route that shows something."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(read()), content_type="application/json")

    return show


def changing(change: Change) -> Handler:
    """A route that changes something from the request's body."""

    async def apply(request: web.Request) -> web.Response:
        try:
            change(await request.read())
        except msgspec.MsgspecError as error:
            return web.json_response({"error": {"message": str(error)}}, status=400)
        return web.json_response({"ok": True})

    return apply
