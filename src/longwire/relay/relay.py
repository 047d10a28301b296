"""The journey of one turn: who may serve it, where it is sent, what comes back.

Law: a caller sees an answer begin only after the upstream's first event; until then a failure is
either made good or an exception with its own status. The loop in `_first_answer` is the only one.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from longwire.core.aggregate import Aggregate
from longwire.core.continuity import Reason
from longwire.core.errors import (
    FrameTooLarge,
    InvalidRequest,
    LimitReached,
    Overloaded,
    UnknownModel,
    UpstreamDisconnected,
    UpstreamError,
)
from longwire.core.events import Event, Kind
from longwire.core.limits import Spent, Subject
from longwire.core.recovery import Trouble
from longwire.core.routing import Choice, Route, choose, order
from longwire.core.session import fingerprint, forwarded, session_id
from longwire.core.turn import Principal, SessionKey, Turn
from longwire.dialects.responses import renamed
from longwire.relay.accounting import Accounting, Record
from longwire.relay.channel import Channel, Snapshot
from longwire.relay.journey import Attempt, Journey
from longwire.relay.limits import Limits, LocalLimits
from longwire.upstream.transport import Call, Facts, Pass, Stream

_REMEMBERED_SESSIONS = 4096
Price = Callable[..., int | None]
"""What tokens cost by the first of the models, in billionths of a US dollar, None if unknown."""

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Policy:
    """How turns travel, as set, and what the pool tells of a session and its turn.

    `holds`: a connection may serve it; `continues`: an idle one holds its history. `price` gives
    what tokens of the first model that has a price cost, in billionths of a US dollar.
    """

    holds: Callable[[SessionKey, Turn], bool]
    replays_after_created: bool = False
    clock: Callable[[], float] = time.monotonic
    continues: Callable[[SessionKey, Turn], bool] = lambda _key, _turn: False
    price: Price = lambda *_: None


@dataclass(frozen=True, slots=True)
class Passage:
    """What stays the same over all attempts of a turn."""

    turn: Turn
    caller: Principal
    session: str
    headers: Mapping[str, str]

    def key(self, channel: Channel) -> SessionKey | None:
        """Return the key under which this turn may share connections of a channel."""
        if self.caller.scope is None:
            return None
        identity = fingerprint(self.headers.items())
        return SessionKey(channel.endpoint, self.caller.scope, self.session, identity)

    def sent(self, channel: Channel) -> Turn:
        """Return the turn as a channel sends it."""
        return renamed(self.turn, channel.renames)

    @property
    def conversation(self) -> tuple[str | None, str]:
        """Return what stays the same from turn to turn, whatever channel serves it."""
        return self.caller.scope, self.session or self.turn.history.opening


class Answer:
    """The answer to one turn: iterate it once for batches of events, up to the terminal.

    An empty batch tells of silence. `limits` are headers that tell what the caller has left;
    `seats` are the places that its turn takes among those of its key and its channel.
    """

    __slots__ = ("_batches", "_first", "_stream", "channel", "facts", "limits", "seats")

    def __init__(
        self,
        channel: str,
        stream: Stream,
        first: Sequence[Event],
        batches: AsyncIterator[Sequence[Event]],
    ) -> None:
        self.channel = channel
        self.facts: Facts = stream.facts
        self.limits: Mapping[str, str] = {}
        self.seats: list[AsyncExitStack] = []
        self._stream = stream
        self._first: Sequence[Event] | None = first
        self._batches = batches

    @property
    def aggregate(self) -> Aggregate:
        """What was seen of the response so far."""
        return self._stream.aggregate

    def pass_on(self, take: Pass) -> None:
        """Offer events to `take` as they arrive; see `transport.Stream`."""
        self._stream.pass_on(take)

    def __aiter__(self) -> "Answer":
        """Give the events as they come."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch. Raises `UpstreamError` where the response broke off.

        The places that its turn took are free before its terminal is handed on: some clients send
        the next turn the instant they have read it.
        """
        first, self._first = self._first, None
        batch = await anext(self._batches) if first is None else first
        if self.aggregate.terminal is not None:
            for seat in self.seats:
                await seat.aclose()
        return batch


class Relay:
    """Sends turns upstream by the current snapshot; replacing `snapshot` is the whole swap."""

    def __init__(
        self,
        snapshot: Snapshot,
        policy: Policy,
        accounting: Accounting,
        limits: Limits | None = None,
    ) -> None:
        self.snapshot = snapshot
        self._limits = limits or LocalLimits()
        self._policy = policy
        self._accounting = accounting
        self._over_http: OrderedDict[SessionKey, None] = OrderedDict()
        self._served_by: OrderedDict[tuple[str | None, str], str] = OrderedDict()

    @asynccontextmanager
    async def open(
        self, turn: Turn, caller: Principal, headers: Mapping[str, str], request_id: str = ""
    ) -> AsyncIterator[Answer]:
        """Send a turn; `headers` are the caller's, lower case. Leaving early abandons the answer.

        Raises `UnknownModel`, `InvalidRequest`, `Overloaded` or `UpstreamError` before any event.
        """
        snapshot = self.snapshot
        session = session_id(headers, turn.session_hints, snapshot.session_headers)
        passage = Passage(turn, caller, session, forwarded(headers))
        named = {"session": session, "request_id": request_id}
        with self._accounting.record(turn, caller, **named) as record:
            async with AsyncExitStack() as seat, AsyncExitStack() as stack:
                limits = await self._enter(seat, _subject_of(caller), record)
                journey = await self._journey(snapshot, passage)
                answer = await self._first_answer(journey, passage, stack, record)
                answer.limits = limits
                answer.seats.append(seat)
                yield answer

    async def _journey(self, snapshot: Snapshot, passage: Passage) -> Journey:
        channels = await self._channels(snapshot, passage)
        return Journey(
            passage.turn,
            channels,
            holds=lambda channel: self._continues(channel, passage),
            prefers_http=self._preference(passage, channels[0]),
            may_resend_begun=self._policy.replays_after_created,
        )

    async def _channels(self, snapshot: Snapshot, passage: Passage) -> Sequence[Channel]:
        turn, grant = passage.turn, passage.caller.grant
        if not grant.allows_model(turn.model):
            raise UnknownModel(turn.model, "this key may not use it")
        routes = (channel.route for channel in snapshot.channels.values())
        choice = choose(routes, turn.model, grant.allows_channel)
        if not choice.candidates:
            raise UnknownModel(turn.model, choice.explanation)
        choice = await self._within_limits(snapshot, choice)
        able = [snapshot.channels[name] for name in self._order(snapshot, choice, passage)]
        if turn.runs_in_background:
            able = [channel for channel in able if channel.http is not None]
        if not able:
            msg = "'background' needs an HTTP upstream; the channels of this model speak WebSocket."
            raise InvalidRequest(msg, param="background")
        return able

    async def _within_limits(self, snapshot: Snapshot, choice: Choice) -> Choice:
        """Leave out the channels that may take no turn now. Raises `LimitReached` for all."""
        waits: list[int] = []
        free: list[Route] = []
        for route in choice.candidates:
            subject = snapshot.channels[route.channel].subject
            seconds = await self._limits.wait(subject) if subject.is_limited else 0
            if seconds:
                waits.append(seconds)
            else:
                free.append(route)
        if not free:
            msg = "Every channel of this model is at its limit; try again later."
            raise LimitReached(msg, code="rate_limit_exceeded", retry_after=min(waits))
        return Choice(tuple(free), choice.refusals) if waits else choice

    async def _enter(
        self, stack: AsyncExitStack, subject: Subject, record: Record
    ) -> Mapping[str, str]:
        """Count a turn against limits until the stack ends. Raises `LimitReached`."""
        if not subject.is_limited:
            return {}
        headers = await self._limits.enter(subject)
        stack.push_async_callback(self._leave, subject, record)
        return headers

    async def _leave(self, subject: Subject, record: Record) -> None:
        usage = record.usage
        if usage is None:
            await self._limits.leave(subject, Spent())
            return
        cost = self._policy.price(usage, record.bill.model, record.turn.model) or 0
        await self._limits.leave(subject, Spent(usage.input + usage.output, cost))

    def _order(self, snapshot: Snapshot, choice: Choice, passage: Passage) -> Sequence[str]:
        """Order the candidates; a turn that only one account understands waits for no other."""
        if len(choice.candidates) == 1:
            return [choice.candidates[0].channel]
        now, moves = self._policy.clock(), passage.turn.is_self_contained
        return order(
            choice.candidates,
            passage.conversation[1],
            holds=lambda name: self._holds(snapshot.channels[name], passage),
            is_trusted=lambda name: not moves or snapshot.channels[name].health.is_trusted(now),
        )

    def _holds(self, channel: Channel, passage: Passage) -> bool:
        """Say whether a turn belongs to a channel, wherever its session has its home.

        A named session has its home anyway, unless what the turn carries came from elsewhere;
        without a name the chain itself says where.
        """
        if not passage.turn.is_self_contained:
            last = self._served_by.get(passage.conversation)
            if last is not None and not passage.turn.refers_outside:
                return channel.id == last
        elif passage.session:
            return False
        key = passage.key(channel)
        return key is not None and self._policy.holds(key, passage.sent(channel))

    def _continues(self, channel: Channel, passage: Passage) -> bool:
        key = passage.key(channel)
        return key is not None and self._policy.continues(key, passage.sent(channel))

    def _preference(self, passage: Passage, channel: Channel) -> Reason | None:
        """Say why a channel with both transports should use HTTP, if it should."""
        if channel.websocket is None or channel.http is None:
            return None
        turn, key = passage.turn, passage.key(channel)
        if turn.runs_in_background or key in self._over_http:
            return Reason.HTTP_TRANSPORT
        is_implicit = key is None or key.is_implicit
        if is_implicit and turn.is_one_shot:
            return Reason.ONE_SHOT
        return None

    async def _first_answer(
        self, journey: Journey, passage: Passage, stack: AsyncExitStack, record: Record
    ) -> Answer:
        while True:
            attempt = journey.attempt(self._policy.clock())
            record.channel, record.channel_id = attempt.channel.name, attempt.channel.id
            try:
                answer = await self._try(attempt, passage, stack, record)
            except (UpstreamError, Overloaded, FrameTooLarge) as failure:
                trouble = journey.fail(attempt, failure, self._policy.clock())
                self._note(attempt, passage, trouble)
                self._accounting.replayed(record, trouble)
            else:
                attempt.succeed()
                self._seat(passage, attempt.channel)
                record.began(answer.facts, answer.aggregate, self._policy.clock())
                return answer

    async def _try(
        self, attempt: Attempt, passage: Passage, stack: AsyncExitStack, record: Record
    ) -> Answer:
        channel = attempt.channel
        transport = channel.http if attempt.over_http else channel.websocket
        if transport is None:
            msg = f"Channel '{channel.name}' has no such transport."
            raise UpstreamDisconnected(msg)
        attempt.begin(self._policy.clock())
        call = Call(passage.sent(channel), passage.key(channel), passage.headers, attempt.reason)
        async with AsyncExitStack() as own:
            seat = await own.enter_async_context(AsyncExitStack())
            await self._enter(seat, channel.subject, record)
            stream = await own.enter_async_context(transport.open(call))
            batches = aiter(stream)
            first = await self._first_events(batches)
            stack.push_async_exit(own.pop_all())
            answer = Answer(channel.name, stream, first, batches)
            answer.seats.append(seat)
            return answer

    async def _first_events(self, batches: AsyncIterator[Sequence[Event]]) -> Sequence[Event]:
        """Wait for the first events; where begun responses may be replayed, for output."""
        held: list[Event] = []
        async for batch in batches:
            held += batch
            if held and not self._policy.replays_after_created:
                return held
            if any(event.kind is not Kind.OPENING for event in held):
                return held
        msg = "The upstream ended the response before it began."
        raise UpstreamDisconnected(msg)

    def _seat(self, passage: Passage, channel: Channel) -> None:
        """Remember who answered: what later turns carry of the answer, it alone may understand."""
        if len(self.snapshot.channels) > 1:
            _remember(self._served_by, passage.conversation, channel.id)

    def _note(self, attempt: Attempt, passage: Passage, trouble: Trouble) -> None:
        """Keep a session over HTTP whose context has outgrown the WebSocket's messages."""
        key = passage.key(attempt.channel)
        if trouble is Trouble.TOO_LARGE and key is not None and not key.is_implicit:
            _remember(self._over_http, key, None)


def _subject_of(caller: Principal) -> Subject:
    grant = caller.grant
    return Subject(f"key:{grant.key_id}", caller.name, grant.rates, grant.budgets)


def _remember(memory: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    """Keep what is newest, of a bounded number of sessions."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED_SESSIONS:
        memory.popitem(last=False)
