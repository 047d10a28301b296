"""The turns on the lanes of one client's WebSocket: which run, and how each is answered.

Law: an error ends its turn, not the connection. A response that the client names is recalled, so
that no connection upstream is needed for longer than a turn.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from longwire.core.errors import ClientGone, InvalidRequest, UpstreamDisconnected, UpstreamRejected
from longwire.core.events import Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.lanes import Lanes
from longwire.core.rules.transcript import Link, Transcript
from longwire.core.rules.turn import Turn
from longwire.dialects.codex.client import Client, client_of
from longwire.dialects.ports import Problem
from longwire.dialects.responses import recall, websocket_mode
from longwire.dialects.responses.answer import EventEncoder
from longwire.relay.turns.running import Relay, RunningTurn
from longwire.server.auth import Keys, chosen_subprotocol
from longwire.server.data.client_socket import ClientSocket, SocketLimits
from longwire.server.data.turns import NO_TERMINAL
from longwire.server.health import Readiness
from longwire.server.problems import problem_of, report, request_id

_CONTINUABLE = (Kind.COMPLETED, Kind.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class SocketContext:
    """What the WebSockets of all clients share."""

    relay: Relay
    keys: Keys
    readiness: Readiness


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Who a client is by its request for the upgrade; `headers` have names in lower case.

    `subprotocol` is the one to agree on, of those that it offers.
    """

    headers: Mapping[str, str]
    client: Client
    request_id: str
    subprotocol: str | None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Upgrade":
        """Return what the headers of such a request say."""
        return cls(headers, client_of(headers), request_id(headers), chosen_subprotocol(headers))


@dataclass(slots=True, eq=False)
class LaneTurn:
    """One `response.create` on its lane, and what was answered so far.

    `cancellation` is a timeout that never passes, unless the client cancels the turn.
    """

    turn: Turn
    lane: str | None
    request_id: str
    cancellation: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    encoder: EventEncoder | None = None
    aggregate: Aggregate = field(default_factory=Aggregate)
    has_ended: bool = False

    @property
    def response_id(self) -> str | None:
        """The id of the response under way, once the client may know it."""
        opening = self.aggregate.opening
        return opening.response_id if opening is not None else None

    @property
    def is_cancelled(self) -> bool:
        """Whether the client has cancelled it."""
        return self.cancellation.expired()

    def cancel(self) -> None:
        """Cancel it: what is under way raises `TimeoutError`."""
        self.cancellation.reschedule(asyncio.get_running_loop().time())

    def begin(self, answer: RunningTurn) -> EventEncoder:
        """Note that the answer begins; return what encodes its events."""
        self.aggregate = answer.aggregate
        self.encoder = self._new_encoder()
        return self.encoder

    def keep_alive(self) -> bytes:
        """Return an event that only bridges silence."""
        encoder = self.encoder or self._new_encoder()
        return websocket_mode.on_lane(encoder.keep_alive(), self.lane)

    def failure(self, problem: Problem) -> bytes:
        """Return what ends it: an error, or where events were sent already, a failed response."""
        if self.encoder is None:
            return error_event(problem, self.lane)
        failed = self.encoder.failure(problem.code, problem.message)
        return websocket_mode.on_lane(failed, self.lane)

    def _new_encoder(self) -> EventEncoder:
        return EventEncoder(self.turn.source.previous_response_id, self.aggregate)


