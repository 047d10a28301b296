"""Warm-ups of sessions over HTTP, which has none: the gateway responds itself, and sends nothing.

What a warm-up brought is sent with the next turn, which names its response.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex

from longwire.core.events import Event, Kind
from longwire.core.rules.continuity import Reason
from longwire.core.rules.exchange import Exchange
from longwire.dialects.responses.websocket_mode import warm_up_events
from longwire.upstream.event_reader import EventReader
from longwire.upstream.ports import Call, Delivery, FastPath


class WarmUp:
    """A transport to nowhere; see `upstream.ports.Transport`."""

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator["_Stream"]:
        """Yield the events of a response without output."""
        response_id = f"resp_{token_hex(24)}"
        yield _Stream(warm_up_events(call.turn, response_id, int(time.time())))


class _Stream:
    """The events of one warm-up, in one batch."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames: Sequence[bytes] = frames
        self._event_reader = EventReader(Exchange(is_alone=True))
        self._event_reader.exchange.step(Kind.SENT)
        self.aggregate = self._event_reader.aggregate
        self.headers: Mapping[str, str] = {}
        self.delivery = Delivery("http", "fresh", Reason.WARM_UP.value, bytes_sent=0)

    def set_fast_path(self, fast_path: FastPath) -> None:
        """Do without: all events come in one batch."""

    def when_drained(self, then: Callable[[], object]) -> bool:  # noqa: ARG002
        """Have nothing to drain."""
        return False

    def __aiter__(self) -> AsyncIterator[Sequence[Event]]:
        return self

    async def __anext__(self) -> Sequence[Event]:
        frames, self._frames = self._frames, ()
        if not frames:
            raise StopAsyncIteration
        return self._event_reader.read_all(frames)
