"""What a failed attempt means before the client saw any of it: what comes next, who is to blame.

Law: a turn is sent again at most once where the upstream may have begun, and never once it works
and bills. The table `RECOVERY_RULES` is the whole rule; `docs/reference/errors.md` prints it.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from longwire.core.rules.continuity import Reason


class Trouble(Enum):
    """What struck an attempt."""

    UNSENT = "the connection was dead before anything was sent"
    LOST = "the connection ended before any event"
    SILENT = "no event came in time"
    FORGOT = "the upstream forgot the response the gateway named"
    EXPIRED = "the connection reached its time limit"
    SEALED_ELSEWHERE = "the account cannot read encrypted content of another one"
    DUPLICATE = "the upstream already holds an item that was sent"
    FOREIGN_ID = "the upstream does not take the id of an item, which another vendor gave it"
    MALFORMED = "the model said what its own vendor cannot read"
    UNREACHABLE = "no connection could be opened"
    NO_WEBSOCKET = "the upstream speaks no WebSocket here"
    NO_FRAMES = "a WebSocket opened, and nothing ever came over it"
    TOO_LARGE = "the request passes the limit of a frame"
    BUSY = "every connection the session may use is busy"
    LIMITED = "429: the account is at a limit"
    FAILING = "5xx: the upstream is failing"
    UNAUTHORIZED = "401: the upstream does not take the account's token"
    BARRED = "401, 402, 403: the channel's key or account cannot be used"
    UNSAYABLE = "the API of the channel has no words for something that changes the answer"
    REFUSED = "the upstream refused the request itself"
    WORKING = "the upstream had begun to answer"


class Recovery(Enum):
    """What comes next."""

    RESEND = "send again in full on a new connection"
    RENEW = "renew the account's tokens, then send again on a new connection"
    USE_HTTP = "send in full over HTTP"
    NEXT_CHANNEL = "send in full to the next channel"
    NEXT_READER = "send in full to the next channel, once each: one may be able to read it"
    LEAVE_OUT = "send once without the items that nobody here can read"
    GIVE_UP = "tell the client"


@dataclass(frozen=True, slots=True)
class RetryState:
    """How a turn stands when trouble strikes.

    `has_resent`: it was sent again before; `may_use_http`: the channel's transport is `auto` and
    this attempt was a WebSocket's; `may_move`: another channel is left, the turn carries nothing
    that only this one understands, and no connection of its session was lost; `may_resend_begun`:
    configured so; `may_renew`: the tokens were not renewed for this turn before; `may_seek_reader`:
    another channel is left that may be able to read it; `may_leave_out`: it has sealed items, and
    all of them were sent so far.
    """

    has_resent: bool = False
    may_use_http: bool = False
    may_move: bool = False
    may_resend_begun: bool = False
    may_renew: bool = False
    may_seek_reader: bool = False
    may_leave_out: bool = False


class Blame(Enum):
    """What a trouble says of its channel."""

    NOTHING = "nothing"
    CLEARED = "it answers: earlier failures are forgotten"
    WEBSOCKET = "its WebSocket rests where HTTP is still to be tried, else the channel rests"
    CHANNEL = "it rests"
    AFTER_RENEWAL = "it rests when its renewed tokens are refused, too"
    LOSSES = "it rests over HTTP, and when a new connection is lost, too"


class RecoveryRule(NamedTuple):
    """What a trouble means.

    `recoveries` help, the best first; when none is left the client is told. `reason` says why the
    turn is then sent again in full. Where a second send `may_bill_twice` it is allowed once a
    turn, and counted.
    """

    recoveries: tuple[Recovery, ...]
    blame: Blame
    reason: Reason | None = None
    may_bill_twice: bool = False


_R, _H, _N = Recovery.RESEND, Recovery.USE_HTTP, Recovery.NEXT_CHANNEL
RECOVERY_RULES: dict[Trouble, RecoveryRule] = {
    Trouble.UNSENT: RecoveryRule((_R, _H, _N), Blame.NOTHING, Reason.CONNECTION_LOST),
    Trouble.LOST: RecoveryRule((_N, _R), Blame.LOSSES, Reason.REPLAYED, may_bill_twice=True),
    Trouble.SILENT: RecoveryRule((_N, _R), Blame.CHANNEL, Reason.REPLAYED, may_bill_twice=True),
    Trouble.FORGOT: RecoveryRule((_R,), Blame.CLEARED, Reason.UPSTREAM_FORGOT),
    Trouble.EXPIRED: RecoveryRule((_R,), Blame.CLEARED, Reason.CONNECTION_EXPIRED),
    Trouble.SEALED_ELSEWHERE: RecoveryRule(
        (Recovery.NEXT_READER, Recovery.LEAVE_OUT), Blame.CLEARED, Reason.SEALED_ELSEWHERE
    ),
    Trouble.DUPLICATE: RecoveryRule((_R,), Blame.CLEARED, Reason.REPLAYED),
    Trouble.FOREIGN_ID: RecoveryRule((_R,), Blame.CLEARED, Reason.REPLAYED),
    Trouble.MALFORMED: RecoveryRule((_R,), Blame.CLEARED, Reason.REPLAYED, may_bill_twice=True),
    Trouble.UNREACHABLE: RecoveryRule((_H, _N), Blame.WEBSOCKET),
    Trouble.NO_WEBSOCKET: RecoveryRule((_H, _N), Blame.WEBSOCKET),
    Trouble.NO_FRAMES: RecoveryRule(
        (_H, _N, _R), Blame.WEBSOCKET, Reason.REPLAYED, may_bill_twice=True
    ),
    Trouble.TOO_LARGE: RecoveryRule((_H,), Blame.NOTHING),
    Trouble.BUSY: RecoveryRule((_H,), Blame.NOTHING),
    Trouble.LIMITED: RecoveryRule((_N,), Blame.CHANNEL),
    Trouble.FAILING: RecoveryRule((_N,), Blame.CHANNEL),
    Trouble.UNAUTHORIZED: RecoveryRule((Recovery.RENEW, _N), Blame.AFTER_RENEWAL),
    Trouble.BARRED: RecoveryRule((_N,), Blame.CHANNEL),
    Trouble.UNSAYABLE: RecoveryRule((_N,), Blame.NOTHING),
    Trouble.REFUSED: RecoveryRule((), Blame.CLEARED),
    Trouble.WORKING: RecoveryRule((_R,), Blame.CLEARED, Reason.REPLAYED, may_bill_twice=True),
}
"""What each trouble means."""


def recover(trouble: Trouble, state: RetryState) -> Recovery:
    """Choose what comes next; `GIVE_UP` where nothing is allowed."""
    if trouble is Trouble.WORKING and not state.may_resend_begun:
        return Recovery.GIVE_UP
    rule = RECOVERY_RULES[trouble]
    if rule.may_bill_twice and state.has_resent:
        return Recovery.GIVE_UP
    allowed = {
        Recovery.RESEND: not state.has_resent,
        Recovery.RENEW: state.may_renew,
        Recovery.USE_HTTP: state.may_use_http,
        Recovery.NEXT_CHANNEL: state.may_move,
        Recovery.NEXT_READER: state.may_seek_reader,
        Recovery.LEAVE_OUT: state.may_leave_out,
    }
    return next((recovery for recovery in rule.recoveries if allowed[recovery]), Recovery.GIVE_UP)
