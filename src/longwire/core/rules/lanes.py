"""Which requests of one downstream connection run, and which wait.

Law: a lane runs one request at a time, in the order they came; at most 16 run at once, and of those
that wait the oldest whose lane is free comes next (OpenAI guide, WebSocket mode: multiplexing).
"""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from longwire.core.errors import InvalidRequest, LimitReached

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much one connection may ask for: lanes with a name, at once, waiting, bytes waiting."""

    lanes: int = 32
    active: int = 16
    waiting: int = 64
    bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    lane: str | None
    work: T
    size: int


class Lanes(Generic[T]):
    """The requests of one connection; the lane None is the one without a name."""

    __slots__ = ("_busy", "_bytes", "_limits", "_named", "_waiting")

    def __init__(self, limits: LaneLimits) -> None:
        self._limits = limits
        self._named: set[str] = set()
        self._busy: set[str | None] = set()
        self._waiting: deque[_Waiting[T]] = deque()
        self._bytes = 0

    def __repr__(self) -> str:
        return f"<Lanes busy={len(self._busy)} waiting={len(self._waiting)} bytes={self._bytes}>"

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs; then nothing waits, either."""
        return not self._busy

    def admit(self, lane: str | None, work: T, size: int) -> bool:
        """Take a request of `size` bytes; True when it is to run now, False when it waits.

        Raises `InvalidRequest` for one lane too many, `LimitReached` where no room is left.
        """
        is_new = lane is not None and lane not in self._named
        if is_new and len(self._named) >= self._limits.lanes:
            raise _too_many(self._limits.lanes)
        runs = lane not in self._busy and len(self._busy) < self._limits.active
        if not runs:
            self._check_room(size)
        if lane is not None:
            self._named.add(lane)
        if runs:
            self._busy.add(lane)
        else:
            self._waiting.append(_Waiting(lane, work, size))
            self._bytes += size
        return runs

    def finish(self, lane: str | None) -> T | None:
        """End what runs on a lane; return what is to run now instead, if anything can."""
        self._busy.discard(lane)
        for waiting in self._waiting:
            if waiting.lane not in self._busy:
                self._waiting.remove(waiting)
                self._bytes -= waiting.size
                self._busy.add(waiting.lane)
                return waiting.work
        return None

    def _check_room(self, size: int) -> None:
        limits = self._limits
        if len(self._waiting) >= limits.waiting or self._bytes + size > limits.bytes:
            raise LimitReached(
                f"Too much waits on this WebSocket connection already (at most {limits.waiting} "
                f"requests and {limits.bytes:,} bytes); read the answers before you ask for more.",
                code="websocket_queue_full",
                retry_after=1,
            )


def _too_many(most: int) -> InvalidRequest:
    return InvalidRequest(
        "This WebSocket connection has reached its maximum number of distinct stream IDs "
        f"({most}). Reuse an existing stream_id or open a new WebSocket connection.",
        code="websocket_stream_limit_reached",
        param="stream_id",
    )