@dataclass(slots=True, eq=False)
class LaneTurns:
    """The turns of one connection, each in a task of `tasks`; `on_end` is called after each."""

    context: SocketContext
    limits: SocketLimits
    upgrade: Upgrade
    socket: ClientSocket
    tasks: asyncio.TaskGroup
    on_end: Callable[[], None]
    _lanes: Lanes[LaneTurn] = field(init=False)
    _transcript: Transcript = field(init=False)
    _running: set[LaneTurn] = field(default_factory=set)
    _count: int = 0

    def __post_init__(self) -> None:
        """Begin without any."""
        self._lanes = Lanes(self.limits.lanes)
        self._transcript = Transcript(self.limits.history)

    @property
    def are_idle(self) -> bool:
        """Whether no turn runs or waits."""
        return self._lanes.is_idle

    def start(self, turn: Turn, lane: str | None, size: int) -> None:
        """Take a turn of `size` bytes; it runs now, or when its lane is free.

        Raises `InvalidRequest` for one lane too many, `LimitReached` where too much waits.
        """
        self._count += 1
        lane_turn = LaneTurn(turn, lane, f"{self.upgrade.request_id}-{self._count}")
        if self._lanes.admit(lane, lane_turn, size):
            self.tasks.create_task(self._run(lane_turn))

    def cancel(self, response_id: str | None, lane: str | None) -> None:
        """End the turn of a response, or without one that of a lane. Raises `InvalidRequest`."""
        for each in self._running:
            is_meant = each.lane == lane if response_id is None else each.response_id == response_id
            if is_meant and not each.is_cancelled:
                each.cancel()
                return
        raise InvalidRequest(
            "No such response is under way on this connection.",
            code="response_not_found",
            param="response_id",
        )

    async def _run(self, lane_turn: LaneTurn) -> None:
        """Answer a turn, and then what has waited for that."""
        await self._answer(lane_turn)
        following = self._lanes.finish(lane_turn.lane)
        if following is not None:
            self.tasks.create_task(self._run(following))
        self.on_end()

    async def _answer(self, lane_turn: LaneTurn) -> None:
        """Answer one turn; however it fails, the client gets to know."""
        try:
            async with self._under_way(lane_turn):
                with self.context.readiness:
                    await self._relay(lane_turn)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            is_cancelled = isinstance(error, TimeoutError) and lane_turn.is_cancelled
            await self._fail(lane_turn, _cancelled() if is_cancelled else error)

    @asynccontextmanager
    async def _under_way(self, lane_turn: LaneTurn) -> AsyncIterator[None]:
        """Let the client cancel what is inside; that raises `TimeoutError`."""
        async with lane_turn.cancellation:
            self._running.add(lane_turn)
            try:
                yield
            finally:
                self._running.discard(lane_turn)

    async def _relay(self, lane_turn: LaneTurn) -> None:
        headers, relay = self.upgrade.headers, self.context.relay
        caller = self.context.keys.authenticate(headers)
        parent = self._transcript.find(lane_turn.turn.previous_response_id)
        if parent is not None and lane_turn.turn.conversation is None:
            lane_turn.turn = recall.with_history(lane_turn.turn, parent)
        with self._bridging(lane_turn) as stop_bridging:
            running = relay.open(lane_turn.turn, caller, headers, lane_turn.request_id)
            async with running as answer:
                stop_bridging()
                await self._stream(lane_turn, answer, parent)

    @contextmanager
    def _bridging(self, lane_turn: LaneTurn) -> Iterator[Callable[[], object]]:
        """Bridge the silence before the first event, where a client needs it; give what ends it."""
        if not self.upgrade.client.bridges_silence:
            yield lambda: None
            return
        bridge = self.tasks.create_task(self._bridge(lane_turn))
        try:
            yield bridge.cancel
        finally:
            bridge.cancel()

    async def _bridge(self, lane_turn: LaneTurn) -> None:
        while True:
            await asyncio.sleep(self.limits.silence)
            await self.socket.write([lane_turn.keep_alive()])

    async def _stream(self, lane_turn: LaneTurn, answer: RunningTurn, parent: Link | None) -> None:
        """Send the events as they come; what they add to the transcript is kept before the end."""
        client, encoder = self.upgrade.client, lane_turn.begin(answer)
        async for batch in answer:
            if not batch:
                if client.bridges_silence:
                    await self.socket.write([lane_turn.keep_alive()])
                continue
            terminal = answer.aggregate.terminal
            if terminal is not None and terminal.kind in _CONTINUABLE:
                self._keep(lane_turn, parent)
            try:
                await self.socket.write(
                    websocket_mode.event_frame(encoder, each, lane_turn.lane)
                    for each in client.events(batch)
                )
            except asyncio.CancelledError:
                encoder.take_back()
                raise
            lane_turn.has_ended = batch[-1] is terminal
        if not lane_turn.has_ended:
            raise UpstreamDisconnected(NO_TERMINAL)

    def _keep(self, lane_turn: LaneTurn, parent: Link | None) -> None:
        link = recall.link_of(lane_turn.turn, lane_turn.aggregate, parent)
        if link is not None:
            self._transcript.keep(link)

    async def _fail(self, lane_turn: LaneTurn, error: Exception) -> None:
        if isinstance(error, UpstreamRejected):
            error.headers = self.upgrade.client.error_headers(error.headers)
        problem = problem_of(error)
        report(problem, error, lane_turn.request_id)
        if not lane_turn.has_ended:
            lane_turn.has_ended = True
            await self.socket.write([lane_turn.failure(problem)])


def error_event(problem: Problem, lane: str | None) -> bytes:
    """Return an error as an event of a lane."""
    frame = websocket_mode.error_frame(problem.status, problem.envelope(), problem.headers)
    return websocket_mode.on_lane(frame, lane)


def _cancelled() -> InvalidRequest:
    return InvalidRequest("The client cancelled this response.", code="response_cancelled")
