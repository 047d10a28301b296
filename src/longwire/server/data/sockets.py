"""One client's WebSocket: its messages in, the events of its turns out, lane by lane.

Law: an error ends its request, not the connection; every error says its status. What the client
names is recalled, so that no connection upstream is needed for longer than a turn.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Send

from longwire.core.errors import InvalidRequest, UpstreamDisconnected, UpstreamRejected
from longwire.core.events import Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.lanes import LaneLimits, Lanes
from longwire.core.rules.transcript import Link, Transcript
from longwire.core.rules.turn import Turn
from longwire.dialects.codex.client import client_of
from longwire.dialects.raw_json import decode_members, text_of
from longwire.dialects.responses import recall, websocket_mode
from longwire.dialects.responses.answer import EventEncoder
from longwire.relay.turns.running import Relay, RunningTurn
from longwire.server.auth import Keys
from longwire.server.data.turns import NO_TERMINAL
from longwire.server.health import Readiness
from longwire.server.problems import Problem, problem_of, report, request_id

_GOING_AWAY, _NO_BINARY = 1001, 1003
_CLOSE_TIMEOUT = 1.0
_CONTINUABLE = (Kind.COMPLETED, Kind.INCOMPLETE)
_REFUSED = {
    "response.steer": websocket_mode.steer_failed,
    "response.inject": websocket_mode.inject_failed,
    "response.interrupt": websocket_mode.interrupt_rejected,
}


class ClientGone(Exception):
    """The client closed its connection while somebody still worked for it."""


@dataclass(frozen=True, slots=True)
class Services:
    """What stands behind every connection."""

    relay: Relay
    keys: Keys
    readiness: Readiness


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What holds for every connection: sizes in bytes, spans in seconds.

    `history` is what is kept of its conversations, `idle` how long it may rest, `silence` what
    Codex bears without an event, `stall` how long a client may take nothing of what it is sent.
    """

    lanes: LaneLimits = field(default_factory=LaneLimits)
    history: int = 32 * 1024 * 1024
    idle: float = 86_400.0
    silence: float = 15.0
    stall: float = 120.0


@dataclass(slots=True, eq=False)
class _Asked:
    """One `response.create`: what was asked on which lane, and what was answered so far.

    `until` is the time it may take: its client can end it.
    """

    turn: Turn
    lane: str | None
    number: int
    until: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    encoder: EventEncoder | None = None
    aggregate: Aggregate = field(default_factory=Aggregate)
    ends: bool = False

    @property
    def response_id(self) -> str | None:
        """The id of the response under way, once the client may know it."""
        opening = self.aggregate.opening
        return opening.response_id if opening is not None else None

    def begin(self, answer: RunningTurn) -> EventEncoder:
        """Note that the answer begins; return what encodes its events."""
        self.aggregate = answer.aggregate
        self.encoder = EventEncoder(self.turn.source.previous_response_id, self.aggregate)
        return self.encoder

    def keep_alive(self) -> bytes:
        """Return an event that only bridges silence."""
        encoder = self.encoder or EventEncoder(
            self.turn.source.previous_response_id, self.aggregate
        )
        return websocket_mode.on_lane(encoder.keep_alive(), self.lane)

    def failure(self, problem: Problem) -> bytes:
        """Return what ends it: an error, or where events were sent already, a failed response."""
        if self.encoder is None:
            return _error(problem, self.lane)
        failed = self.encoder.failure(problem.code, problem.message)
        return websocket_mode.on_lane(failed, self.lane)


