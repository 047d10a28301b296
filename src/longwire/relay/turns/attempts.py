"""A turn's way through its attempts: which channel and transport comes next, and why.

The rule is `core/rules/recovery`; this knows what happened so far and what it means for trust.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from longwire.core.errors import LongwireError, UpstreamDisconnected
from longwire.core.rules.continuity import Reason
from longwire.core.rules.recovery import (
    RECOVERY_RULES,
    Blame,
    Recovery,
    RetryState,
    Trouble,
    recover,
)
from longwire.core.rules.turn import Turn
from longwire.dialects.passed_seals import last_thought
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.state import Part
from longwire.relay.turns.able import Candidate
from longwire.relay.turns.failures import is_known_limit, retry_after
from longwire.upstream.ports import Transport

BROKE_OFF: Final = "it opened a response and broke off"
_OF_KEYS = frozenset({Trouble.BARRED, Trouble.LIMITED})
"""Troubles that one of several keys has alone: it rests at once, and the others serve."""

_KEY_RESTS = 60.0
"""For how many seconds, where the upstream says nothing of it."""


class Attempt(NamedTuple):
    """One try: a channel, over HTTP or WebSocket, anew for a `reason` or as continuity decides.

    `is_probe`: it shall find out whether the channel's WebSocket works again.
    """

    candidate: Candidate
    over_http: bool
    reason: Reason | None
    is_probe: bool = False

    @property
    def channel(self) -> Channel:
        """The channel it goes to."""
        return self.candidate.channel

    @property
    def transport(self) -> Transport:
        """What it is sent over. Raises `UpstreamDisconnected` where there is no such thing."""
        channel = self.candidate.channel
        transport = channel.http if self.over_http else channel.websocket
        if transport is None:
            msg = f"Channel '{channel.name}' has no such transport."
            raise UpstreamDisconnected(msg)
        return transport

    def begin(self, now: float) -> None:
        """Note that it is under way."""
        self.candidate.state.health.begin(now)
        if self.is_probe:
            self.candidate.state.websocket_health.begin(now)

    def break_off(self, now: float) -> None:
        """Trust less what opened a response and made nothing, though its caller sees it begin."""
        self.candidate.state.fail(Part.CHANNEL, now, problem=BROKE_OFF)

    def succeed(self) -> None:
        """Trust what has answered; a connection that was open already tells of no handshake."""
        self.candidate.state.health.succeed()
        if self.is_probe:
            self.candidate.state.websocket_health.succeed()


class Attempts:
    """The attempts of one turn.

    `prefers_http` is what is known of its session beforehand; `continues` tells whether a channel
    has a free connection with its history, which serves even while new ones are refused.
    `has_waited` says whether one of them waited for what never came.
    """

    __slots__ = (
        "_candidates",
        "_continues",
        "_has_failed",
        "_has_left_out",
        "_has_renewed",
        "_has_resent",
        "_may_resend_begun",
        "_passed",
        "_reason",
        "_turn",
        "_uses_http",
        "has_waited",
    )

    def __init__(
        self,
        turn: Turn,
        candidates: Iterable[Candidate],
        *,
        continues: Callable[[Candidate], bool],
        prefers_http: Reason | None = None,
        may_resend_begun: bool = False,
    ) -> None:
        self._turn = turn
        self._candidates = deque(candidates)
        self._continues = continues
        self._reason = prefers_http
        self._uses_http = prefers_http is not None
        self._may_resend_begun = may_resend_begun
        self._has_resent = False
        self._has_renewed = False
        self._has_failed = False
        self.has_waited = False
        self._has_left_out = False
        self._passed: list[Candidate] = []

    def next(self, now: float) -> Attempt:
        """Return what to try next.

        A WebSocket that has not failed since it last served `is_sound`: it is used, as one with no
        HTTP beside it always is. One that has failed still continues a turn on a connection that
        is open; a new one is dialed only where it `is_trusted` again, after its cool-down, and that
        attempt is the probe. Until then turns go over HTTP.
        """
        candidate = self._candidates[0]
        channel, websocket = candidate.channel, candidate.state.websocket_health
        if channel.websocket is None or (channel.http is not None and self._uses_http):
            return Attempt(candidate, over_http=True, reason=self._reason)
        reason = self._reason if self._has_failed else None
        if channel.http is None or websocket.is_sound:
            return Attempt(candidate, over_http=False, reason=reason)
        if not self._has_failed and self._continues(candidate):
            return Attempt(candidate, over_http=False, reason=None)
        if not websocket.is_trusted(now):
            return Attempt(candidate, over_http=True, reason=self._reason)
        return Attempt(candidate, over_http=False, reason=reason, is_probe=True)

    def fail(
        self, attempt: Attempt, trouble: Trouble, failure: LongwireError, now: float
    ) -> Recovery:
        """Choose what comes after a failed attempt; after `GIVE_UP` nothing does."""
        self._blame(attempt, trouble, failure, now)
        recovery = recover(trouble, self._retry_state(attempt, trouble))
        match recovery:
            case Recovery.RESEND:
                self._has_resent = True
                self._reason = RECOVERY_RULES[trouble].reason
            case Recovery.RENEW:
                self._has_renewed = True
            case Recovery.USE_HTTP:
                self._uses_http, self._reason = True, None
            case Recovery.NEXT_CHANNEL:
                self._move_on()
                if trouble is Trouble.UNSAYABLE:
                    return recovery  # nothing was sent, so the next one repeats nothing
                self._reason = Reason.REPLAYED
            case Recovery.NEXT_READER:
                self._passed.append(attempt.candidate)
                self._move_on()
                self._reason = Reason.REPLAYED
            case Recovery.LEAVE_OUT:
                self._begin_again(RECOVERY_RULES[trouble].reason)
            case Recovery.GIVE_UP:
                pass
        self._has_resent = self._has_resent or RECOVERY_RULES[trouble].may_bill_twice
        self._has_failed = True
        self.has_waited = self.has_waited or trouble is Trouble.SILENT
        return recovery

    def _move_on(self) -> None:
        self._candidates.popleft()
        self._has_renewed = False
        # In the background it can run over HTTP alone.
        self._uses_http = self._turn.runs_in_background

    def _begin_again(self, reason: Reason | None) -> None:
        """Return to those who could not read it: what they get now, they can."""
        self._candidates.extendleft(reversed(self._passed))
        self._has_left_out, self._has_renewed = True, False
        self._uses_http, self._reason = self._turn.runs_in_background, reason

    def _retry_state(self, attempt: Attempt, trouble: Trouble) -> RetryState:
        turn, has_others = self._turn, len(self._candidates) > 1
        may_leave = self._has_left_out and not turn.refers_outside
        has_sealed = not self._has_left_out and (
            turn.history.has_encrypted
            or (trouble is Trouble.SEALED_ELSEWHERE and last_thought(turn) is not None)
        )
        # A session whose connection was lost goes on best where it was.
        stays = trouble is Trouble.LOST and (has_sealed or not attempt.over_http)
        return RetryState(
            has_resent=self._has_resent,
            may_use_http=not attempt.over_http and attempt.candidate.channel.http is not None,
            may_move=has_others and not stays and (turn.is_self_contained or may_leave),
            may_resend_begun=self._may_resend_begun,
            may_renew=not self._has_renewed,
            may_seek_reader=has_others and has_sealed and not turn.refers_outside,
            may_leave_out=has_sealed,
        )

    def _blame(
        self, attempt: Attempt, trouble: Trouble, failure: LongwireError, now: float
    ) -> None:
        """Change the trust in a channel as the rule says."""
        state, blame = attempt.candidate.state, RECOVERY_RULES[trouble].blame
        if blame is Blame.CLEARED:
            state.health.succeed()
        if blame is Blame.WEBSOCKET and not attempt.over_http:
            state.fail(Part.WEBSOCKET, now, problem=trouble.value)
            if attempt.candidate.channel.http is not None:
                return
        if blame in (Blame.NOTHING, Blame.CLEARED) or is_known_limit(attempt.candidate, failure):
            return
        is_first = {
            Blame.AFTER_RENEWAL: not self._has_renewed,
            Blame.LOSSES: not (attempt.over_http or self._has_resent),
        }
        if not is_first.get(blame):
            wait = retry_after(failure)
            if wait is None and trouble in _OF_KEYS and attempt.channel.key is not None:
                wait = _KEY_RESTS
            state.fail(Part.CHANNEL, now, wait, trouble.value)
