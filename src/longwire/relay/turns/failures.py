"""What the failure of an attempt is, and what it tells of a channel's account."""

from collections.abc import Iterable

from longwire.core.errors import (
    AccountUnavailable,
    ChannelRefused,
    FrameTooLarge,
    LimitReached,
    LongwireError,
    Overloaded,
    ReplaySafety,
    Unsayable,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.core.rules.recovery import Trouble
from longwire.core.rules.routing import Refusal
from longwire.core.rules.turn import Turn, TurnRequest
from longwire.dialects.responses.errors import is_usage_limit, trouble_of
from longwire.dialects.responses.retry_delays import decode_limit
from longwire.relay.channels.channel import Channel, Snapshot
from longwire.relay.records.accounting import TurnRecord
from longwire.relay.turns.able import Candidate, first_back
from longwire.relay.turns.candidates import Candidates

_BY_TYPE = {
    AccountUnavailable: Trouble.BARRED,
    Unsayable: Trouble.UNSAYABLE,
    FrameTooLarge: Trouble.TOO_LARGE,
    Overloaded: Trouble.BUSY,
}
_HIDDEN = b"***"
_SHORTEST_KEY = 8
"""What is shorter is no secret, and may be part of any word."""

_OF_CREDENTIALS = frozenset({Trouble.UNAUTHORIZED, Trouble.BARRED})


def classify(failure: LongwireError, turn: Turn, *, has_account: bool = False) -> Trouble:
    """Say what a failure of an attempt was; accounts fail in ways that keys do not."""
    match failure:
        case AccountUnavailable() | FrameTooLarge() | Overloaded() | Unsayable():
            trouble = _BY_TYPE[type(failure)]
        case UpstreamError(safety=ReplaySafety.UNSAFE):
            trouble = Trouble.WORKING
        case UpstreamRejected(refuses_websocket=True) | UpstreamUnavailable(refuses_websocket=True):
            trouble = Trouble.NO_WEBSOCKET
        case UpstreamRejected():
            trouble = _rejection(failure, turn, has_account=has_account)
        case UpstreamUnavailable() | UpstreamTimeout(phase="connect" | "handshake"):
            trouble = Trouble.UNREACHABLE
        case UpstreamTimeout(phase="first frame"):
            trouble = Trouble.NO_FRAMES
        case UpstreamTimeout():
            trouble = Trouble.SILENT
        case UpstreamDisconnected():
            is_sure = failure.safety is ReplaySafety.SAFE
            trouble = Trouble.UNSENT if is_sure else Trouble.LOST
        case _:
            trouble = Trouble.REFUSED
    return trouble


def _rejection(failure: UpstreamRejected, turn: Turn, *, has_account: bool) -> Trouble:
    """Say what an upstream's own error was; of a response that the client named, its answer.

    A key that is refused cannot be renewed, as the tokens of an account can.
    """
    trouble = trouble_of(failure)
    if trouble is Trouble.FORGOT and turn.previous_response_id is not None:
        return Trouble.REFUSED
    if trouble is Trouble.UNAUTHORIZED and not has_account:
        return Trouble.BARRED
    return trouble


def learn(candidate: Candidate, failure: LongwireError, now: float) -> None:
    """Take note of what a failure tells of an account; `now` in seconds since 1970 UTC."""
    candidate.channel.vendor.observe_failure(failure)
    if not isinstance(failure, UpstreamRejected):
        return
    quota, account = candidate.state.quota, candidate.channel.account
    if is_usage_limit(failure):
        until, plan = decode_limit(failure, now)
        if until is not None:
            quota.observe(quota.quota.refused(until, now, plan))
    if account is not None and trouble_of(failure) is Trouble.UNAUTHORIZED:
        account.refuse(failure.tokens_revision)


Left = tuple[Trouble, LongwireError, Candidate]
"""Why a channel is left, and which."""

_NOTHING, _OPERATORS, _PASSING = range(3)
_WORTH = {
    Trouble.UNSAYABLE: _NOTHING,
    Trouble.BARRED: _OPERATORS,
    Trouble.UNAUTHORIZED: _OPERATORS,
    Trouble.NO_WEBSOCKET: _OPERATORS,
}
"""What a failure is worth to a caller that a turn moves on from; any other one passes."""


def worth_more(before: Left | None, last: Left) -> Left:
    """Return which of two failures a caller is told: of the same worth, the last.

    What a retry may mend goes before what the operator has to mend, and both before a refusal that
    only concerns another channel.
    """
    if before is None or _worth(before) <= _worth(last):
        return last
    return before


def _worth(left: Left) -> int:
    return _WORTH.get(left[0], _PASSING)


async def answer_of(
    left: Left,
    candidates: Candidates,
    snapshot: Snapshot,
    request: TurnRequest,
    record: TurnRecord,
) -> LongwireError:
    """Return what the client is answered: of a limit, when the first account is back."""
    trouble, failure, candidate = left
    if trouble is Trouble.UNSAYABLE:
        return await _limit_of(candidates, snapshot, request, record) or failure
    others = [candidate]
    if request.turn.is_self_contained:
        others += candidates.serving(snapshot, request)
    answer = answer_to(failure, others, candidates.policy.wall_clock())
    return without_credentials(answer, candidate.channel)


async def _limit_of(
    candidates: Candidates, snapshot: Snapshot, request: TurnRequest, record: TurnRecord
) -> LongwireError | None:
    """Return which limit keeps a turn from channels that it was not tried at, None for none."""
    stages = dict(record.stages)
    tried = {each.route_id for each in stages[None]}
    left = {each.route_id for each in stages[Refusal.ACCOUNT]} - tried
    if not left or not request.turn.is_self_contained:
        return None
    able = candidates.serving(snapshot, request)
    try:
        free = candidates.able_accounts(
            [each for each in able if each.channel.route_id in left], may_wait=True
        )
        await candidates.within_limits(free, None, snapshot.budgets)
    except (UpstreamError, LimitReached) as limit:
        return limit
    return None


def is_known_limit(candidate: Candidate, failure: LongwireError) -> bool:
    """Whether it is a used up account that is well, and when it serves again is known."""
    return is_usage_limit(failure) and candidate.state.quota.quota.limit_reached


def retry_after(failure: LongwireError) -> float | None:
    """Return what the upstream wants to be waited for, in seconds; dates are left alone."""
    if not isinstance(failure, UpstreamRejected):
        return None
    try:
        return max(float(failure.headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None


def answer_to(failure: LongwireError, candidates: Iterable[Candidate], now: float) -> LongwireError:
    """Return what the client is answered: of a limit, when the first of the accounts is back."""
    return (first_back(candidates, now) if is_usage_limit(failure) else None) or failure


def without_credentials(failure: LongwireError, channel: Channel) -> LongwireError:
    """Return a failure as a caller may hear it: the channel's credentials are not his affair.

    An upstream's 401 would send him to his own; any error may quote the operator's.
    """
    if not isinstance(failure, UpstreamRejected):
        return failure
    if trouble_of(failure) in _OF_CREDENTIALS:
        return ChannelRefused(channel.name, "account" if channel.account else "key")
    key, original = channel.spec.credential.reveal().encode(), failure.original
    if len(key) >= _SHORTEST_KEY:
        failure.body = failure.body.replace(key, _HIDDEN)
        if original is not None:
            raw, wire = (each.replace(key, _HIDDEN) for each in (original.raw, original.wire))
            failure.original = original._replace(raw=raw, wire=wire)
    return failure
