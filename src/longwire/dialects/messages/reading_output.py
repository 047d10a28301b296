"""Events of the Responses API as a strict upstream of it writes them: numbered, in order."""

from typing import Final

from longwire.core.events import Event, Kind
from longwire.dialects.responses import output_events

EMPTY: Final = b'""'
_OUTPUT: Final = Kind.OUTPUT  # for every piece: on Python 3.11 a member is dear to name


class Output:
    """Writes the events of one answer; `items` are those that are finished, by their indices."""

    __slots__ = ("_number", "count", "events", "items", "response_id")

    def __init__(self, response_id: str) -> None:
        self.response_id = response_id
        self.events: list[Event] = []
        self.items: dict[int, bytes] = {}
        self._number = 0
        self.count = 0

    def begin(self, prefix: str) -> tuple[int, bytes]:
        """Return index and id, as raw JSON, of the next item."""
        index, self.count = self.count, self.count + 1
        return index, b'"lw_%b_%b_%d"' % (prefix.encode(), self.response_id.encode(), index)

    def put(self, kind: Kind, name: str, members: bytes) -> None:
        """Write an event, whose `members` are raw JSON."""
        raw = b'{"type":"%b",%b,"sequence_number":%d}' % (name.encode(), members, self._number)
        own = None if kind is Kind.OUTPUT or kind is Kind.ITEM else self.response_id
        self.events.append(Event(kind, name, raw, own, self._number))
        self._number += 1

    def piece(self, name: str, head: bytes, delta: bytes) -> None:
        """Write a piece of a text, behind the head that all pieces of it have."""
        raw = b'%b%b,"sequence_number":%d}' % (head, delta, self._number)
        parts = (_OUTPUT, name, raw, None, self._number, None, b"")
        # The tuple itself: the class of a named one is a call into Python.
        self.events.append(tuple.__new__(Event, parts))
        self._number += 1

    def add(self, index: int, item: bytes) -> None:
        """Say that an item has begun."""
        self.put(
            Kind.OUTPUT, output_events.ITEM_ADDED, b'"output_index":%d,"item":%b' % (index, item)
        )

    def finish(self, index: int, item: bytes) -> None:
        """Say what an item has become."""
        self.items[index] = item
        self.put(Kind.ITEM, output_events.ITEM_DONE, b'"output_index":%d,"item":%b' % (index, item))


def head_of(name: str, place: bytes) -> bytes:
    """Return what all pieces of one text begin with."""
    return b'{"type":"%b",%b,"delta":' % (name.encode(), place)
