"""One turn from its arrival to its end: who may serve it, its attempts, what comes back.

Law: a caller sees an answer begin only after the upstream's first event; until then a failure is
either made good or an exception with its own status. The loop in `_begin` is the only one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

from longwire.core.errors import (
    FrameTooLarge,
    LongwireError,
    Overloaded,
    UpstreamDisconnected,
    UpstreamError,
)
from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.limits import NOTHING, Spent, Subject
from longwire.core.rules.recovery import Recovery, Trouble
from longwire.relay.channels.channel import RoutingTable
from longwire.relay.limits import Limits
from longwire.relay.records.accounting import Accounting, TurnRecord
from longwire.relay.request import TurnRequest
from longwire.relay.turns.attempts import Attempt, Attempts
from longwire.relay.turns.candidates import Candidate, Candidates, Policy
from longwire.relay.turns.failures import answer_to, learn, trouble_of
from longwire.upstream.local import WarmUp
from longwire.upstream.ports import Call, Delivery, Stream, Take, Transport

_NOTICES = frozenset({Kind.VENDOR})
_EARLY = frozenset({Kind.VENDOR, Kind.OPENING})
_FAILURES = (UpstreamError, Overloaded, FrameTooLarge)


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What all turns of a process share."""

    routing: RoutingTable
    policy: Policy
    accounting: Accounting
    limits: Limits
    candidates: Candidates


