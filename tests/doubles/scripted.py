"""A transport that does what a list says: for sequences of failures that no upstream produces."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.exchange import Exchange
from longwire.upstream.event_reader import EventReader
from longwire.upstream.ports import Call, Delivery, TransportName

Step = Exception | Sequence[bytes | Exception | None]
"""A failure to send; or an answer: frames, None for silence, a failure where it breaks off."""

CREATED = b'{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","output":[]}}'
DELTA = b'{"type":"response.output_text.delta","sequence_number":1,"delta":"x"}'
COMPLETED = (
    b'{"type":"response.completed","sequence_number":2,"response":{"id":"resp_1",'
    b'"status":"completed","output":[],"usage":{"input_tokens":7,"output_tokens":5,'
    b'"input_tokens_details":{"cached_tokens":3},'
    b'"output_tokens_details":{"reasoning_tokens":2}}}}'
)
GOOD = (CREATED, DELTA, COMPLETED)


class ScriptedStream:
    """One answer, read as the real transports read theirs."""

    def __init__(self, delivery: Delivery, answer: Sequence[bytes | Exception | None]) -> None:
        self.delivery = delivery
        self.headers = {}
        self._left = list(answer)
        self._event_reader = EventReader(Exchange(is_alone=True))
        self._event_reader.exchange.step(Kind.SENT)

    @property
    def aggregate(self) -> Aggregate:
        return self._event_reader.aggregate

    def __aiter__(self) -> "ScriptedStream":
        return self

    def when_drained(self, _: object) -> bool:
        return False

    async def __anext__(self) -> Sequence[Event]:
        if not self._left:
            raise StopAsyncIteration
        part = self._left[0]
        if isinstance(part, Exception):
            raise part
        self._left.pop(0)
        event = None if part is None else self._event_reader.read(part)
        if self._event_reader.failure is not None:
            raise self._event_reader.failure
        return [] if event is None else [event]


class Scripted:
    """Takes one step for each call, the last one for ever."""

    def __init__(self, *steps: Step, transport: TransportName = "websocket") -> None:
        self.steps = list(steps or (GOOD,))
        self.transport = transport
        self.calls: list[Call] = []
        self.open_now = 0

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[ScriptedStream]:
        assert self.open_now == 0
        self.calls.append(call)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        reason = call.reason.value if call.reason else "new_session"
        self.open_now += 1
        try:
            yield ScriptedStream(Delivery(self.transport, "fresh", reason, 100, 0.25), step)
        finally:
            self.open_now -= 1