class Downstream:
    """One connection from its upgrade to its end, with a task for each turn under way."""

    __slots__ = (
        "_asked",
        "_client",
        "_headers",
        "_lanes",
        "_leaves",
        "_limits",
        "_name",
        "_patience",
        "_receive",
        "_running",
        "_send",
        "_services",
        "_transcript",
        "_turns",
    )

    def __init__(
        self,
        services: Services,
        limits: SocketLimits,
        headers: Mapping[str, str],
        receive: Receive,
        send: Send,
    ) -> None:
        self._services = services
        self._limits = limits
        self._headers = headers
        self._name = request_id(headers)
        self._client = client_of(headers)
        self._receive = receive
        self._send = send
        self._lanes: Lanes[_Asked] = Lanes(limits.lanes)
        self._transcript = Transcript(limits.history)
        self._running: set[_Asked] = set()
        self._asked = 0
        self._leaves = False
        self._patience: asyncio.Timeout | None = None
        self._turns = asyncio.TaskGroup()

    async def serve(self) -> None:
        """Agree to the upgrade and serve until either side ends it."""
        name = (b"x-request-id", self._name.encode())
        try:
            with self._services.readiness.guest(self._leave):
                await self._deliver([{"type": "websocket.accept", "headers": [name]}])
                async with self._turns:
                    await self._listen()
        except* ClientGone:
            pass

    def _leave(self) -> None:
        """End as soon as no turn is under way."""
        self._leaves = True
        self._rest()

    def _rest(self) -> None:
        """Let the wait for the next message end in time, unless a turn is under way."""
        if self._patience is None or self._patience.expired():
            return
        if not self._lanes.is_idle:
            self._patience.reschedule(None)
            return
        seconds = 0.0 if self._leaves else self._limits.idle
        self._patience.reschedule(asyncio.get_running_loop().time() + seconds)

    async def _listen(self) -> None:
        try:
            async with asyncio.timeout(None) as self._patience:
                while True:
                    self._rest()
                    await self._take(await self._receive())
        except TimeoutError:
            reason = "the gateway is shutting down" if self._leaves else "idle for too long"
            await self._close(_GOING_AWAY, reason)
        finally:
            self._patience = None

    async def _take(self, message: Message) -> None:
        """Take one message; whatever is wrong with it is told."""
        text = message.get("text")
        if text is None:
            if message.get("bytes") is not None:
                await self._refuse(InvalidRequest("Send JSON in text messages, not binary."), None)
                await self._close(_NO_BINARY, "text messages only")
            raise ClientGone
        lane: str | None = None
        try:
            content = text.encode()
            members = decode_members(content)
            lane = websocket_mode.lane_of(members)
            await self._obey(members, lane, len(content))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            await self._refuse(error, lane)

    async def _obey(self, members: Mapping[str, bytes], lane: str | None, size: int) -> None:
        kind = text_of(members, "type")
        match kind:
            case "response.create":
                self._asked += 1
                asked = _Asked(websocket_mode.decode_create(members, size), lane, self._asked)
                if self._lanes.admit(lane, asked, size):
                    self._turns.create_task(self._run(asked))
            case "response.cancel":
                self._cancel(text_of(members, "response_id"), lane)
            case "response.steer" | "response.inject" | "response.interrupt":
                await self._write([websocket_mode.on_lane(_REFUSED[kind](members), lane)])
            case "response.processed":
                pass
            case _:
                told = f"'type' has the unknown value '{kind}'" if kind else "'type' is required"
                raise InvalidRequest(f"{told}; send 'response.create'.", param="type")

    def _cancel(self, response_id: str | None, lane: str | None) -> None:
        """End the turn of a response, or without one that of a lane. Raises `InvalidRequest`."""
        for asked in self._running:
            is_meant = (
                asked.lane == lane if response_id is None else asked.response_id == response_id
            )
            if is_meant and not asked.until.expired():
                asked.until.reschedule(asyncio.get_running_loop().time())
                return
        raise InvalidRequest(
            "No such response is under way on this connection.",
            code="response_not_found",
            param="response_id",
        )

    async def _run(self, asked: _Asked) -> None:
        """RunningTurn a request, and then what has waited for that."""
        await self._answer(asked)
        following = self._lanes.finish(asked.lane)
        if following is not None:
            self._turns.create_task(self._run(following))
        self._rest()

    async def _answer(self, asked: _Asked) -> None:
        """RunningTurn one request; however it fails, the client is told."""
        try:
            async with self._under_way(asked):
                with self._services.readiness:
                    await self._relay(asked)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            is_cancelled = isinstance(error, TimeoutError) and asked.until.expired()
            await self._fail(asked, _cancelled() if is_cancelled else error)

    @asynccontextmanager
    async def _under_way(self, asked: _Asked) -> AsyncIterator[None]:
        """Let the client end what is inside; that raises `TimeoutError`."""
        async with asked.until:
            self._running.add(asked)
            try:
                yield
            finally:
                self._running.discard(asked)

    async def _relay(self, asked: _Asked) -> None:
        caller = self._services.keys.authenticate(self._headers)
        parent = self._transcript.find(asked.turn.previous_response_id)
        if parent is not None and asked.turn.conversation is None:
            asked.turn = recall.with_history(asked.turn, parent)
        name = f"{self._name}-{asked.number}"
        with self._bridging(asked) as bridged:
            async with self._services.relay.open(asked.turn, caller, self._headers, name) as answer:
                bridged()
                await self._stream(asked, answer, parent)

    @contextmanager
    def _bridging(self, asked: _Asked) -> Iterator[Callable[[], object]]:
        """Send Codex something while it waits for the first event, until told or left."""
        if not self._client.bridges_silence:
            yield lambda: None
            return
        bridge = self._turns.create_task(self._bridge(asked))
        try:
            yield bridge.cancel
        finally:
            bridge.cancel()

    async def _bridge(self, asked: _Asked) -> None:
        while True:
            await asyncio.sleep(self._limits.silence)
            await self._write([asked.keep_alive()])

    async def _stream(self, asked: _Asked, answer: RunningTurn, parent: Link | None) -> None:
        """Send the events as they come; what they add to the transcript is kept before the end."""
        encoder = asked.begin(answer)
        async for batch in answer:
            if not batch:
                if self._client.bridges_silence:
                    await self._write([asked.keep_alive()])
                continue
            terminal = answer.aggregate.terminal
            if terminal is not None and terminal.kind in _CONTINUABLE:
                self._keep(asked, parent)
            events = self._client.events(batch)
            try:
                await self._write(
                    websocket_mode.event_frame(encoder, each, asked.lane) for each in events
                )
            except asyncio.CancelledError:
                encoder.take_back()
                raise
            asked.ends = batch[-1] is terminal
        if not asked.ends:
            raise UpstreamDisconnected(NO_TERMINAL)

    def _keep(self, asked: _Asked, parent: Link | None) -> None:
        link = recall.link_of(asked.turn, asked.aggregate, parent)
        if link is not None:
            self._transcript.keep(link)

    async def _fail(self, asked: _Asked, error: Exception) -> None:
        if isinstance(error, UpstreamRejected):
            error.headers = self._client.error_headers(error.headers)
        problem = problem_of(error)
        report(problem, error, f"{self._name}-{asked.number}")
        if not asked.ends:
            asked.ends = True
            await self._write([asked.failure(problem)])

    async def _refuse(self, error: Exception, lane: str | None) -> None:
        problem = problem_of(error)
        report(problem, error, self._name)
        await self._write([_error(problem, lane)])

    async def _write(self, events: Iterable[bytes]) -> None:
        """Send events as they are made, each as a message, and wait until the client keeps up."""
        texts = (event.decode("utf-8", "replace") for event in events)
        await self._deliver({"type": "websocket.send", "text": text} for text in texts)

    async def _close(self, code: int, reason: str) -> None:
        message = {"type": "websocket.close", "code": code, "reason": reason}
        await self._deliver([message], patience=_CLOSE_TIMEOUT)

    async def _deliver(self, messages: Iterable[Message], patience: float | None = None) -> None:
        """Hand messages to the server. Raises `ClientGone` where nobody takes them any more."""
        try:
            async with asyncio.timeout(patience or self._limits.stall):
                for message in messages:
                    await self._send(message)
        except (OSError, RuntimeError):
            # The latter is what the server says of a connection that it closed by itself.
            raise ClientGone from None


def _error(problem: Problem, lane: str | None) -> bytes:
    frame = websocket_mode.error_frame(problem.status, problem.envelope(), problem.headers)
    return websocket_mode.on_lane(frame, lane)


def _cancelled() -> InvalidRequest:
    return InvalidRequest("The client cancelled this response.", code="response_cancelled")
