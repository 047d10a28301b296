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


class Move(Enum):
    """What comes next."""

    RESEND = "send again in full on a new connection"
    RENEW = "renew the account's tokens, then send again on a new connection"
    USE_HTTP = "send in full over HTTP"
    NEXT_CHANNEL = "send in full to the next channel"
    GIVE_UP = "tell the client"


@dataclass(frozen=True, slots=True)
class Standing:
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


_R, _H, _N = Move.RESEND, Move.USE_HTTP, Move.NEXT_CHANNEL
MOVES: dict[Trouble, tuple[Move, ...]] = {
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
    Trouble.UNAUTHORIZED: (Move.RENEW, _N),
    Trouble.BARRED: (_N,),
    Trouble.REFUSED: (),
    Trouble.WORKING: (_R,),
}
"""Trouble to the moves that help, the best first; when none is left the client is told."""

AMBIGUOUS = frozenset({Trouble.LOST, Trouble.SILENT, Trouble.WORKING})
"""Where a second send may be billed twice: allowed once a turn, and counted."""


def recover(trouble: Trouble, standing: Standing) -> Move:
    """Choose the next move; `GIVE_UP` where none is allowed."""
    if trouble is Trouble.WORKING and not standing.may_resend_begun:
        return Move.GIVE_UP
    if trouble in AMBIGUOUS and standing.has_resent:
        return Move.GIVE_UP
    allowed = {
        Move.RESEND: not standing.has_resent,
        Move.RENEW: standing.may_renew,
        Move.USE_HTTP: standing.may_use_http,
        Move.NEXT_CHANNEL: standing.may_move,
    }
    return next((move for move in MOVES[trouble] if allowed[move]), Move.GIVE_UP)
