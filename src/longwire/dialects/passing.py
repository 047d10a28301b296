"""What passing on has in common, whatever the API: a stream in blocks, and what its answer cost.

Law: the bytes of the events that come out are the bytes that went in, comments and all. What is
read of them on the way is the end of the answer and its cost, never its content.
"""

import re
from typing import Final, NamedTuple, Protocol

import msgspec
from msgspec import Raw

from longwire.core.events import FAILED, Event, Kind
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import NULL, merge, split_members
from longwire.dialects.responses.errors import is_error
from longwire.dialects.seals import MARK

_CR: Final = b"\r"
_DATA: Final = b"data:"
BOM: Final = b"\xef\xbb\xbf"
_BLANK_LINE: Final = re.compile(rb"\n(?:\n|\r\n?)|\r\r\n?")
_BLANK_LINE_BYTES: Final = 4
LARGEST: Final = 64 * 1024 * 1024
_ENDS: Final = frozenset({Kind.COMPLETED, Kind.INCOMPLETE, Kind.ERROR, *FAILED})
_NAMES: Final = {Kind.COMPLETED: "response.completed", Kind.INCOMPLETE: "response.incomplete"}
_REASONS: Final = {"length": "max_output_tokens", "filter": "content_filter"}
_NULL: Final = bytes(NULL)
_encode: Final = msgspec.json.Encoder().encode


class Blocks:
    """Cuts a stream of server-sent events behind each blank line.

    `feed` raises `ValueError` for a block too large.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes, and return the blocks that they complete, as they are."""
        rest = self._rest
        if rest:
            seen = max(len(rest) - _BLANK_LINE_BYTES, 0)
            rest += chunk
            if not _BLANK_LINE.search(rest, seen):
                if len(rest) > LARGEST:
                    raise ValueError(f"an event passes {LARGEST} bytes")
                return []
            chunk = bytes(rest)
            rest.clear()
        if _CR in chunk:
            ends = [found.end() for found in _BLANK_LINE.finditer(chunk)]
            starts = [0, *ends]
            blocks = [chunk[start:end] for start, end in zip(starts, ends, strict=False)]
            rest += chunk[starts[-1] :]
            return blocks
        parts = chunk.split(b"\n\n")
        rest += parts.pop()
        return [part + b"\n\n" for part in parts]

    def rest(self) -> bytes:
        """Return what no blank line has ended."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest


def payload_of(block: bytes) -> bytes:
    """Return the data of a block, b"" where it is a comment, or has none."""
    if block.startswith(_DATA):
        line, _, rest = block.partition(b"\n")
        data = line[len(_DATA) :].strip()
        if not rest.strip() and _CR not in data:
            return data
    lines = [
        line[len(_DATA) :].strip()
        for line in block.removeprefix(BOM).splitlines()
        if line.startswith(_DATA)
    ]
    return b"\n".join(lines)


class Ending(NamedTuple):
    """How an answer ended: whose it was, and what it cost, as raw JSON of the Responses API.

    It was `cut` by its `length`, by a `filter`, or by nothing ("").
    """

    id: str
    model: str
    cut: str = ""
    usage: bytes = _NULL


def terminal_of(ending: Ending, wire: bytes) -> Event:
    """Return the terminal of an answer, as the Responses API says it, with the bytes it came as."""
    kind = Kind.INCOMPLETE if ending.cut else Kind.COMPLETED
    reason = _encode({"reason": _REASONS[ending.cut]}) if ending.cut else _NULL
    raw = (
        b'{"type":"%b","response":{"id":%b,"object":"response","status":"%b","model":%b,'
        b'"incomplete_details":%b,"output":[],"usage":%b}}'
    ) % (
        _NAMES[kind].encode(),
        _encode(ending.id),
        b"incomplete" if ending.cut else b"completed",
        _encode(ending.model),
        reason,
        ending.usage,
    )
    return Event(kind, _NAMES[kind], raw, ending.id, wire=wire)


def counted_of(tokens: int, wire: bytes) -> Event:
    """Return the answer to a question for tokens, which is all that it says."""
    raw = _encode({"response": {"object": "response.input_tokens", "input_tokens": tokens}})
    return Event(Kind.COMPLETED, _NAMES[Kind.COMPLETED], raw, wire=wire)


def passing(kind: Kind, wire: bytes) -> Event:
    """Return an event that passes: nothing but its kind and its bytes is known."""
    # The tuple itself: the class of a named one is a call into Python, and these are most events.
    return tuple.__new__(Event, (kind, "", b"", None, None, None, wire))


def broken(data: bytes, wire: bytes) -> Event:
    """Return an upstream's error, in whatever shape it wrote it."""
    return Event(Kind.ERROR, "error", data, wire=wire)