class RunningTurn:
    """A turn while it runs: enter it, and iterate it once for the batches of its answer.

    An empty batch says that the upstream is silent. `limits` are headers that say what the caller
    has left. Leaving before the terminal abandons the answer; whatever way it is left, it is
    booked, and its permits are given back.
    """

    __slots__ = (
        "_batches",
        "_context",
        "_exits",
        "_first",
        "_permits",
        "_stream",
        "limits",
        "record",
        "request",
    )
    _batches: AsyncIterator[Sequence[Event]]
    _first: Sequence[Event] | None
    _stream: Stream

    def __init__(self, request: TurnRequest, context: TurnContext) -> None:
        self.request = request
        self.record = TurnRecord(request)
        self.limits: Mapping[str, str] = {}
        self._context = context
        self._exits = AsyncExitStack()
        self._permits: list[Subject] = []

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

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the upstream's answer, names in lower case."""
        return self._stream.headers

    async def __aenter__(self) -> Self:
        """Send the turn and wait for the beginning of its answer.

        Raises `UnknownModel`, `InvalidRequest`, `LimitReached`, `Overloaded` or `UpstreamError`.
        """
        try:
            self.limits = await self._enter(self.request.caller.subject)
            await self._begin()
        except BaseException as error:
            await self._end(error)
            raise
        return self

    async def __aexit__(self, _kind: object, failure: BaseException | None, _trace: object) -> None:
        """End the turn."""
        await self._end(failure)

    def pass_on(self, take: Take) -> None:
        """Offer events to `take` as they arrive; see `upstream.ports.Stream`."""
        self._stream.pass_on(take)

    def __aiter__(self) -> "RunningTurn":
        """Give the events as they come."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch. Raises `UpstreamError` where the response broke off.

        Permits are free before the terminal is handed on: some clients send the next turn the
        instant they have read it.
        """
        first, self._first = self._first, None
        batch = await anext(self._batches) if first is None else first
        if self._permits and self._stream.aggregate.terminal is not None:
            await self._leave()
        return batch

    async def _begin(self) -> None:
        """Try one channel and transport after the other until an answer begins."""
        policy, candidates = self._context.policy, self._context.candidates
        snapshot, turn = self._context.routing.snapshot, self.request.turn
        able = await candidates.choose(snapshot, self.request)
        attempts = Attempts(
            turn,
            able,
            holds=candidates.continues,
            prefers_http=candidates.preference(turn, able[0]),
            may_resend_begun=policy.replays_after_created,
        )
        while True:
            attempt = attempts.next(policy.clock())
            self.record.attempt(attempt.channel, attempt.transport)
            if attempt.over_http and turn.is_warm_up:
                # No channel is asked, so none gains trust.
                await self._open(attempt, WarmUp(), Call(turn, None))
                break
            try:
                await self._try(attempt)
            except _FAILURES as failure:
                await self._recover(attempts, attempt, failure)
            else:
                attempt.succeed()
                if len(snapshot.channels) > 1:
                    candidates.note_answer(self.request, attempt.channel)
                break
        self.record.begin(self.delivery, self.aggregate, self._context.accounting.clock())

    async def _try(self, attempt: Attempt) -> None:
        """Send the turn by an attempt, and wait for the beginning of its answer."""
        channel, candidate, request = attempt.channel, attempt.candidate, self.request
        transport = channel.http if attempt.over_http else channel.websocket
        if transport is None:
            msg = f"Channel '{channel.name}' has no such transport."
            raise UpstreamDisconnected(msg)
        call = channel.vendor.address(
            Call(candidate.turn, candidate.key, request.forwarded, attempt.reason),
            request.caller.scope,
            request.headers,
            over_http=attempt.over_http,
        )
        attempt.begin(self._context.policy.clock())
        await self._enter(channel.subject)
        await self._open(attempt, transport, call)

    async def _open(self, attempt: Attempt, transport: Transport, call: Call) -> None:
        """Send a call, and wait for the beginning of its answer."""
        stream = await self._exits.enter_async_context(transport.open(call))
        self.record.delivery = stream.delivery
        running = self._context.routing.snapshot.channels.values()
        self._stream = attempt.channel.vendor.observe(
            stream, self.request.caller.scope, (each.vendor for each in running)
        )
        self._batches = aiter(self._stream)
        self._first = await self._first_events()

    async def _first_events(self) -> Sequence[Event]:
        """Wait for the first events; where begun responses may be replayed, for output.

        A vendor's notice is no beginning: what fails behind it can be made good.
        """
        held: list[Event] = []
        is_early = _EARLY if self._context.policy.replays_after_created else _NOTICES
        async for batch in self._batches:
            held += batch
            for event in batch:
                if event.kind not in is_early:
                    return held
        msg = "The upstream ended the response before it began."
        raise UpstreamDisconnected(msg)

    async def _recover(self, attempts: Attempts, attempt: Attempt, failure: LongwireError) -> None:
        """Leave a failed attempt, so that another one can follow. Raises where none does."""
        policy, turn, candidate = self._context.policy, self.request.turn, attempt.candidate
        await self._exits.aclose()
        await self._leave(kept=self._own_permits)
        learn(candidate, failure, policy.wall_clock())
        trouble = trouble_of(failure, turn, has_account=attempt.channel.account is not None)
        recovery = attempts.fail(attempt, trouble, failure, policy.clock())
        is_replayed, now = recovery is not Recovery.GIVE_UP, self._context.accounting.clock()
        self.record.fail(trouble, failure, now, is_replayed=is_replayed)
        if not is_replayed:
            raise self._answer_to(failure, candidate)
        if trouble is Trouble.TOO_LARGE:
            self._context.candidates.keep_over_http(candidate)

    def _answer_to(self, failure: LongwireError, candidate: Candidate) -> LongwireError:
        """Return what the client is answered: of a limit, when the first account is back."""
        context, others = self._context, [candidate]
        if self.request.turn.is_self_contained:
            others += context.candidates.serving(context.routing.snapshot, self.request)
        return answer_to(failure, others, context.policy.wall_clock())

    async def _enter(self, subject: Subject) -> Mapping[str, str]:
        """Take a permit, which counts the turn against limits. Raises `LimitReached`."""
        if not subject.is_limited:
            return {}
        headers = await self._context.limits.enter(subject)
        self._permits.append(subject)
        return headers

    async def _leave(self, kept: int = 0) -> None:
        """Give permits back with what the turn cost, all but the first ones that are `kept`."""
        while len(self._permits) > kept:
            await self._context.limits.leave(self._permits.pop(), self._spent())

    @property
    def _own_permits(self) -> int:
        """How many permits are those of the caller, whatever channel serves."""
        return int(self.request.caller.subject.is_limited)

    def _spent(self) -> Spent:
        bill = self.record.settle()
        usage = bill.usage
        if usage is None:
            return NOTHING
        price = self._context.policy.price
        cost = price(usage, bill.model, self.request.turn.model) or 0
        return Spent(usage.input + usage.output, cost)

    async def _end(self, failure: BaseException | None) -> None:
        """Leave the stream and give back permits, and book the turn whatever comes of that."""
        try:
            await self._exits.aclose()
        finally:
            try:
                await self._leave()
            finally:
                self._context.accounting.book(self.record, failure)
