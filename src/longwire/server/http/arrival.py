"""How long a client may take to send a head or a body: what only trickles in ends.

Law: a span counts only while the gateway reads. A body has the longer, the more of it came, so
that a slow line with much to say is none of those that just hold a connection.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

SLOWEST: Final = 4096
"""Bytes a second that a body must come with, once its first wait is over."""

_ERROR = {
    "message": "The request did not arrive in time; send it faster, or raise server.head_timeout.",
    "type": "invalid_request_error",
    "param": None,
    "code": "request_timeout",
}
_BODY = msgspec.json.encode({"error": _ERROR})
TOO_SLOW: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_BODY), _BODY)
)
"""The answer to a head that does not come."""


@dataclass(frozen=True, slots=True)
class ArrivalLimits:
    """Seconds that a head has to arrive whole, and a body beside a second for each `SLOWEST`."""

    head: float
    body: float


class Arrival:
    """What is awaited on one connection: its protocol writes the facts here, a timer looks at them.

    `since` is when that began, None while nothing is awaited; `size` is what came of a body.
    """

    __slots__ = ("_limits", "_loop", "_overdue", "_timer", "is_body", "since", "size")

    def __init__(
        self, limits: ArrivalLimits, loop: asyncio.AbstractEventLoop, overdue: Callable[[], None]
    ) -> None:
        self._limits = limits
        self._loop = loop
        self._overdue = overdue
        self.since: float | None = loop.time()
        self.size = 0
        self.is_body = False
        self._timer = loop.call_later(limits.head, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        """Say so if it is overdue; then look again when the next thing may be."""
        now = self._loop.time()
        if self.since is not None and self._due(self.since) <= now:
            self.since = now  # who is told may have reason to go on waiting
            self._overdue()
        due = now + self._limits.head if self.since is None else self._due(self.since)
        self._timer = self._loop.call_at(due, self._look)

    def _due(self, since: float) -> float:
        span = self._limits.body + self.size / SLOWEST if self.is_body else self._limits.head
        return since + span
