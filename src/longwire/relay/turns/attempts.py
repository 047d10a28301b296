"""One turn's way through its attempts: which channel and transport comes next, and why.

The rule is `core/rules/recovery`; this knows what happened so far and what it means for trust.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from longwire.core.errors import (
    AccountUnavailable,
    FrameTooLarge,
    LongwireError,
    Overloaded,
    ReplaySafety,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.core.rules.continuity import Reason
from longwire.core.rules.recovery import AMBIGUOUS, Recovery, RetryState, Trouble, recover
from longwire.core.rules.turn import Turn
from longwire.dialects.responses.errors import (
    CONNECTION_LIMIT,
    PREVIOUS_NOT_FOUND,
    USAGE_LIMIT,
    decode_limit,
    is_duplicate_item,
    usage_limit,
)
from longwire.relay.channels.channel import Channel

_UNAUTHORIZED, _LIMITED, _FAILING = 401, 429, 500
_BARRED = frozenset({402, 403})
_DIALING = frozenset({"connect", "handshake"})
_REASONS = {
    Trouble.UNSENT: Reason.CONNECTION_LOST,
    Trouble.LOST: Reason.REPLAYED,
    Trouble.SILENT: Reason.REPLAYED,
    Trouble.FORGOT: Reason.UPSTREAM_FORGOT,
    Trouble.EXPIRED: Reason.CONNECTION_EXPIRED,
    Trouble.DUPLICATE: Reason.REPLAYED,
    Trouble.WORKING: Reason.REPLAYED,
}
_PROVES_LIFE = frozenset(
    {Trouble.REFUSED, Trouble.FORGOT, Trouble.EXPIRED, Trouble.DUPLICATE, Trouble.WORKING}
)
_BLAMES_UPGRADE = frozenset({Trouble.UNREACHABLE, Trouble.NO_WEBSOCKET})
_BLAMES_CHANNEL = frozenset(
    {*_BLAMES_UPGRADE, Trouble.LIMITED, Trouble.FAILING, Trouble.SILENT, Trouble.BARRED}
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: a channel, over HTTP or WebSocket, anew for a `reason` or as continuity decides.

    `is_probe`: it shall find out whether the channel's WebSocket works again.
    """

    channel: Channel
    over_http: bool
    reason: Reason | None
    is_probe: bool = False

    def begin(self, now: float) -> None:
        """Note that it is under way."""
        self.channel.health.begin(now)
        if self.is_probe:
            self.channel.upgrade.begin(now)

    def succeed(self) -> None:
        """Trust what has answered; a connection that was open already tells of no handshake."""
        self.channel.health.succeed()
        if self.is_probe:
            self.channel.upgrade.succeed()


class Attempts:
    """The attempts of one turn.

    `prefers_http` is what is known of its session beforehand; `holds` tells whether a channel has
    a free connection with its history, which serves even while new ones are refused.
    """

    __slots__ = (
        "_channels",
        "_has_failed",
        "_has_renewed",
        "_has_resent",
        "_holds",
        "_may_resend_begun",
        "_reason",
        "_turn",
        "_uses_http",
    )

    def __init__(
        self,
        turn: Turn,
        channels: Iterable[Channel],
        *,
        holds: Callable[[Channel], bool],
        prefers_http: Reason | None = None,
        may_resend_begun: bool = False,
    ) -> None:
        self._turn = turn
        self._channels = deque(channels)
        self._holds = holds
        self._reason = prefers_http
        self._uses_http = prefers_http is not None
        self._may_resend_begun = may_resend_begun
        self._has_resent = False
        self._has_renewed = False
        self._has_failed = False

    def attempt(self, now: float) -> Attempt:
        """Return what to try next."""
        channel = self._channels[0]
        if channel.websocket is None or (channel.http is not None and self._uses_http):
            return Attempt(channel, over_http=True, reason=self._reason)
        reason = self._reason if self._has_failed else None
        if channel.http is None or channel.upgrade.is_sound:
            return Attempt(channel, over_http=False, reason=reason)
        if not self._has_failed and self._holds(channel):
            return Attempt(channel, over_http=False, reason=None)
        if not channel.upgrade.is_trusted(now):
            return Attempt(channel, over_http=True, reason=self._reason)
        return Attempt(channel, over_http=False, reason=reason, is_probe=True)

    def trouble(self, attempt: Attempt, failure: LongwireError) -> Trouble:
        """Say what struck an attempt."""
        has_account = attempt.channel.account is not None
        return trouble_of(failure, self._turn, has_account=has_account)

    def fail(self, attempt: Attempt, failure: LongwireError, now: float) -> Trouble:
        """Choose what comes after a failed attempt. Raises `failure` where nothing does."""
        trouble = self.trouble(attempt, failure)
        self._blame(attempt, trouble, failure, now)
        recovery = recover(trouble, self._retry_state(attempt))
        match recovery:
            case Recovery.GIVE_UP:
                raise failure
            case Recovery.RESEND:
                self._has_resent = True
                self._reason = _REASONS[trouble]
            case Recovery.RENEW:
                self._has_renewed = True
            case Recovery.USE_HTTP:
                self._uses_http, self._reason = True, None
            case Recovery.NEXT_CHANNEL:
                self._channels.popleft()
                self._has_renewed = False
                # In the background it can run over HTTP alone.
                self._uses_http = self._turn.runs_in_background
                self._reason = Reason.REPLAYED
        self._has_resent = self._has_resent or trouble in AMBIGUOUS
        self._has_failed = True
        return trouble

    def _retry_state(self, attempt: Attempt) -> RetryState:
        return RetryState(
            has_resent=self._has_resent,
            may_use_http=not attempt.over_http and attempt.channel.http is not None,
            may_move=len(self._channels) > 1 and self._turn.is_self_contained,
            may_resend_begun=self._may_resend_begun,
            may_renew=not self._has_renewed,
        )

    def _blame(
        self, attempt: Attempt, trouble: Trouble, failure: LongwireError, now: float
    ) -> None:
        """Lower the trust in what failed: its WebSocket alone where HTTP is still to be tried."""
        if trouble in _PROVES_LIFE:
            attempt.channel.health.succeed()
        if trouble in _BLAMES_UPGRADE and not attempt.over_http:
            attempt.channel.upgrade.fail(now)
            if attempt.channel.http is not None:
                return
        is_told = isinstance(failure, UpstreamRejected) and failure.code == USAGE_LIMIT
        if is_told and attempt.channel.quota_tracker.quota.limit_reached:
            return  # it is well, and when it serves again is known
        is_refused_anew = trouble is Trouble.UNAUTHORIZED and self._has_renewed
        if trouble in _BLAMES_CHANNEL or is_refused_anew:
            attempt.channel.health.fail(now, _retry_after(failure))


