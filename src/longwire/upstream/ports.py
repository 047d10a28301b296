"""The one port to an upstream: `async with transport.open(call) as stream`.

Both transports yield the same events; a failure is an `UpstreamError`, raised where the next
events are awaited.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import Reason
from longwire.core.rules.turn import SessionKey, Turn
from longwire.dialects.ports import AdaptInput, UpstreamCall

TransportName = Literal["websocket", "http"]


@dataclass(frozen=True, slots=True)
class Call:
    """One turn to be sent: `session_key` is None for a caller whose connections are never shared.

    `headers` are the caller's own that go upstream, beside those of the channel. A `reason` asks
    for the turn to be sent in full on a new connection, and says why. `is_hurried`: the caller has
    waited long already, so that the first event must come soon. `adapt_input` changes the items
    that are really sent, all of them or what is new, and may raise `InvalidRequest`. To an upstream
    of another API than Responses the turn goes as `said`. Over HTTP its `trace` goes with it.
    """

    turn: Turn
    session_key: SessionKey | None
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: Reason | None = None
    is_hurried: bool = False
    adapt_input: AdaptInput | None = None
    said: UpstreamCall | None = None
    trace: Mapping[str, str] = field(default_factory=dict)


SOON = 30.0
"""How long to wait for what may never come, in seconds."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds; after each `silence` the reader gets an empty batch.

    `first_frame` is how long a WebSocket may be silent where none of its endpoint ever brought
    anything, None where only patience helps. `drain` is how long the rest of a response is read
    whose client has gone, 0 not at all.
    """

    connect: float = 15.0
    first_event: float = 600.0
    first_frame: float | None = None
    idle_event: float = 600.0
    silence: float = 15.0
    drain: float = 0.0

    def first_of(self, call: Call) -> float:
        """Return how long the first event of a call may take."""
        return min(self.first_event, SOON) if call.is_hurried else self.first_event


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a turn was sent: `continuity` is continued, fresh or as-given, `reason` says why fresh.

    `bytes_sent` is the size of the request upstream in bytes, `queued` the wait for a free
    connection in seconds, `connection` the number of the one that served, None for HTTP. An answer
    whose media type may be any has it as `media_type`. What `changed` against what was held is ""
    where nothing is known of it.
    """

    transport: TransportName
    continuity: str
    reason: str | None
    bytes_sent: int
    queued: float = 0.0
    connection: int | None = None
    media_type: str = ""
    changed: str = ""


FastPath = Callable[[Sequence[bytes]], int]
"""Takes events straight from the socket, as they arrived; returns how many, from the first on."""


class Stream(Protocol):
    """The events of one response, in batches as they arrived."""

    @property
    def delivery(self) -> Delivery:
        """How the turn was sent."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response, or of the handshake over WebSocket; names in lower case."""

    @property
    def aggregate(self) -> Aggregate:
        """What was seen of the response so far."""

    def set_fast_path(self, fast_path: FastPath) -> None:
        """Offer events on which nothing depends to `fast_path` first, while the reader waits.

        Events that it takes are in no batch: nobody above sees them, and it adds the items among
        them to `aggregate` itself. A transport may do without.
        """

    def when_drained(self, then: Callable[[], object]) -> bool:
        """Whether the rest is read although its reader has left; once that is over call `then`."""

    def __aiter__(self) -> AsyncIterator[Sequence[Event]]:
        """Iterate batches up to the terminal; an empty batch means `silence` seconds without one.

        Raises `UpstreamError` when the response ends without a terminal, as often as it is asked.
        """


class Transport(Protocol):
    """A way to send turns to one endpoint of one channel."""

    def open(self, call: Call) -> AbstractAsyncContextManager[Stream]:
        """Send the turn and give its stream; leaving the context early abandons the response.

        Raises `UpstreamError` or `Overloaded` when it cannot be sent.
        """
