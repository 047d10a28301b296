"""Items of an output as they grow: messages, reasoning and calls, each with one text.

Law: every item and every part is begun and ended in full.
"""

from dataclasses import dataclass, field
from typing import Final

from longwire.core.events import Kind
from longwire.dialects.responses import output_events
from longwire.dialects.responses.output import EMPTY, Output, head_of, joined

_OUTPUT: Final = Kind.OUTPUT
_PREFIXES: Final = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
}
_PART: Final = b'{"type":"output_text","text":%b,"annotations":[%b],"logprobs":[%b]}'
_REFUSAL: Final = b'{"type":"refusal","refusal":%b}'
_CONTENT: Final = b',"content_index":0'
_SUMMARY: Final = b',"summary_index":0'
_MEMBERS: Final = {"function_call": "arguments", "custom_tool_call": "input"}
_PIECES: Final = {
    "function_call": output_events.ARGUMENTS,
    "custom_tool_call": output_events.CUSTOM_INPUT,
}


@dataclass(slots=True)
class Item:
    """One item that is under way; `said` are the members that begin and end it.

    `place` says in events where it is, `head` is what all pieces of its text begin with.
    """

    kind: str
    own_id: bytes
    index: int
    place: bytes
    said: bytes
    head: bytes = b""
    pieces: list[bytes] = field(default_factory=list)
    logprobs: list[bytes] = field(default_factory=list)
    annotations: list[bytes] = field(default_factory=list)
    is_refusal: bool = False
    is_summary: bool = False

    def raw(self, said: bytes, status: bytes) -> bytes:
        """Return it with members that grew; reasoning has no status."""
        state = b"" if self.kind == "reasoning" else b',"status":"%b"' % status
        members = b",".join(filter(None, (self.said, said)))
        return b'{"id":%b,"type":"%b"%b,%b}' % (self.own_id, self.kind.encode(), state, members)