def learn(channel: Channel, failure: LongwireError, now: float) -> None:
    """Take note of what a failure tells of an account; `now` in seconds since 1970 UTC."""
    if not isinstance(failure, UpstreamRejected):
        return
    if failure.code == USAGE_LIMIT:
        until, plan = decode_limit(failure, now)
        if until is not None:
            channel.observe(channel.quota_tracker.quota.refused(until, now, plan))
    if failure.status == _UNAUTHORIZED and channel.account is not None:
        channel.account.refuse(failure.tokens_revision)


def soonest(channels: Iterable[Channel], now: float) -> UpstreamRejected | None:
    """Return the refusal that tells when the first of some used up accounts serves again."""
    blocked = [
        (until, each.quota_tracker.quota.plan)
        for each in channels
        if not each.is_signed_out()
        and (until := each.quota_tracker.quota.blocked_until(now)) is not None
    ]
    return usage_limit(*min(blocked), now) if blocked else None


def none_left(channels: Iterable[Channel], now: float) -> UpstreamError:
    """Return why no account can serve: until the first of them can again, or for ever."""
    msg = "Every account of this model's channels is disabled or must sign in again."
    return soonest(channels, now) or AccountUnavailable(msg, needs_sign_in=True)


def trouble_of(failure: LongwireError, turn: Turn, *, has_account: bool = False) -> Trouble:
    """Say what a failure of an attempt was; accounts fail in ways that keys do not."""
    if isinstance(failure, AccountUnavailable):
        return Trouble.BARRED
    if has_account and (of_account := _trouble_of_account(failure)) is not None:
        return of_account
    match failure:
        case FrameTooLarge():
            trouble = Trouble.TOO_LARGE
        case Overloaded():
            trouble = Trouble.BUSY
        case UpstreamError(safety=ReplaySafety.UNSAFE):
            trouble = Trouble.WORKING
        case UpstreamRejected():
            trouble = _rejection(failure, turn)
        case UpstreamUnavailable():
            is_told = failure.refuses_websocket
            trouble = Trouble.NO_WEBSOCKET if is_told else Trouble.UNREACHABLE
        case UpstreamTimeout():
            is_dial = failure.phase in _DIALING
            trouble = Trouble.UNREACHABLE if is_dial else Trouble.SILENT
        case UpstreamDisconnected():
            is_sure = failure.safety is ReplaySafety.SAFE
            trouble = Trouble.UNSENT if is_sure else Trouble.LOST
        case _:
            trouble = Trouble.REFUSED
    return trouble


def _trouble_of_account(failure: LongwireError) -> Trouble | None:
    if not isinstance(failure, UpstreamRejected) or failure.safety is ReplaySafety.UNSAFE:
        return None
    if failure.status == _UNAUTHORIZED:
        return Trouble.UNAUTHORIZED
    return Trouble.BARRED if failure.status in _BARRED else None


def _rejection(failure: UpstreamRejected, turn: Turn) -> Trouble:
    if failure.code == PREVIOUS_NOT_FOUND and turn.previous_response_id is None:
        return Trouble.FORGOT
    if failure.code == CONNECTION_LIMIT:
        return Trouble.EXPIRED
    if is_duplicate_item(failure.body):
        return Trouble.DUPLICATE
    if failure.status == _LIMITED:
        return Trouble.LIMITED
    return Trouble.FAILING if failure.status >= _FAILING else Trouble.REFUSED


def _retry_after(failure: LongwireError) -> float | None:
    """Return what the upstream asked for, in seconds; dates are left alone."""
    if not isinstance(failure, UpstreamRejected):
        return None
    try:
        return max(float(failure.headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None
