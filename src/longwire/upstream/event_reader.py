"""Read what one exchange receives: frames in, events for the client out, an error where it broke.

All transports read through this, so a response means the same on each.
"""

from collections.abc import Sequence

from longwire.core.errors import UpstreamDisconnected, UpstreamError
from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.exchange import FOREIGN, Exchange, Phase, replay_safety
from longwire.dialects.responses.errors import decode_problem
from longwire.dialects.responses.output_events import CREATED
from longwire.dialects.responses.stream import (
    MalformedEvent,
    NoEvent,
    decode_event,
    decode_item,
    decode_outputs,
    failed_as,
)

_OUTPUT, _STREAMING = Kind.OUTPUT, Phase.STREAMING
_BEFORE_OUTPUT = (Phase.AWAITING, Phase.OPENED)
_WITH_OUTPUT = (Phase.OPENED, Phase.STREAMING)


class EventReader:
    """One exchange with what was read of it so far; `failure` is set once it broke."""

    __slots__ = ("aggregate", "exchange", "failure")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.aggregate = Aggregate()
        self.failure: UpstreamError | None = None

    def read_all(self, frames: Sequence[bytes]) -> list[Event]:
        """Read frames that arrived together; return the events that the client is to see.

        Law: it is `read` for each. While a response streams, output events pass and change nothing;
        the first one begins that. They are most of all events, so they are decoded in one call.
        """
        events: list[Event] = []
        count = 0
        while count < len(frames):
            if self.exchange.phase in _WITH_OUTPUT:
                outputs = decode_outputs(frames, count)
                events += outputs
                count += len(outputs)
                self.aggregate.output_events += len(outputs)
                if outputs and self.exchange.phase is Phase.OPENED:
                    self.exchange.step(Kind.OUTPUT)
            if count < len(frames):
                event = self.read(frames[count])
                count += 1
                if event is not None:
                    events.append(event)
        return events

    def take_all(self, events: Sequence[Event]) -> list[Event]:
        """Take events that were made of another API's answer; return those for the client.

        Law: it is `_take` for each. While a response streams, output passes and changes nothing.
        """
        taken: list[Event] = []
        for event in events:
            if event.kind is _OUTPUT and self.exchange.phase is _STREAMING:
                self.aggregate.output_events += 1
                taken.append(event)
            elif self._take(event) is not None:
                taken.append(event)
        return taken

    def read(self, frame: bytes) -> Event | None:
        """Read one frame; return its event if the client is to see it."""
        phase, was_over = self.exchange.phase, self.exchange.ending is not None
        try:
            return self._take(decode_event(frame))
        except NoEvent:
            return None
        except MalformedEvent as error:
            problem = f"The upstream sent a malformed event: {error}."
            self._break(UpstreamDisconnected(problem), phase, Kind.LOST)
            # After an ending it is foreign, like anything else that follows one.
            self.exchange.step(Kind.ERROR if was_over else Kind.LOST)
            return None

    def _take(self, event: Event) -> Event | None:
        """Take one event. Raises `MalformedEvent` for an item that is none."""
        exchange, frame = self.exchange, event.raw
        phase, was_over = exchange.phase, exchange.ending is not None
        if event.kind is Kind.FAILED and phase in _BEFORE_OUTPUT:
            event = event._replace(kind=failed_as(frame))
        step = exchange.receive(event)
        if step.passes:
            self._keep(event)
        if was_over:
            return None
        if step.ending is FOREIGN:
            problem = "The upstream sent an event of another response."
            self._break(UpstreamDisconnected(problem), phase, Kind.LOST)
        elif event.kind in (Kind.ERROR, Kind.FATAL_ERROR):
            rejection = decode_problem(frame).to_rejection()
            rejection.original = event if event.wire else None
            self._break(rejection, phase, event.kind)
        return event if step.passes else None

    def _keep(self, event: Event) -> None:
        if event.kind is Kind.OUTPUT:
            self.aggregate.output_events += 1
        elif event.kind is Kind.ITEM:
            self.aggregate.add_item(*decode_item(event.raw))
        elif event.kind is Kind.OPENING:
            self.aggregate.opening = event
            if event.name == CREATED:
                self.aggregate.begin_anew()
        elif self.exchange.ending is not None:
            self.aggregate.terminal = event

    def fail(self, kind: Kind, failure: UpstreamError) -> UpstreamError:
        """End an exchange that broke without an event; return the failure to raise."""
        self._break(failure, self.exchange.phase, kind)
        self.exchange.step(kind)
        return failure

    def _break(self, failure: UpstreamError, phase: Phase, kind: Kind) -> None:
        failure.safety = replay_safety(phase, kind)
        if self.aggregate.terminal is None and self.failure is None:
            self.failure = failure
