"""One request and its events on one connection, as a transition table.

Law: exactly one ending, and nothing passes after it. The table below is the whole rule; the
diagram in `docs/explanation/connection-lifecycle.md` is drawn from it.
"""

from dataclasses import dataclass
from enum import Enum

from longwire.core.errors import ReplaySafety
from longwire.core.events import Event, Kind


class Phase(Enum):
    """How far an exchange is."""

    READY = "ready"
    AWAITING = "awaiting"
    OPENED = "opened"
    STREAMING = "streaming"
    OVER = "over"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Ending:
    """How an exchange ended, and with it what becomes of its connection."""

    name: str
    keeps_connection: bool
    remembers: bool = False


COMPLETED = Ending("completed", keeps_connection=True, remembers=True)
INCOMPLETE = Ending("incomplete", keeps_connection=True, remembers=True)
FAILED = Ending("failed", keeps_connection=True)
CANCELLED = Ending("cancelled", keeps_connection=True)
REJECTED = Ending("rejected", keeps_connection=True)
ENDED_BY_FATAL_ERROR = Ending("expelled", keeps_connection=False)
LOST = Ending("lost", keeps_connection=False)
TIMED_OUT = Ending("timed_out", keeps_connection=False)
ABANDONED = Ending("abandoned", keeps_connection=False)
FOREIGN = Ending("foreign", keeps_connection=False)
UNSENT = Ending("unsent", keeps_connection=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of the table: the next phase, whether the event passes, the ending it brings."""

    to: Phase
    passes: bool
    ending: Ending | None = None


_READY, _AWAITING, _OPENED, _STREAMING, _OVER = Phase
_stay_ready = Step(_READY, passes=False)
_notice_awaiting = Step(_AWAITING, passes=True)
_open = Step(_OPENED, passes=True)
_stream = Step(_STREAMING, passes=True)
_stay_over = Step(_OVER, passes=False)
_foreign = Step(_OVER, passes=False, ending=FOREIGN)


def _end(ending: Ending) -> Step:
    return Step(_OVER, passes=True, ending=ending)


def _break(ending: Ending) -> Step:
    return Step(_OVER, passes=False, ending=ending)


_ENDS = {
    # "The terminal event is the last frame of a response" (OpenAI guide, websocket mode).
    Kind.COMPLETED: _end(COMPLETED),
    # An incomplete response is continuable like a completed one.
    Kind.INCOMPLETE: _end(INCOMPLETE),
    # "After the terminal the server keeps the socket open, for failed too"; its cache is evicted.
    Kind.FAILED: _end(FAILED),
    Kind.CANCELLED: _end(CANCELLED),
    # An error frame ends the request, not the connection; it evicts the referenced parent.
    Kind.ERROR: _break(REJECTED),
    # Credentials are fixed at the handshake; the 60-minute limit is announced in band.
    Kind.FATAL_ERROR: _break(ENDED_BY_FATAL_ERROR),
    Kind.LOST: _break(LOST),
    Kind.TIMEOUT: _break(TIMED_OUT),
    Kind.CLIENT_GONE: _break(ABANDONED),
}
_FLOWS = {Kind.OPENING: _stream, Kind.OUTPUT: _stream, Kind.ITEM: _stream}

TABLE: dict[tuple[Phase, Kind], Step] = {
    # Ready: nothing was sent, so nothing the upstream says can belong to this exchange.
    **{(_READY, kind): _foreign for kind in (*_FLOWS, *_ENDS)},
    (_READY, Kind.SENT): Step(_AWAITING, passes=False),
    (_READY, Kind.VENDOR): _stay_ready,
    (_READY, Kind.LOST): _break(UNSENT),
    (_READY, Kind.TIMEOUT): _break(UNSENT),
    (_READY, Kind.CLIENT_GONE): _break(UNSENT),
    # Awaiting: the create is on its way. Only an event that names its response may begin the
    # stream: output without one may be the tail of another turn. A terminal alone is a stream too.
    **{(_AWAITING, kind): step for kind, step in _ENDS.items()},
    (_AWAITING, Kind.OPENING): _open,
    (_AWAITING, Kind.OUTPUT): _foreign,
    (_AWAITING, Kind.ITEM): _foreign,
    # A notice passes to the vendor, which knows it; it neither begins the response nor proves one.
    (_AWAITING, Kind.VENDOR): _notice_awaiting,
    (_AWAITING, Kind.SENT): _foreign,
    # Opened: the response has a name, and nothing was made yet.
    **{(_OPENED, kind): step for kind, step in (*_FLOWS.items(), *_ENDS.items())},
    (_OPENED, Kind.OPENING): _open,
    (_OPENED, Kind.VENDOR): _open,
    (_OPENED, Kind.SENT): _foreign,
    # Streaming: events pass until one ends the exchange.
    **{(_STREAMING, kind): step for kind, step in (*_FLOWS.items(), *_ENDS.items())},
    (_STREAMING, Kind.VENDOR): _stream,
    (_STREAMING, Kind.SENT): _foreign,
    # Over: nothing follows a terminal; what does, belongs to nobody and closes the connection.
    **{(_OVER, kind): _foreign for kind in Kind},
    (_OVER, Kind.VENDOR): _stay_over,
    (_OVER, Kind.CLIENT_GONE): _stay_over,
    (_OVER, Kind.LOST): _stay_over,
    (_OVER, Kind.TIMEOUT): _stay_over,
}


class Exchange:
    """Where one exchange stands; `step` is the only way it moves.

    `phase` is how far it is, `ending` how it ended, once it is over; a later foreign frame replaces
    a peaceful ending. Both are read for every event, so they are plain attributes.
    `stale_id` is the response that its connection carried before: a late event of it is foreign.
    `is_alone`: its connection carries no other response, so that output may begin it.
    """

    __slots__ = ("_is_alone", "_stale_id", "ending", "phase", "response_id")

    def __init__(self, stale_id: str | None = None, *, is_alone: bool = False) -> None:
        self._stale_id = stale_id
        self._is_alone = is_alone
        self.phase = Phase.READY
        self.ending: Ending | None = None
        self.response_id: str | None = None

    def __repr__(self) -> str:
        ending = f" {self.ending.name}" if self.ending else ""
        return f"<Exchange {self.phase.value}{ending} {self.response_id or '-'}>"

    def step(self, kind: Kind) -> Step:
        """Take the table's step for a happening."""
        step = TABLE[self.phase, kind]
        self.phase = step.to
        if step.ending is not None:
            self.ending = step.ending
        return step

    def receive(self, event: Event) -> Step:
        """Take the step for an upstream event, which must belong to this exchange.

        A frame with another response's id, or one of a lane that was never opened, is foreign.
        """
        if event.lane is not None or not self._is_own(event.response_id):
            self.phase, self.ending = Phase.OVER, FOREIGN
            return _foreign
        if self._is_alone and self.phase is Phase.AWAITING and event.kind in _FLOWS:
            self.step(Kind.OPENING)
        return self.step(event.kind)

    def _is_own(self, response_id: str | None) -> bool:
        if response_id is None or response_id == self.response_id:
            return True
        if self.response_id is not None or response_id == self._stale_id:
            return False
        self.response_id = response_id
        return True


def replay_safety(phase: Phase, kind: Kind) -> ReplaySafety:
    """Say what a second send would risk when `kind` struck in `phase`.

    An error before any output means that the upstream refused, and made nothing; silence or a
    broken connection before any event leaves open whether it had begun.
    """
    match phase, kind:
        case Phase.READY, _:
            return ReplaySafety.SAFE
        case Phase.AWAITING | Phase.OPENED, Kind.ERROR | Kind.FATAL_ERROR:
            return ReplaySafety.SAFE
        case Phase.AWAITING, _:
            return ReplaySafety.AMBIGUOUS
        case _:
            return ReplaySafety.UNSAFE
