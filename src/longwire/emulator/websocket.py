"""One WebSocket connection: reads frames, runs turns on lanes, obeys the connection's limits.

Law: lanes are FIFO, at most 16 turns run at once, and a route without lanes has one turn at a time
(OpenAI guide, WebSocket mode: multiplexing, connection limits).
"""

import asyncio
from contextlib import suppress

from aiohttp import WSMsgType, web

from longwire.emulator.cache import Caller
from longwire.emulator.counters import Turn
from longwire.emulator.errors import Rejected, unknown_parameter
from longwire.emulator.events import plain
from longwire.emulator.faults import Cut, Spoiled, strike
from longwire.emulator.http import check_state, codex_headers
from longwire.emulator.options import Json
from longwire.emulator.requests import Body, Request, check_lane, decode, read
from longwire.emulator.turns import Exchange, World
from longwire.emulator.wire import PONG, Outlet, frame, text_frames, websocket_writer


class Gone(Exception):
    """The connection has ended."""


class Connection:
    """One upgraded connection of a caller."""

    def __init__(self, world: World, caller: Caller, request: web.Request) -> None:
        self.world = world
        self.caller = caller
        self.request = request
        self.socket = web.WebSocketResponse(
            timeout=1.0,
            autoping=False,
            compress=world.options.compression,
            max_msg_size=world.options.max_message,
            decode_text=False,
        )
        self.locks: dict[str | None, asyncio.Lock] = {None: asyncio.Lock()}
        self.slots = asyncio.Semaphore(world.options.max_active)
        self.pending = 0
        self.active = 0
        self.expires_at = caller.lanes.clock() + world.options.lifetime
        self.where = f"websocket {caller.connection}"

    async def serve(self) -> web.WebSocketResponse:
        """Upgrade and live until either side ends it."""
        codex = self.caller.route == "codex"
        headers = {"x-request-id": f"req_{self.caller.connection}"}
        used = self.world.used[self.caller.account]
        self.socket.headers.update(headers | (codex_headers(used) if codex else {}))
        await self.socket.prepare(self.request)
        counters = self.world.journal.counters
        counters.socket_opened()
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._listen(tasks)
        except* (Cut, Gone, ConnectionError):
            if self.request.transport is not None:
                self.request.transport.close()
        finally:
            counters.socket_closed()
        return self.socket

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            content = await self._receive()
            self.world.journal.counters.bytes_in += len(content)
            try:
                await strike(self.world.faults, "before_create", self._outlet())
                await self._accept(content, tasks)
            except Spoiled:
                continue
            except Rejected as error:
                await self._refuse(error, None, content)

    async def _receive(self) -> bytes:
        """The next text message; raises Gone at the end of the connection."""
        write = websocket_writer(self.request)
        while True:
            message = await self._next()
            match message.type:
                case WSMsgType.TEXT:
                    return bytes(message.data)
                case WSMsgType.PING:
                    await write(frame(PONG, message.data))
                case WSMsgType.PONG:
                    continue
                case WSMsgType.BINARY:
                    self.world.journal.violation(self.where, "binary frame", message.data)
                    await self.socket.close(code=1003)
                    raise Gone
                case WSMsgType.ERROR:
                    self.world.journal.violation(self.where, f"bad frame: {message.data}")
                    raise Gone
                case _:
                    raise Gone

    async def _next(self) -> Json:
        idle_limit = self.world.options.announce_limit == "idle"
        left = max(0.001, self.expires_at - self.caller.lanes.clock()) if idle_limit else None
        while True:
            try:
                return await self.socket.receive(left)
            except TimeoutError:
                left = None
                if not self.pending:
                    await self._expire()

    async def _accept(self, content: bytes, tasks: asyncio.TaskGroup) -> None:
        body = decode(content)
        match body.get("type"):
            case "response.create":
                await self._create(body, content, tasks)
            case "response.steer":
                await self._refuse_steering(body)
            case other:
                raise Rejected(f"Invalid value: {other!r}.", code="invalid_value", param="type")

    async def _create(self, body: Body, content: bytes, tasks: asyncio.TaskGroup) -> None:
        if self.caller.lanes.clock() >= self.expires_at:
            await self._expire()
            return
        caller = self.caller
        record = self.world.journal.turn(caller, len(content), body)
        try:
            caller.check()
            self._check_turn(body.get("stream_id"))
            check_state(caller, (body.get("client_metadata") or {}).get("x-codex-turn-state"))
            request = read(body, caller.route, "websocket", self.world.options, self.world.script)
        except Rejected as error:
            record.status = f"error:{error.label}"
            caller.lanes.evict(record.lane, record.previous_response_id)
            named = None if error.label == "invalid_stream_id" else record.lane
            await self._refuse(error, named, content)
            self.world.journal.finished(record)
            return
        self.pending += 1
        tasks.create_task(self._run(request, record, content))

    def _check_turn(self, lane: Json) -> None:
        if self.caller.route == "codex" or not self.world.options.multiplexing:
            if lane is not None:
                raise unknown_parameter("stream_id", self.caller.route)
            if self.pending:
                message = "A response is already in progress on this connection."
                raise Rejected(message, code="response_in_progress")
        check_lane(lane)
        if lane not in self.locks and len(self.locks) > self.world.options.max_lanes:
            raise too_many_lanes(self.world.options.max_lanes)
        self.locks.setdefault(lane, asyncio.Lock())

    async def _run(self, request: Request, record: Turn, content: bytes) -> None:
        counters = self.world.journal.counters
        outlet = self._outlet()
        try:
            async with self.locks[request.lane], self.slots:
                self.active += 1
                counters.in_flight_peak = max(counters.in_flight_peak, self.active)
                try:
                    await Exchange(self.world, self.caller, request, record, outlet).run()
                finally:
                    self.active -= 1
        except Rejected as error:
            await self._refuse(error, request.lane, content)
        except Spoiled:
            pass
        finally:
            self.pending -= 1
            self.world.journal.finished(record)
        await self._fall_idle()

    async def _fall_idle(self) -> None:
        if self.pending:
            return
        expired = self.caller.lanes.clock() >= self.expires_at
        if expired and self.world.options.announce_limit == "idle":
            await self._expire()
        with suppress(Spoiled):
            await strike(self.world.faults, "idle", self._outlet())

    async def _expire(self) -> None:
        """The end of its life: an error frame, and a close unless a turn still runs."""
        message = (
            "Responses websocket connection limit reached (60 minutes)."
            " Create a new websocket connection to continue."
        )
        error = Rejected(message, code="websocket_connection_limit_reached", violation=False)
        await self._refuse(error, None, b"")
        if not self.pending:
            await self._outlet().close(1000)
            raise Gone

    async def _refuse(self, error: Rejected, lane: str | None, content: bytes) -> None:
        if error.violation:
            self.world.journal.violation(self.where, str(error), content)
        await self._tell(error.frame(lane))

    async def _refuse_steering(self, body: Body) -> None:
        error = {
            "type": "invalid_request_error",
            "code": "steering_not_supported",
            "message": "This model does not support steering.",
        }
        steer = {name: body.get(name) for name in ("input", "previous_response_id")}
        await self._tell({"type": "response.steer.failed", "error": error, "steer": steer})

    async def _tell(self, message: Body) -> None:
        outlet = self._outlet()
        await outlet.send(plain(message))
        await outlet.flush()

    def _outlet(self) -> Outlet:
        fragment = self.world.options.fragment_bytes
        return Outlet(
            request=self.request,
            transport="websocket",
            encode=lambda event: text_frames(event.payload, fragment),
            write=websocket_writer(self.request),
            sent=self.world.journal.sent,
        )


def too_many_lanes(limit: int) -> Rejected:
    """One named lane more than the connection may have."""
    message = (
        "This WebSocket connection has reached its maximum number of distinct stream IDs"
        f" ({limit}). Reuse an existing stream_id or open a new WebSocket connection."
    )
    return Rejected(message, code="websocket_stream_limit_reached", param="stream_id")
