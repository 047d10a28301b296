"""What to do when an attempt fails before the client saw any of it.

Law: a turn is sent again at most once where the upstream may have begun, and never once it works
and bills. The table below is the whole rule; `docs/reference/faults.md` is drawn from it.
"""

from dataclasses import dataclass
from enum import Enum


class Trouble(Enum):
    """What struck an attempt."""

    UNSENT = "the connection was dead before anything was sent"
    LOST = "the connection ended before any event"
    SILENT = "no event came in time"
    FORGOT = "the upstream forgot the response the gateway named"
    EXPIRED = "the connection reached its time limit"
    DUPLICATE = "the upstream already holds an item that was sent"
    UNREACHABLE = "no connection could be opened"
    NO_WEBSOCKET = "the upstream speaks no WebSocket here"
    TOO_LARGE = "the request passes the limit of a frame"
    BUSY = "every connection the session may use is busy"
    LIMITED = "429: the account is at a limit"
    FAILING = "5xx: the upstream is failing"
    UNAUTHORIZED = "401: the upstream does not take the account's token"
    BARRED = "the account cannot be used"
    REFUSED = "the upstream refused the request itself"
    WORKING = "the upstream had begun to answer"


class Recovery(Enum):
    """What comes next."""

    RESEND = "send again in full on a new connection"
    RENEW = "renew the account's tokens, then send again on a new connection"
    USE_HTTP = "send in full over HTTP"
    NEXT_CHANNEL = "send in full to the next channel"
    GIVE_UP = "tell the client"


@dataclass(frozen=True, slots=True)
class RetryState:
    """How a turn stands when trouble strikes.

    `has_resent`: it was sent again before; `may_use_http`: the channel's transport is `auto` and
    this attempt was a WebSocket's; `may_move`: another channel is left, and the turn carries
    nothing that only this one understands; `may_resend_begun`: configured so; `may_renew`: the
    tokens were not renewed for this turn before.
    """

    has_resent: bool = False
    may_use_http: bool = False
    may_move: bool = False
    may_resend_begun: bool = False
    may_renew: bool = False


_R, _H, _N = Recovery.RESEND, Recovery.USE_HTTP, Recovery.NEXT_CHANNEL
MOVES: dict[Trouble, tuple[Recovery, ...]] = {
    Trouble.UNSENT: (_R, _H, _N),
    Trouble.LOST: (_R,),
    Trouble.SILENT: (_N, _R),
    Trouble.FORGOT: (_R,),
    Trouble.EXPIRED: (_R,),
    Trouble.DUPLICATE: (_R,),
    Trouble.UNREACHABLE: (_H, _N),
    Trouble.NO_WEBSOCKET: (_H, _N),
    Trouble.TOO_LARGE: (_H,),
    Trouble.BUSY: (_H,),
    Trouble.LIMITED: (_N,),
    Trouble.FAILING: (_N,),
    Trouble.UNAUTHORIZED: (Recovery.RENEW, _N),
    Trouble.BARRED: (_N,),
    Trouble.REFUSED: (),
    Trouble.WORKING: (_R,),
}
"""Trouble to the moves that help, the best first; when none is left the client is told."""

AMBIGUOUS = frozenset({Trouble.LOST, Trouble.SILENT, Trouble.WORKING})
"""Where a second send may be billed twice: allowed once a turn, and counted."""


def recover(trouble: Trouble, state: RetryState) -> Recovery:
    """Choose the next move; `GIVE_UP` where none is allowed."""
    if trouble is Trouble.WORKING and not state.may_resend_begun:
        return Recovery.GIVE_UP
    if trouble in AMBIGUOUS and state.has_resent:
        return Recovery.GIVE_UP
    allowed = {
        Recovery.RESEND: not state.has_resent,
        Recovery.RENEW: state.may_renew,
        Recovery.USE_HTTP: state.may_use_http,
        Recovery.NEXT_CHANNEL: state.may_move,
    }
    return next((recovery for recovery in MOVES[trouble] if allowed[recovery]), Recovery.GIVE_UP)
