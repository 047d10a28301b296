"""One turn from its arrival to its end: who may serve it, its attempts, what comes back.

Law: a caller sees an answer begin with its first output, or where the upstream falls silent behind
its opening; until then a failure is either made good or an exception with its own status. The loop
in `_begin` is the only one.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from longwire.core.errors import (
    FrameTooLarge,
    LongwireError,
    Overloaded,
    ReplaySafety,
    Unsayable,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
)
from longwire.core.events import Event, Kind
from longwire.core.ports import Limits
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.limits import NOTHING, UNBOUND, Permit, Spent, Subject
from longwire.core.rules.recovery import Recovery, Trouble
from longwire.core.rules.routing import IN_SESSION
from longwire.core.rules.session import fingerprint, forwarded, session_id
from longwire.core.rules.spending import bound_by
from longwire.core.rules.turn import Principal, Purpose, Turn, TurnRequest
from longwire.relay.channels.channel import Channel, RoutingTable
from longwire.relay.channels.vendors.ports import Vendor
from longwire.relay.records.accounting import Accounting, TurnRecord
from longwire.relay.records.tracing import Tracing
from longwire.relay.turns.attempts import Attempt, Attempts
from longwire.relay.turns.candidates import Candidates, Policy
from longwire.relay.turns.failures import (
    Left,
    answer_of,
    classify,
    learn,
    without_credentials,
    worth_more,
)
from longwire.relay.turns.limited import expected_spending
from longwire.upstream.local import WarmUp
from longwire.upstream.ports import Call, Delivery, FastPath, Stream, Transport

_BEFORE_OUTPUT = frozenset({Kind.VENDOR, Kind.OPENING})
_COUNT = Purpose.COUNT  # for every turn: on Python 3.11 a member is dear to name
_FAILURES = (UpstreamError, Overloaded, FrameTooLarge, Unsayable)


@dataclass
class Relay:
    """Sends turns upstream, each over the channels that run when it begins."""

    routing: RoutingTable
    policy: Policy
    accounting: Accounting
    limits: Limits
    candidates: Candidates
    tracing: Tracing | None = None

    def open(
        self, turn: Turn, caller: Principal, headers: Mapping[str, str], request_id: str = ""
    ) -> "RunningTurn":
        """Return a turn to be entered; `headers` are the caller's, with names in lower case."""
        extra = self.routing.snapshot.session_headers
        upstream = forwarded(headers)
        request = TurnRequest(
            turn,
            caller,
            session_id(headers, turn.session_hints, extra),
            request_id,
            headers,
            self.accounting.clock(),
            upstream,
            fingerprint(upstream.items()),
        )
        return RunningTurn(request, self)