class Notes(Protocol):
    """What is read of an answer in one API while it passes."""

    def read(self, block: bytes) -> Event:
        """Read one block of a stream, and return the event it is."""

    def ended(self) -> Event | None:
        """Return the terminal of a stream that is over without one; None where it broke off."""

    def whole(self, body: bytes) -> Event:
        """Read an answer that comes whole, and return its terminal, or its error."""


class PassedReading:
    """Reads one answer that is passed on, in the form that its request asks for.

    Its id is told once: some upstreams change it on the way, and all of it is one answer's.
    """

    __slots__ = ("_blocks", "_body", "_is_named", "_is_over", "_notes")

    def __init__(self, notes: Notes, *, streams: bool) -> None:
        self._notes = notes
        self._blocks = Blocks()
        self._body = None if streams else bytearray()
        self._is_named = False
        self._is_over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Read more of a stream, cut anywhere. Raises `ValueError` for an event too large."""
        if self._body is not None:
            self._body += chunk
            if len(self._body) > LARGEST:
                raise ValueError(f"a response passes {LARGEST} bytes")
            return []
        events, read = list[Event](), self._notes.read
        try:
            for block in self._blocks.feed(chunk):
                events.append(read(block))
        except RecursionError:
            events.append(broken(_TOO_DEEP, b""))
        return self._joined(events)

    def end(self) -> list[Event]:
        """Read the end of a stream: its terminal, where only the end says that it was one."""
        if self._body is not None:
            return self.whole(bytes(self._body))
        rest = self._blocks.rest()
        if rest.lstrip()[:1] == b"{":
            return self.whole(rest)
        events = self._joined([self._notes.read(rest)] if rest else [])
        if not self._is_over and (terminal := self._notes.ended()) is not None:
            events.append(self._named_once(terminal))
        return events

    def _named_once(self, event: Event) -> Event:
        if self._is_named:
            return event._replace(response_id=None)
        self._is_named = True
        return event

    def _joined(self, events: list[Event]) -> list[Event]:
        """Return the events with what came behind the last one of the answer as part of that."""
        for index, event in enumerate(events):
            if event.response_id is not None:
                event = events[index] = self._named_once(event)  # noqa: PLW2901
            if event.kind in _ENDS:
                rest = b"".join([each.wire for each in events[index + 1 :]])
                is_late, self._is_over = self._is_over, True
                kind = Kind.VENDOR if is_late else event.kind
                events[index:] = [event._replace(kind=kind, wire=event.wire + rest)]
                break
        return events

    def whole(self, body: bytes) -> list[Event]:
        """Read an answer that comes whole; to who waits for events it is none."""
        try:
            event = self._notes.whole(body)
        except RecursionError:
            event = broken(_TOO_DEEP, b"")
        # Not the upstream's own words: its client gets them in the envelope of its API.
        if event.kind is Kind.ERROR and not is_error(event.raw):
            event = broken(_NO_ANSWER, b"")
        elif event.kind is not Kind.ERROR and self._body is None:
            event = broken(_NO_STREAM, b"")
        return [event]


def _error(message: str) -> bytes:
    said = {"message": message, "type": "upstream_error", "param": None, "code": None}
    return _encode({"error": said})


_TOO_DEEP: Final = _error("The upstream's answer is nested too deeply to be read.")
_NO_STREAM: Final = _error(
    "The upstream answered with one JSON body where a stream was requested; request an answer "
    "that comes whole."
)
_NO_ANSWER: Final = _error(
    "The upstream answered with a body that is no answer of its API; check the base URL and the "
    "APIs of its channel."
)


def passed_body(
    turn: Turn, changes: dict[str, bytes | None], members: dict[str, Raw] | None = None
) -> bytes:
    """Return a client's body as it is passed on: as it is, but for its model's name and changes.

    It need not be split once more where its `members` are known.
    """
    body, named = turn.source.body, turn.members["model"]
    if msgspec.json.decode(named) != turn.model:
        changes = {**changes, "model": named}
    if not changes:
        return body
    return merge(members or split_members(body.removeprefix(BOM)), changes)


def has_seals(body: bytes) -> bool:
    """Whether something in a body may be sealed by us: what another vendor's models thought."""
    return MARK in body
