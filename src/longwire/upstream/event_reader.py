"""Take what one exchange receives: frames in, events to pass on out, an error where it broke.

Both transports read through this, so a response means the same on either.
"""

from collections.abc import Sequence

from longwire.core.errors import UpstreamDisconnected, UpstreamError
from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.exchange import FOREIGN, Exchange, Phase, replay_safety
from longwire.dialects.responses.errors import decode_problem
from longwire.dialects.responses.stream import (
    MalformedEvent,
    NoEvent,
    decode_event,
    decode_item,
    decode_outputs,
)


class EventReader:
    """One exchange with what it has brought so far; `failure` is set once it broke."""

    __slots__ = ("aggregate", "exchange", "failure")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.aggregate = Aggregate()
        self.failure: UpstreamError | None = None

    def take_all(self, frames: Sequence[bytes]) -> list[Event]:
        """Take what arrived together; return the events that the client is to see."""
        events: list[Event] = []
        taken = 0
        while taken < len(frames):
            if self.exchange.phase is Phase.STREAMING:
                outputs = decode_outputs(frames, taken)
                events += outputs
                taken += len(outputs)
            if taken < len(frames):
                event = self.take(frames[taken])
                taken += 1
                if event is not None:
                    events.append(event)
        return events

    def take(self, raw: bytes) -> Event | None:
        """Take one frame; return the event if the client is to see it."""
        exchange = self.exchange
        phase, was_over = exchange.phase, exchange.ending is not None
        try:
            event = decode_event(raw)
            if exchange.passes(event):
                return event
            step = exchange.receive(event)
            if step.passes:
                self._keep(event)
        except NoEvent:
            return None
        except MalformedEvent as error:
            told = UpstreamDisconnected(f"The upstream sent a malformed event: {error}.")
            self._break(told, phase, Kind.LOST)
            # After an ending it is foreign, like anything else that follows one.
            exchange.step(Kind.ERROR if was_over else Kind.LOST)
            return None
        if was_over:
            return None
        if step.ending is FOREIGN:
            told = UpstreamDisconnected("The upstream sent an event of another response.")
            self._break(told, phase, Kind.LOST)
        elif event.kind in (Kind.ERROR, Kind.FATAL_ERROR):
            self._break(decode_problem(raw).to_rejection(), phase, event.kind)
        return event if step.passes else None

    def _keep(self, event: Event) -> None:
        if event.kind is Kind.ITEM:
            self.aggregate.add_item(*decode_item(event.raw))
        elif event.kind is Kind.OPENING:
            self.aggregate.opening = event
        elif self.exchange.ending is not None:
            self.aggregate.terminal = event

    def fail(self, kind: Kind, failure: UpstreamError) -> UpstreamError:
        """Take note that the exchange broke by itself; return the failure to raise."""
        self._break(failure, self.exchange.phase, kind)
        self.exchange.step(kind)
        return failure

    def _break(self, failure: UpstreamError, phase: Phase, kind: Kind) -> None:
        failure.safety = replay_safety(phase, kind)
        if self.aggregate.terminal is None and self.failure is None:
            self.failure = failure

    @property
    def is_over(self) -> bool:
        """Whether the terminal came or the exchange broke."""
        return self.exchange.ending is not None