class RunningTurn:
    """A turn while it runs: enter it, and iterate it once for the batches of its answer.

    An empty batch says that the upstream is silent. `limits` are headers that say what the caller
    has left, `headers` those of the upstream that its own clients understand. Leaving before the
    terminal abandons the answer; whatever way it is left, it is booked, and permits are given back.
    """

    __slots__ = (
        "_batches",
        "_channel",
        "_exits",
        "_first",
        "_has_broken",
        "_has_items",
        "_left",
        "_own_permits",
        "_permits",
        "_relay",
        "_sent",
        "_stream",
        "_vendor",
        "headers",
        "limits",
        "record",
        "request",
    )
    _batches: AsyncIterator[Sequence[Event]]
    _channel: Channel
    _first: Sequence[Event] | None
    _stream: Stream
    _vendor: Vendor

    def __init__(self, request: TurnRequest, relay: Relay) -> None:
        self.request = request
        self.record = TurnRecord(request)
        self.limits: Mapping[str, str] = {}
        self.headers: dict[str, str] = {}
        self._relay = relay
        self._exits = AsyncExitStack()
        self._permits: list[Permit] = []
        self._own_permits = 0
        self._sent: dict[str, Turn] = {}
        self._left: Left | None = None
        self._has_broken = False

    @property
    def channel(self) -> str:
        """The name of the channel that answers."""
        return self.record.channel

    @property
    def aggregate(self) -> Aggregate:
        """What was seen of the response so far."""
        return self._stream.aggregate

    @property
    def delivery(self) -> Delivery:
        """How the turn travels."""
        return self._stream.delivery

    async def __aenter__(self) -> Self:
        """Send the turn and wait for the beginning of its answer.

        Raises `UnknownModel`, `InvalidRequest`, `LimitReached`, `Overloaded` or `UpstreamError`.
        """
        try:
            caller = self.request.caller
            self.limits = await self._enter(caller.subject)
            if budgets := self._relay.routing.snapshot.budgets:
                for subject in bound_by(budgets, caller.grant):
                    await self._enter(subject)
            self._own_permits = len(self._permits)
            await self._begin()
        except BaseException as error:
            await self._end(error)
            raise
        return self

    async def __aexit__(self, _kind: object, failure: BaseException | None, _trace: object) -> None:
        """End the turn."""
        await self._end(failure)

    def set_fast_path(self, fast_path: FastPath) -> None:
        """Offer events to a fast path as they arrive; see `upstream.ports.Stream`.

        Those that it takes are in no batch of this turn; neither its vendor nor its record sees
        them. So they must be plain output, and the items among them go to the `aggregate`.
        """
        self._stream.set_fast_path(fast_path)

    def __aiter__(self) -> "RunningTurn":
        """Give the events as they come."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch. Raises `UpstreamError` where the response broke off.

        What the next turn needs is settled before the terminal is handed on: some send it at once.
        """
        batch, self._first = self._first, None
        if batch is None:
            try:
                batch = await self._next()
            except UpstreamRejected as failure:
                raise without_credentials(failure, self._channel) from None
        if self._stream.aggregate.terminal is not None:
            await self._settle()
        return batch

    async def _settle(self) -> None:
        """Note what the whole answer says: who holds its items, and what it cost."""
        if self.request.turn.is_stored and len(self._relay.routing.snapshot.channels) > 1:
            self._relay.candidates.note_items(self.request, self._channel, self.aggregate)
        if self._permits:
            self._leave()

    async def _next(self) -> Sequence[Event]:
        """Return the next batch as it came, but for notices of the upstream's own."""
        batch = await anext(self._batches)
        if not self._vendor.sends_notices or all(event.kind is not Kind.VENDOR for event in batch):
            return batch
        return [self._noticed(each) if each.kind is Kind.VENDOR else each for each in batch]

    def _noticed(self, event: Event) -> Event:
        notice = self._vendor.observe(event, self.request.caller.scope, self._running())
        self.headers |= notice.headers
        return notice.event

    def _running(self) -> Iterator[Vendor]:
        """Give the vendors of all channels that run."""
        return (each.vendor for each in self._relay.routing.snapshot.channels.values())

    def sent(self, channel: Channel) -> Turn:
        """Return the turn as a channel sends it, adapted once for all its accounts."""
        if (turn := self._sent.get(channel.chosen.place)) is None:
            candidates, turn = self._relay.candidates, channel.adapt(self.request.turn)
            if candidates.unreadable.ends:
                turn = candidates.unreadable.left_out(self.request, turn)
            if channel.way is not IN_SESSION:
                turn = candidates.strangers.left_out(self.request, channel, turn)
            self._sent[channel.chosen.place] = turn
        return turn

    async def _begin(self) -> None:
        """Try one channel and transport after the other until an answer begins."""
        policy, candidates = self._relay.policy, self._relay.candidates
        snapshot, turn = self._relay.routing.snapshot, self.request.turn
        able = await candidates.choose(snapshot, self.request, self.sent, self.record)
        attempts = Attempts(
            turn,
            able,
            continues=lambda each: candidates.continues(each, self.sent(each.channel)),
            prefers_http=candidates.preference(turn, able[0]),
            may_resend_begun=policy.replays_after_created,
        )
        while True:
            attempt = attempts.next(policy.clock())
            self.record.attempt(attempt.channel, "http" if attempt.over_http else "websocket")
            if attempt.over_http and turn.purpose is Purpose.WARM_UP:
                # No channel answers it, so none gains trust.
                await self._open(attempt, WarmUp(), Call(turn, None))
                break
            try:
                await self._try(attempt, is_hurried=attempts.has_waited)
            except _FAILURES as failure:
                await self._recover(attempts, attempt, failure)
            else:
                if self._has_broken:
                    attempt.break_off(policy.clock())
                else:
                    attempt.succeed()
                if len(snapshot.channels) > 1:
                    candidates.note_home(self.request, attempt.channel, snapshot.shared_apis)
                if turn.is_stored:
                    candidates.note_response(self.request, attempt.channel, self.aggregate)
                break
        stream, now = self._stream, self._relay.accounting.clock()
        self.record.begin(stream.delivery, stream.aggregate, now)

    async def _try(self, attempt: Attempt, *, is_hurried: bool) -> None:
        """Send the turn by an attempt, and wait for the beginning of its answer."""
        candidate, request = attempt.candidate, self.request
        channel = candidate.channel
        call = channel.vendor.address(
            Call(
                self.sent(channel),
                candidate.session_key,
                request.forwarded,
                attempt.reason,
                is_hurried=is_hurried,
            ),
            request.caller.scope,
            request.headers,
            over_http=attempt.over_http,
        )
        call = channel.said(call, request.headers)
        if self._relay.tracing is not None and attempt.over_http:
            call = replace(call, trace=self._relay.tracing.onward(self.record))
        attempt.begin(self._relay.policy.clock())
        await self._enter(channel.subject)
        if budgets := self._relay.routing.snapshot.budgets:
            await self._enter(budgets.get(f"channel:{channel.id}", UNBOUND))
        self.record.way, self.record.dropped = channel.way, call.turn.source.dropped
        await self._open(attempt, attempt.transport, call)

    async def _open(self, attempt: Attempt, transport: Transport, call: Call) -> None:
        """Send a call, and wait for the beginning of its answer."""
        stream = await self._exits.enter_async_context(transport.open(call))
        self.record.delivery, self.record.aggregate = stream.delivery, stream.aggregate
        self._stream, self._channel = stream, attempt.channel
        self._vendor = attempt.channel.vendor
        begins = self._vendor.begin(stream, self.request.caller.scope, self._running())
        self.headers = dict(begins.headers)
        self._batches = aiter(stream)
        self._first = await self._first_events(list(begins.notices))

    async def _first_events(self, held: list[Event]) -> Sequence[Event]:
        """Wait for the first output, so that what fails before it can be made good.

        A response that has opened is handed on without output where the upstream breaks off, or is
        silent to a caller who streams: it may be under way. What may be replayed waits on.
        """
        may_replay, has_opened = self._relay.policy.replays_after_created, False
        waits_on = may_replay or not self.request.turn.streams
        while True:
            try:
                batch = await self._next()
            except StopAsyncIteration:
                msg = "The upstream ended the response before it began."
                raise UpstreamDisconnected(msg) from None
            except UpstreamError as failure:
                if has_opened and failure.safety is ReplaySafety.UNSAFE and not may_replay:
                    self._has_broken = True
                    return held
                raise
            held += batch
            for event in batch:
                if event.kind not in _BEFORE_OUTPUT:
                    return held
                has_opened = has_opened or event.kind is Kind.OPENING
            if has_opened and not batch and not waits_on:
                return held

    async def _recover(self, attempts: Attempts, attempt: Attempt, failure: LongwireError) -> None:
        """Leave a failed attempt, so that another one can follow. Raises where none does."""
        policy, turn, candidate = self._relay.policy, self.request.turn, attempt.candidate
        await self._exits.aclose()
        self._leave(kept=self._own_permits)
        learn(candidate, failure, policy.wall_clock())
        trouble = classify(failure, turn, has_account=attempt.channel.account is not None)
        recovery = attempts.fail(attempt, trouble, failure, policy.clock())
        is_replayed, now = recovery is not Recovery.GIVE_UP, self._relay.accounting.clock()
        self.record.fail(trouble, failure, now, is_replayed=is_replayed)
        left = worth_more(self._left, (trouble, failure, candidate))
        if not is_replayed:
            candidates, snapshot = self._relay.candidates, self._relay.routing.snapshot
            raise await answer_of(
                left, candidates, snapshot, self.request, self.record
            ) from failure
        if recovery is Recovery.NEXT_CHANNEL:
            self._left = left
        if trouble is Trouble.TOO_LARGE:
            self._relay.candidates.keep_over_http(candidate)
        if recovery is Recovery.LEAVE_OUT:
            self._relay.candidates.note_unreadable(self.request, attempt.channel)
            self._sent.clear()

    async def _enter(self, subject: Subject) -> Mapping[str, str]:
        """Take a permit, which counts the turn against limits. Raises `LimitReached`."""
        if not subject.is_limited or self.request.turn.purpose is _COUNT:
            return {}
        expected, relay = NOTHING, self._relay
        if subject.counts_tokens:
            price, names = relay.policy.price, relay.routing.snapshot.priced_as
            expected = expected_spending(subject, self.request.turn, price, names)
        permit = await relay.limits.enter(subject, expected)
        self._permits.append(permit)
        return permit.headers

    def _leave(self, kept: int = 0) -> None:
        """Give permits back with what the turn cost, all but the first ones that are `kept`."""
        if len(self._permits) > kept:
            spent = self.record.spent(self._relay.policy.price)
            while len(self._permits) > kept:
                self._relay.limits.leave(self._permits.pop(), spent)

    async def _end(self, failure: BaseException | None) -> None:
        """Leave the stream and give back permits, and book the turn whatever comes of that."""
        self.record.error, permits = failure, tuple(self._permits)
        try:
            await self._exits.aclose()
        finally:
            try:
                self._leave()
            finally:
                if failure is None or not self._is_drained(failure, permits):
                    self._relay.accounting.book(self.record, failure)

    def _is_drained(self, failure: BaseException, permits: Sequence[Permit]) -> bool:
        """Whether the rest is read without its client; the turn is booked when that is over."""
        if self.record.aggregate is None:
            return False
        estimate = self.record.spent(self._relay.policy.price)
        return self._stream.when_drained(partial(self._drained, failure, permits, estimate))

    def _drained(self, failure: BaseException, permits: Sequence[Permit], estimate: Spent) -> None:
        """Correct what limits have counted, and book the turn with what it really cost."""
        spent = self.record.spent(self._relay.policy.price)
        by = Spent(spent.tokens - estimate.tokens, spent.cost - estimate.cost)
        for permit in permits:
            self._relay.limits.correct(permit, by)
        self._relay.accounting.book(self.record, failure, is_drained=True)
