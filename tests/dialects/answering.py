"""An answer to a client of any API, made of its upstream's frames as they come."""

from collections.abc import Iterable, Sequence

from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.clients import dialect_of
from longwire.dialects.responses.stream import decode_event, decode_item


class Answering:
    """An answer under way, with the reader of its upstream's frames."""

    def __init__(self, turn: Turn) -> None:
        self.aggregate = Aggregate()
        self.answer = dialect_of(turn.source.api).answer(turn, self.aggregate, {})

    def plain(self, frames: Sequence[bytes]) -> tuple[int, bytes]:
        """Frames on the hot path, as many as pass there."""
        return self.answer.encode_plain(iter(frames))

    def batch(self, frames: Sequence[bytes]) -> bytes:
        """Frames that were decoded."""
        return self.answer.encode_batch([self.event(each) for each in frames])

    def event(self, raw: bytes) -> Event:
        """An event, kept where its reader keeps it."""
        event = decode_event(raw)
        if event.kind is Kind.ITEM:
            self.aggregate.add_item(*decode_item(raw))
        elif event.kind is Kind.OPENING:
            self.aggregate.opening = event
        elif event.kind is not Kind.OUTPUT:
            self.aggregate.terminal = event
        return event

    def whole(self, frames: Sequence[bytes]) -> bytes:
        """The body of an answer that does not stream."""
        for each in frames:
            self.event(each)
        return self.answer.whole(self.aggregate.terminal)


def stream(turn: Turn, frames: Sequence[bytes], plan: Iterable[tuple[bool, int]] = ()) -> bytes:
    """A stream's bytes; the plan says how many frames come at once, and whether undecoded."""
    answering, at, sent = Answering(turn), 0, b""
    for is_plain, count in [*plan, (False, len(frames))]:
        some = frames[at : at + count]
        taken = 0
        if is_plain and some:
            taken, encoded = answering.plain(some)
            sent += encoded
        if taken < len(some):
            sent += answering.batch(some[taken:])
        at += count
        if answering.answer.is_cut:
            break
    return sent