class ResponseWriter:
    """Writes the items of one response to its `output`."""

    __slots__ = ("output",)

    def __init__(self, output: Output) -> None:
        self.output = output

    def start(self, kind: str, said: bytes, empty: bytes = b"") -> Item:
        """Begin an item: `said` are its members, `empty` those that grow."""
        index, own_id = self.output.begin(_PREFIXES.get(kind, "item"))
        place = b'"item_id":%b,"output_index":%d' % (own_id, index)
        item = Item(kind, own_id, index, place, said)
        self.output.add(index, item.raw(empty, b"in_progress"))
        return item

    def start_message(self) -> Item:
        """Begin a message of the model."""
        return self.start("message", b'"role":"assistant"', b'"content":[]')

    def start_reasoning(self, *, is_summary: bool = False) -> Item:
        """Begin reasoning, which shows a summary or its text."""
        if is_summary:
            item = self.start("reasoning", b"", b'"summary":[]')
            item.is_summary = True
            return item
        return self.start("reasoning", b'"summary":[]', b'"content":[]')

    def start_call(self, kind: str, said: bytes) -> Item:
        """Begin a call, whose text are its arguments or its input."""
        item = self.start(kind, said, b'"%b":""' % _MEMBERS[kind].encode())
        item.head = head_of(_PIECES[kind], item.place)
        return item

    def add_text(self, item: Item, piece: bytes, logprobs: bytes = b"") -> None:
        """Add to the text of a message; the elements of `logprobs` are raw JSON."""
        if not item.pieces:
            self._put_part(item, "added", _PART % (EMPTY, b"", b""))
            item.head = head_of(output_events.TEXT, item.place + _CONTENT + b',"logprobs":[]')
        item.pieces.append(piece)
        if logprobs:
            item.logprobs.append(logprobs)
            said = b'%b,"delta":%b,"logprobs":[%b]' % (item.place + _CONTENT, piece, logprobs)
            self.output.put(_OUTPUT, output_events.TEXT, said)
        else:
            self.output.piece(output_events.TEXT, item.head, piece)

    def add_refusal(self, item: Item, piece: bytes) -> None:
        """Add to the refusal that a message is."""
        if not item.pieces:
            item.is_refusal = True
            self._put_part(item, "added", _REFUSAL % EMPTY)
            item.head = head_of(output_events.REFUSAL, item.place + _CONTENT)
        item.pieces.append(piece)
        self.output.piece(output_events.REFUSAL, item.head, piece)

    def add_thought(self, item: Item, piece: bytes) -> None:
        """Add to the text or the summary of reasoning."""
        name = output_events.SUMMARY if item.is_summary else output_events.REASONING
        if not item.pieces:
            kind = b"summary_text" if item.is_summary else b"reasoning_text"
            self._put_part(item, "added", b'{"type":"%b","text":""}' % kind)
            item.head = head_of(name, item.place + (_SUMMARY if item.is_summary else _CONTENT))
        item.pieces.append(piece)
        self.output.piece(name, item.head, piece)

    def add_to_call(self, item: Item, piece: bytes) -> None:
        """Add to the text of a call."""
        item.pieces.append(piece)
        self.output.piece(_PIECES[item.kind], item.head, piece)

    def annotate(self, item: Item, annotation: bytes) -> None:
        """Add an annotation to a message."""
        said = b'%b,"annotation_index":%d,"annotation":%b'
        said %= (item.place + _CONTENT, len(item.annotations), annotation)
        self.output.put(_OUTPUT, "response.output_text.annotation.added", said)
        item.annotations.append(annotation)

    def end_message(self, item: Item, status: bytes) -> None:
        """End a message."""
        text, place = joined(item.pieces), item.place + _CONTENT
        logprobs = b",".join(item.logprobs)
        if item.is_refusal:
            part = _REFUSAL % text
            self.output.put(_OUTPUT, "response.refusal.done", b'%b,"refusal":%b' % (place, text))
        else:
            part = _PART % (text, b",".join(item.annotations), logprobs)
            said = b'%b,"text":%b,"logprobs":[%b]' % (place, text, logprobs)
            self.output.put(_OUTPUT, "response.output_text.done", said)
        self._put_part(item, "done", part)
        self.end(item, b'"content":[%b]' % part, status)

    def end_reasoning(self, item: Item, encrypted: bytes) -> None:
        """End reasoning with its encrypted content, raw JSON or null."""
        kind = "summary" if item.is_summary else "content"
        part = b""
        if item.pieces:
            text = joined(item.pieces)
            stem = "reasoning_summary_text" if item.is_summary else "reasoning_text"
            place = item.place + (_SUMMARY if item.is_summary else _CONTENT)
            self.output.put(_OUTPUT, f"response.{stem}.done", b'%b,"text":%b' % (place, text))
            shape = b"summary_text" if item.is_summary else b"reasoning_text"
            part = b'{"type":"%b","text":%b}' % (shape, text)
            self._put_part(item, "done", part)
        said = b'"%b":[%b],"encrypted_content":%b' % (kind.encode(), part, encrypted)
        self.end(item, said, b"completed")

    def end_call(self, item: Item, status: bytes) -> None:
        """End a call."""
        said = b'"%b":%b' % (_MEMBERS[item.kind].encode(), joined(item.pieces))
        name = _PIECES[item.kind].replace(".delta", ".done")
        self.output.put(_OUTPUT, name, b"%b,%b" % (item.place, said))
        self.end(item, said, status)

    def end(self, item: Item, said: bytes, status: bytes) -> None:
        """End an item with the members that grew."""
        self.output.finish(item.index, item.raw(said, status))

    def put_item(self, kind: str, said: bytes, status: bytes = b"completed") -> None:
        """Write a whole item of a type that has no text; `said` are its members."""
        self.end(self.start(kind, said), b"", status)

    def put_call(self, kind: str, said: bytes, text: bytes, status: bytes = b"completed") -> None:
        """Write a whole call; `said` are the members beside its text, raw JSON."""
        item = self.start_call(kind, said)
        self.add_to_call(item, text)
        self.end_call(item, status)

    def _put_part(self, item: Item, happening: str, part: bytes) -> None:
        kind, index = "content_part", _CONTENT
        if item.is_summary:
            kind, index = "reasoning_summary_part", _SUMMARY
        self.output.put(
            _OUTPUT, f"response.{kind}.{happening}", b'%b%b,"part":%b' % (item.place, index, part)
        )
