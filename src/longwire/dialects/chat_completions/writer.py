"""The events of one response, written as an upstream of the Responses API writes them.

Texts are raw JSON and are never decoded. Law: every item is added and done, sequence numbers have
no gap, and the terminal holds the whole output in its order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from longwire.core.events import Event, Kind
from longwire.dialects.responses import output_events

_OUTPUT: Final = Kind.OUTPUT  # for every piece: on Python 3.11 a member is dear to name
_encode: Final = msgspec.json.Encoder().encode
_NULL: Final = b"null"
_ECHOED: Final = {
    "instructions": _NULL,
    "max_output_tokens": _NULL,
    "metadata": b"{}",
    "parallel_tool_calls": b"true",
    "reasoning": b'{"effort":null,"summary":null}',
    "temperature": _NULL,
    "text": b'{"format":{"type":"text"}}',
    "tool_choice": b'"auto"',
    "top_p": _NULL,
}
"""Members of a request that its response repeats, with what they are where it says nothing."""

_MARKS: Final = {
    "message": b"msg",
    "reasoning": b"rs",
    "function_call": b"fc",
    "custom_tool_call": b"ctc",
}
_PART: Final = b'{"type":"output_text","text":%b,"annotations":[],"logprobs":[%b]}'
_REFUSAL: Final = b'{"type":"refusal","refusal":%b}'


def echo_of(members: Mapping[str, bytes]) -> bytes:
    """Return what a response repeats of its request; tools are too much of it."""
    said = ((name, members.get(name, _NULL), default) for name, default in _ECHOED.items())
    echoed = (
        b'"%b":%b' % (name.encode(), default if raw == _NULL else raw)
        for name, raw, default in said
    )
    return b'%b,"tools":[],"truncation":"disabled"' % b",".join(echoed)


def joined(pieces: Iterable[bytes]) -> bytes:
    """Return raw JSON texts as one."""
    return b'"%b"' % b"".join([piece[1:-1] for piece in pieces])


@dataclass(slots=True)
class Item:
    """One item of the output that is under way; `said` are the members that begin and end it."""

    kind: str
    index: int
    where: bytes
    said: bytes
    pieces: list[bytes] = field(default_factory=list)
    logprobs: list[bytes] = field(default_factory=list)
    is_refusal: bool = False


class ResponseWriter:
    """Writes one response; `take` gives what was written since the last time.

    `echo` is what the response repeats of its request.
    """

    def __init__(self, echo: bytes) -> None:
        self._echo = echo
        self._events: list[Event] = []
        self._sequence = 0
        self._head = b""
        self._output: list[bytes] = []
        self.response_id = ""

    def take(self) -> list[Event]:
        """Return the events since the last time."""
        events, self._events = self._events, []
        return events

    def open(self, response_id: str, model: bytes, created_at: int) -> None:
        """Begin the response. The model's name is raw JSON, the time in seconds since 1970 UTC."""
        self.response_id = response_id
        head = b'"id":%b,"object":"response","created_at":%d,"model":%b'
        self._head = head % (_encode(response_id), created_at, model)
        for name in ("response.created", "response.in_progress"):
            self._write_state(name, Kind.OPENING, b"in_progress")

    def begin(self, kind: str, said: bytes, empty: bytes) -> Item:
        """Begin an item: `said` are its members, `empty` those that grow."""
        index = len(self._output)
        self._output.append(b"")
        mark = _MARKS.get(kind, b"item")
        own = b'"lw_%b_%b_%d"' % (mark, self.response_id.encode(), index)
        item = Item(kind, index, b'"item_id":%b,"output_index":%d' % (own, index), said)
        self._write_item("response.output_item.added", Kind.OUTPUT, item, b"in_progress", empty)
        return item

    def begin_message(self) -> Item:
        """Begin a message of the model."""
        return self.begin("message", b'"role":"assistant"', b'"content":[]')

    def begin_reasoning(self) -> Item:
        """Begin reasoning."""
        return self.begin("reasoning", b'"summary":[]', b'"content":[]')

    def add_text(self, item: Item, piece: bytes, logprobs: bytes = b"") -> None:
        """Add to the text of a message; the elements of `logprobs` are raw JSON."""
        if not item.pieces:
            self._write_part(item, "added", _PART % (b'""', b""))
        item.pieces.append(piece)
        if logprobs:
            item.logprobs.append(logprobs)
        raw = b'{"type":"response.output_text.delta","sequence_number":%d,%b,"content_index":0,'
        raw += b'"delta":%b,"logprobs":[%b]}'
        raw %= (self._sequence, item.where, piece, logprobs)
        self._append(_OUTPUT, output_events.TEXT, raw)

    def add_refusal(self, item: Item, piece: bytes) -> None:
        """Add to the refusal that a message is."""
        if not item.pieces:
            item.is_refusal = True
            self._write_part(item, "added", _REFUSAL % b'""')
        item.pieces.append(piece)
        self._write("response.refusal.delta", item, b',"content_index":0,"delta":%b' % piece)

    def add_reasoning(self, item: Item, piece: bytes) -> None:
        """Add to the text of reasoning."""
        if not item.pieces:
            self._write_part(item, "added", b'{"type":"reasoning_text","text":""}')
        item.pieces.append(piece)
        self._write("response.reasoning_text.delta", item, b',"content_index":0,"delta":%b' % piece)

    def add(self, item: Item, stem: str, piece: bytes) -> None:
        """Add to the arguments or the input of a call, whose events begin with a stem."""
        item.pieces.append(piece)
        self._write(f"{stem}.delta", item, b',"delta":%b' % piece)

    def end_message(self, item: Item, status: bytes) -> None:
        """End a message."""
        text = joined(item.pieces)
        logprobs = b",".join(item.logprobs)
        if item.is_refusal:
            part = _REFUSAL % text
            self._write("response.refusal.done", item, b',"content_index":0,"refusal":%b' % text)
        else:
            part = _PART % (text, logprobs)
            said = b',"content_index":0,"text":%b,"logprobs":[%b]' % (text, logprobs)
            self._write("response.output_text.done", item, said)
        self._write_part(item, "done", part)
        self.end(item, b'"content":[%b]' % part, status)

    def end_reasoning(self, item: Item, encrypted: bytes) -> None:
        """End reasoning with its encrypted content, raw JSON or null."""
        content = b""
        if item.pieces:
            text = joined(item.pieces)
            content = b'{"type":"reasoning_text","text":%b}' % text
            said = b',"content_index":0,"text":%b' % text
            self._write("response.reasoning_text.done", item, said)
            self._write_part(item, "done", content)
        said = b'"content":[%b],"encrypted_content":%b' % (content, encrypted)
        self.end(item, said, b"completed")

    def end_call(self, item: Item, stem: str, member: bytes, status: bytes) -> None:
        """End a call whose text is a member of it."""
        said = b'"%b":%b' % (member, joined(item.pieces))
        self._write(f"{stem}.done", item, b"," + said)
        self.end(item, said, status)

    def end(self, item: Item, said: bytes, status: bytes) -> None:
        """End an item with the members that grew."""
        self._output[item.index] = self._write_item(
            "response.output_item.done", Kind.ITEM, item, status, said
        )

    def finish(self, usage: bytes, incomplete: str = "") -> None:
        """End the response; it may be `incomplete` for a reason. Usage is raw JSON or null."""
        output = self._output
        if incomplete:
            name, kind, status = "response.incomplete", Kind.INCOMPLETE, b"incomplete"
            details = _encode({"reason": incomplete})
        else:
            name, kind, status, details = "response.completed", Kind.COMPLETED, b"completed", _NULL
        self._write_state(name, kind, status, output, b'%b,"usage":%b' % (details, usage))

    def fail(self, error: bytes) -> None:
        """Break the answer off with an error, raw JSON."""
        raw = b'{"type":"error","error":%b}' % error
        self._events.append(Event(Kind.ERROR, "error", raw))

    def _write_part(self, item: Item, happening: str, part: bytes) -> None:
        name = f"response.content_part.{happening}"
        self._write(name, item, b',"content_index":0,"part":%b' % part)

    def _write_item(self, name: str, kind: Kind, item: Item, status: bytes, said: bytes) -> bytes:
        own = item.where[len(b'"item_id":') : item.where.index(b',"output_index"')]
        state = b"" if item.kind == "reasoning" else b',"status":"%b"' % status
        members = b",".join(filter(None, (item.said, said)))
        raw = b'{"id":%b,"type":"%b"%b,%b}' % (own, item.kind.encode(), state, members)
        self._write_event(name, kind, b'"output_index":%d,"item":%b' % (item.index, raw))
        return raw

    def _write(self, name: str, item: Item, said: bytes) -> None:
        self._write_event(name, _OUTPUT, item.where + said)

    def _write_state(
        self,
        name: str,
        kind: Kind,
        status: bytes,
        output: Sequence[bytes] = (),
        ending: bytes = b'null,"usage":null',
    ) -> None:
        said = b'"response":{%b,"status":"%b","error":null,"previous_response_id":null,%b,'
        said += b'"output":[%b],"incomplete_details":%b}'
        said %= (self._head, status, self._echo, b",".join(output), ending)
        self._write_event(name, kind, said, self.response_id)

    def _write_event(
        self, name: str, kind: Kind, said: bytes, response_id: str | None = None
    ) -> None:
        raw = b'{"type":"%b","sequence_number":%d,%b}' % (name.encode(), self._sequence, said)
        self._append(kind, name, raw, response_id)

    def _append(self, kind: Kind, name: str, raw: bytes, response_id: str | None = None) -> None:
        parts = (kind, name, raw, response_id, self._sequence, None, b"")
        # The tuple itself: the class of a named one is a call into Python.
        self._events.append(tuple.__new__(Event, parts))
        self._sequence += 1
