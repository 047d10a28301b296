"""The events of one response, as a strict upstream of the Responses API writes them.

For upstreams of other APIs, whose answers are read as these. Texts are raw JSON and never decoded.
Law: sequence numbers have no gap, and the terminal holds all finished items in their order.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from longwire.core.events import Event, Kind
from longwire.dialects.responses import output_events

EMPTY: Final = b'""'
_OUTPUT: Final = Kind.OUTPUT  # for every piece: on Python 3.11 a member is dear to name
_NULL: Final = b"null"
_ECHOED: Final = {
    "instructions": _NULL,
    "max_output_tokens": _NULL,
    "metadata": b"{}",
    "parallel_tool_calls": b"true",
    "reasoning": b'{"effort":null,"summary":null}',
    "store": b"false",
    "temperature": _NULL,
    "text": b'{"format":{"type":"text"}}',
    "tool_choice": b'"auto"',
    "top_p": _NULL,
}
"""Members of a request that its response repeats, with what they are where it says nothing."""

_UNSAID: Final = b'"previous_response_id":null,"tools":[],"truncation":"disabled"'
_TERMINALS: Final = {
    "completed": Kind.COMPLETED,
    "incomplete": Kind.INCOMPLETE,
    "failed": Kind.FAILED,
}
_encode: Final = msgspec.json.Encoder().encode


def echo_of(members: Mapping[str, bytes]) -> bytes:
    """Return what a response repeats of its request; instructions and tools are too much of it."""
    said = [
        b'"%b":%b' % (name.encode(), default if raw == _NULL else raw)
        for name, default in _ECHOED.items()
        for raw in [_NULL if name == "instructions" else members.get(name, _NULL)]
    ]
    return b",".join([*said, _UNSAID])


def joined(pieces: Iterable[bytes]) -> bytes:
    """Return raw JSON texts as one."""
    return b'"%b"' % b"".join([piece[1:-1] for piece in pieces])


def head_of(name: str, place: bytes) -> bytes:
    """Return what all pieces of one text begin with."""
    return b'{"type":"%b",%b,"delta":' % (name.encode(), place)


class Output:
    """Writes the events of one answer; `items` are those that are finished, by their indices.

    `echo` is what the response repeats of its request, `model` the model's name as raw JSON.
    """

    __slots__ = (
        "_created_at",
        "_echo",
        "_events",
        "_number",
        "_times",
        "count",
        "items",
        "model",
        "response_id",
    )

    def __init__(self, echo: bytes) -> None:
        self._echo = echo
        self._events: list[Event] = []
        self._number = 0
        self._times: Counter[str] = Counter()
        self._created_at = 0
        self.model = EMPTY
        self.response_id = ""
        self.items: dict[int, bytes] = {}
        self.count = 0

    def take(self) -> list[Event]:
        """Return the events since the last time."""
        events, self._events = self._events, []
        return events

    def open(self, response_id: str, model: bytes, created_at: int = 0) -> None:
        """Begin the response; the time is in seconds since 1970 UTC."""
        self.response_id, self.model, self._created_at = response_id, model, created_at
        self._put_opening(output_events.CREATED)
        self._put_opening("response.in_progress")

    def _put_opening(self, name: str) -> None:
        self.put(Kind.OPENING, name, self._response(b"in_progress", b"null", _NULL, _NULL))

    def begin_anew(self) -> None:
        """Begin the answer once more: the response is without the items so far."""
        self.items.clear()
        self._put_opening(output_events.CREATED)

    def close(
        self, status: str, usage: bytes, *, details: bytes = _NULL, error: bytes = _NULL
    ) -> None:
        """End the response as completed, incomplete or failed. All but the status is raw JSON."""
        ending = self._response(status.encode(), details, error, usage)
        self.put(_TERMINALS[status], f"response.{status}", ending)

    def _response(self, status: bytes, details: bytes, error: bytes, usage: bytes) -> bytes:
        items = b",".join([raw for _, raw in sorted(self.items.items())])
        said = b'"response":{"id":%b,"object":"response","created_at":%d,"status":"%b","error":%b,'
        said += b'"incomplete_details":%b,"model":%b,"output":[%b],"usage":%b,%b}'
        own = _encode(self.response_id)
        head = (own, self._created_at, status, error, details, self.model)
        return said % (*head, items, usage, self._echo)

    def break_off(self, raw: bytes) -> None:
        """Break the answer off with the envelope of an error."""
        self._events.append(Event(Kind.ERROR, "error", raw))

    def begin(self, prefix: str) -> tuple[int, bytes]:
        """Return index and id, as raw JSON, of the next item."""
        index, self.count = self.count, self.count + 1
        return index, b'"lw_%b_%b_%d"' % (prefix.encode(), self.response_id.encode(), index)

    def unique(self, call_id: str) -> str:
        """Return the id of the next call that its upstream gives this one: no two are the same."""
        self._times[call_id] += 1
        again = self._times[call_id]
        return call_id if again == 1 else self.unique(f"{call_id}_again_{again}")

    def put(self, kind: Kind, name: str, members: bytes) -> None:
        """Write an event, whose `members` are raw JSON."""
        raw = b'{"type":"%b",%b,"sequence_number":%d}' % (name.encode(), members, self._number)
        own = None if kind is Kind.OUTPUT or kind is Kind.ITEM else self.response_id
        self._events.append(Event(kind, name, raw, own, self._number))
        self._number += 1

    def piece(self, name: str, head: bytes, delta: bytes) -> None:
        """Write a piece of a text, behind the head that all pieces of it have."""
        raw = b'%b%b,"sequence_number":%d}' % (head, delta, self._number)
        parts = (_OUTPUT, name, raw, None, self._number, None, b"")
        # The tuple itself: the class of a named one is a call into Python.
        self._events.append(tuple.__new__(Event, parts))
        self._number += 1

    def add(self, index: int, item: bytes) -> None:
        """Say that an item has begun."""
        self.put(_OUTPUT, output_events.ITEM_ADDED, b'"output_index":%d,"item":%b' % (index, item))

    def finish(self, index: int, item: bytes) -> None:
        """Say what an item has become."""
        self.items[index] = item
        self.put(Kind.ITEM, output_events.ITEM_DONE, b'"output_index":%d,"item":%b' % (index, item))
