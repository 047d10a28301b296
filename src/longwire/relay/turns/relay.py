"""The journey of one turn: who may serve it, where it is sent, what comes back.

Law: a caller sees an answer begin only after the upstream's first event; until then a failure is
either made good or an exception with its own status. The loop in `_first_answer` is the only one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from longwire.core.errors import (
    FrameTooLarge,
    LongwireError,
    Overloaded,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
)
from longwire.core.events import Event, Kind
from longwire.core.rules.limits import NOTHING, Spent, Subject
from longwire.core.rules.recovery import Trouble
from longwire.core.rules.session import forwarded, session_id
from longwire.core.rules.turn import Principal, Turn
from longwire.dialects.codex.rules import MODELS_MARK, turn_state
from longwire.dialects.responses.errors import USAGE_LIMIT
from longwire.relay.channels.channel import Channel, RoutingTable, Snapshot
from longwire.relay.channels.vendors.codex import (
    CodexStream,
    TurnStates,
    addressed,
    observe_failure,
    with_state,
)
from longwire.relay.limits import Limits, LocalLimits
from longwire.relay.records.accounting import Accounting, Record
from longwire.relay.turns.answer import Answer, Permits
from longwire.relay.turns.attempts import Attempt, Attempts, learn, soonest
from longwire.relay.turns.candidates import Candidates
from longwire.relay.turns.running import Passage, Policy
from longwire.upstream.local import WarmUp
from longwire.upstream.ports import Call, Stream

Opened = AbstractAsyncContextManager[Stream]
_Begin = Callable[[Permits], Awaitable[Answer]]
_Settle = Callable[[Answer | None, Permits, BaseException | None], Awaitable[None]]

_NOTICES = frozenset({Kind.VENDOR})
_EARLY = frozenset({Kind.VENDOR, Kind.OPENING})


class _Opening:
    """The context of one turn; a class, as a generator costs a turn some calls more."""

    __slots__ = ("_answer", "_begin", "_permits", "_settle")

    def __init__(self, begin: _Begin, settle: _Settle) -> None:
        self._begin = begin
        self._settle = settle
        self._permits = Permits()

    async def __aenter__(self) -> Answer:
        try:
            answer = self._answer = await self._begin(self._permits)
        except BaseException as error:
            await self._settle(None, self._permits, error)
            raise
        return answer

    async def __aexit__(self, _kind: object, failure: BaseException | None, _trace: object) -> None:
        await self._settle(self._answer, self._permits, failure)


class Relay:
    """Sends turns upstream, each by the snapshot that the routing table has when it begins."""

    def __init__(
        self,
        routing: RoutingTable,
        policy: Policy,
        accounting: Accounting,
        limits: Limits | None = None,
    ) -> None:
        self._routing = routing
        self._limits = limits or LocalLimits()
        self._policy = policy
        self._accounting = accounting
        self._candidates = Candidates(policy, self._limits)
        self._states = TurnStates()

    def open(
        self, turn: Turn, caller: Principal, headers: Mapping[str, str], request_id: str = ""
    ) -> AbstractAsyncContextManager[Answer]:
        """Send a turn; `headers` are the caller's, lower case. Leaving early abandons the answer.

        Raises `UnknownModel`, `InvalidRequest`, `Overloaded` or `UpstreamError` before any event.
        """
        snapshot = self._routing.snapshot
        session = session_id(headers, turn.session_hints, snapshot.session_headers)
        passage = Passage(turn, caller, session, forwarded(headers), headers)
        record = self._accounting.begin(
            turn, caller, session=session, request_id=request_id, headers=headers
        )
        begin = partial(self._begin, snapshot, passage, record)
        return _Opening(begin, partial(self._settle, record))

    async def _begin(
        self, snapshot: Snapshot, passage: Passage, record: Record, permits: Permits
    ) -> Answer:
        limits = await self._enter(permits, passage.caller.subject, record)
        journey = await self._journey(snapshot, passage)
        answer = await self._first_answer(journey, passage, permits, record)
        answer.limits = limits
        return answer

    async def _settle(
        self, record: Record, answer: Answer | None, permits: Permits, failure: BaseException | None
    ) -> None:
        """End a turn: leave its stream and its places, and book it whatever comes of that."""
        try:
            if answer is not None:
                await answer.close(failure)
        finally:
            try:
                await permits.leave()
            finally:
                self._accounting.book(record, failure)

    async def _journey(self, snapshot: Snapshot, passage: Passage) -> Attempts:
        candidates = self._candidates
        channels = await candidates.channels(snapshot, passage)
        return Attempts(
            passage.turn,
            channels,
            holds=lambda channel: candidates.continues(channel, passage),
            prefers_http=candidates.preference(passage, channels[0]),
            may_resend_begun=self._policy.replays_after_created,
        )

    async def _enter(self, permits: Permits, subject: Subject, record: Record) -> Mapping[str, str]:
        """Count a turn against limits until its seats are left. Raises `LimitReached`."""
        if not subject.is_limited:
            return {}
        headers = await self._limits.enter(subject)
        permits.take(partial(self._leave, subject, record))
        return headers

    async def _leave(self, subject: Subject, record: Record) -> None:
        bill = record.settle()
        usage = bill.usage
        if usage is None:
            await self._limits.leave(subject, NOTHING)
            return
        cost = self._policy.price(usage, bill.model, record.turn.model) or 0
        await self._limits.leave(subject, Spent(usage.input + usage.output, cost))

    async def _first_answer(
        self, journey: Attempts, passage: Passage, permits: Permits, record: Record
    ) -> Answer:
        while True:
            attempt = journey.attempt(self._policy.clock())
            record.tries(attempt.channel, "http" if attempt.over_http else "websocket")
            if attempt.over_http and passage.turn.is_warm_up:
                return await self._warm_up(attempt, passage, permits, record)
            try:
                answer = await self._try(attempt, passage, permits, record)
            except (UpstreamError, Overloaded, FrameTooLarge) as failure:
                observe_failure(attempt.channel, failure)
                learn(attempt.channel, failure, self._policy.wall_clock())
                told, now = self._refusal(failure, attempt, passage), self._policy.clock()
                record.fails(journey.trouble(attempt, failure), failure, now)
                trouble = journey.fail(attempt, told, now)
                if trouble is Trouble.TOO_LARGE:
                    self._candidates.keep_over_http(passage, attempt.channel)
                self._accounting.replayed(record, trouble)
            else:
                attempt.succeed()
                if len(self._routing.snapshot.channels) > 1:
                    self._candidates.seat(passage, attempt.channel)
                record.began(answer.delivery, answer.aggregate, self._policy.clock())
                return answer

    def _refusal(self, failure: LongwireError, attempt: Attempt, passage: Passage) -> LongwireError:
        """Return what the caller is told of a failure: of a limit, when an account is back."""
        if not isinstance(failure, UpstreamRejected) or failure.code != USAGE_LIMIT:
            return failure
        channels, now = [attempt.channel], self._policy.wall_clock()
        if passage.turn.is_self_contained:
            choice = self._candidates.choice(self._routing.snapshot, passage)
            channels += [self._routing.snapshot.channels[route.id] for route in choice.candidates]
        return soonest(channels, now) or failure

    async def _try(
        self, attempt: Attempt, passage: Passage, permits: Permits, record: Record
    ) -> Answer:
        channel = attempt.channel
        transport = channel.http if attempt.over_http else channel.websocket
        if transport is None:
            msg = f"Channel '{channel.name}' has no such transport."
            raise UpstreamDisconnected(msg)
        call, taken = self._call(attempt, passage), permits.taken
        attempt.begin(self._policy.clock())
        await self._enter(permits, channel.subject, record)
        try:
            return await self._opened(channel, transport.open(call), passage, permits, record)
        except BaseException:
            await permits.leave(taken)
            raise

    async def _opened(
        self, channel: Channel, opened: Opened, passage: Passage, permits: Permits, record: Record
    ) -> Answer:
        """Send a turn and wait for the beginning of its answer, which leaves what is opened."""
        stream = await opened.__aenter__()
        try:
            record.delivery = stream.delivery
            heard = self._hear(channel, stream, passage) if channel.is_codex else None
            batches = heard or aiter(stream)
            first = await self._first_events(batches)
        except BaseException as error:
            await opened.__aexit__(type(error), error, error.__traceback__)
            raise
        answer = Answer(channel.name, stream, first, batches, opened, permits)
        if heard:
            answer.told = self._told(heard)
        return answer

    async def _warm_up(
        self, attempt: Attempt, passage: Passage, permits: Permits, record: Record
    ) -> Answer:
        """Answer a warm-up that would go over HTTP: no channel is asked, so none gains trust."""
        opened = WarmUp().open(Call(passage.turn, None))
        answer = await self._opened(attempt.channel, opened, passage, permits, record)
        record.began(answer.delivery, answer.aggregate, self._policy.clock())
        return answer

    def _call(self, attempt: Attempt, passage: Passage) -> Call:
        """Return what is sent for an attempt; a routing token goes where it came from alone."""
        channel, over_http = attempt.channel, attempt.over_http
        call = Call(passage.sent(channel), passage.key(channel), passage.headers, attempt.reason)
        call = addressed(channel, call, passage.given, over_http=over_http)
        token = turn_state(passage.turn, passage.given)
        if not token:
            return call
        is_own = self._states.is_of(passage.caller.scope, token, channel.key)
        return with_state(call, token if is_own else "", over_http=over_http)

    def _told(self, heard: CodexStream) -> Mapping[str, str]:
        """Return what Codex is told; of several lists, the mark of one upstream's means nothing."""
        if (
            len({each.id for each in self._routing.snapshot.channels.values() if each.is_codex})
            == 1
        ):
            return heard.told
        return {name: value for name, value in heard.told.items() if name != MODELS_MARK}

    def _hear(self, channel: Channel, stream: Stream, passage: Passage) -> CodexStream:
        scope = passage.caller.scope
        return CodexStream(
            channel, stream, lambda token: self._states.note(scope, token, channel.key)
        )

    async def _first_events(self, batches: AsyncIterator[Sequence[Event]]) -> Sequence[Event]:
        """Wait for the first events; where begun responses may be replayed, for output.

        A vendor's notice is no beginning: what fails behind it can be made good.
        """
        held: list[Event] = []
        is_early = _EARLY if self._policy.replays_after_created else _NOTICES
        async for batch in batches:
            held += batch
            for event in batch:
                if event.kind not in is_early:
                    return held
        msg = "The upstream ended the response before it began."
        raise UpstreamDisconnected(msg)
