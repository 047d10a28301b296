"""Events of the Responses API as content blocks of a stream.

Law: one block is open at a time, and their indices are dense. What belongs to a later item waits
until the one before it is done. The blocks are those that `render` makes of the whole items.
"""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.core import sse
from longwire.dialects.halves import Pieces
from longwire.dialects.messages.ids import CallIds
from longwire.dialects.messages.options import Options
from longwire.dialects.messages.render import (
    Item,
    call_start,
    decode_text,
    encode,
    item_of,
    phase_block,
    phase_of,
    search_of,
    thinking_block,
    thoughts_of,
)
from longwire.dialects.messages.thinking import sealed
from longwire.dialects.raw_json import NULL, split_members, tolerant
from longwire.dialects.responses import output_events
from longwire.dialects.stops import Cutter

END: Final = b"}}\n\n"
_DELTAS: Final = {
    "text": b'"text_delta","text":',
    "thinking": b'"thinking_delta","thinking":',
    "tool_use": b'"input_json_delta","partial_json":',
}
ACTING: Final = frozenset(
    {
        output_events.ITEM_ADDED,
        output_events.ITEM_DONE,
        output_events.TEXT,
        output_events.REFUSAL,
        output_events.ARGUMENTS,
        output_events.SUMMARY,
        output_events.REASONING,
        output_events.SUMMARY_PART,
    }
)
"""The events that add to an answer; the others say again what these have said."""

_EMPTY: Final = b'""'
_ESCAPE: Final = b"\\u"
_THINKING: Final = b'{"type":"thinking"'
_BREAK: Final = b'"\\n\\n"'
_STARTS: Final = {
    "text": b'{"type":"text","text":""}',
    "thinking": b'{"type":"thinking","thinking":"","signature":""}',
}


class Frame(msgspec.Struct):
    """What is read of an event of output."""

    type: str
    output_index: int | None = None
    delta: Raw = NULL
    item: Raw = NULL
    stream_id: str | None = None


_decode_frame: Final = tolerant(msgspec.json.Decoder(Frame).decode)


def frame_of(raw: bytes) -> Frame:
    """Return an event of output; a delta that begins or ends within an emoji keeps its half."""
    frame = _decode_frame(raw)
    delta = bytes(frame.delta)
    if _ESCAPE in delta and delta not in raw:
        frame.delta = split_members(raw)["delta"]
    return frame


class Blocks:
    """The blocks of one stream: which one is open, and what was written since it was taken.

    Events of the type `plain` for the item `index` go on with the open block: their deltas are
    written between `prefix` and `END` as they came.
    """

    __slots__ = ("_count", "_kind", "index", "parts", "plain", "prefix")

    def __init__(self) -> None:
        self.parts: list[bytes | Raw] = []
        self.plain = ""
        self.index: int | None = None
        self.prefix = b""
        self._count = 0
        self._kind = ""

    @property
    def is_open(self) -> bool:
        """Whether a block is open."""
        return bool(self._kind)

    def open(self, kind: str, start: bytes, plain: str = "") -> None:
        """Begin a block; further events of type `plain` are its deltas."""
        count = self._count
        body = b'{"type":"content_block_start","index":%d,"content_block":%b}' % (count, start)
        self.parts.append(sse.encode("content_block_start", body))
        delta = b'{"type":"content_block_delta","index":%d,"delta":{"type":' % count
        self.prefix = sse.prefix("content_block_delta") + delta + _DELTAS[kind]
        self._kind, self.plain = kind, plain

    def write(self, text: bytes | Raw) -> None:
        """Write a piece of the open block, as raw JSON text."""
        self.parts += (self.prefix, text, END)

    def sign(self, signature: bytes) -> None:
        """Write the signature of the open block of thinking, whole."""
        at = len(self.prefix) - len(_DELTAS["thinking"])
        self.parts += (self.prefix[:at], b'"signature_delta","signature":', signature, END)

    def close(self) -> None:
        """End the open block, if there is one."""
        if self._kind:
            body = b'{"type":"content_block_stop","index":%d}' % self._count
            self.parts.append(sse.encode("content_block_stop", body))
            self._count += 1
        self._kind = self.plain = ""

    def put(self, block: bytes) -> None:
        """Write a block that has no deltas."""
        self.open("tool_use", block)
        self.close()

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written = b"".join(self.parts)
        self.parts.clear()
        return written


class Items:
    """Writes items as blocks, one after the other; says what ends the answer.

    `has_calls`, `is_refused` and `stop_sequence` decide on its stop reason. While it
    `is_within_emoji`, half of one waits for the other.
    """

    __slots__ = (
        "_cutter",
        "_done",
        "_halves",
        "_ids",
        "_is_carried",
        "_item",
        "_options",
        "_unsigned",
        "_waiting",
        "blocks",
        "has_calls",
        "is_refused",
        "is_within_emoji",
        "stop_sequence",
    )

    def __init__(self, options: Options, sent: bytes) -> None:
        self._options = options
        self._ids = CallIds(sent)
        self.blocks = Blocks()
        self._done: set[int] = set()
        self._waiting: list[Frame] = []
        self._item = Item()
        self._unsigned: Item | None = None
        self._is_carried = False
        self._cutter: Cutter | None = None
        self._halves = Pieces()
        self.has_calls = self.is_refused = self.is_within_emoji = False
        self.stop_sequence: str | None = None

    @property
    def has_none(self) -> bool:
        """Whether no item was seen."""
        return not self._done and self.blocks.index is None

    def take(self, frame: Frame) -> None:
        """Write what an event adds; one of a later item waits for its turn."""
        index, blocks = frame.output_index, self.blocks
        if frame.type not in ACTING or index is None or index in self._done or self.is_cut:
            return
        if blocks.index is None:
            self._begin(frame, index)
        elif blocks.index != index:
            self._waiting.append(frame)
            return
        delta = bytes(frame.delta)
        if _ESCAPE in delta or (self.is_within_emoji and delta[:1] == b'"'):
            frame.delta = Raw(self._halves.joined(delta))
            self.is_within_emoji = self._halves.is_held
        match frame.type:
            case output_events.ITEM_DONE:
                self._finish(frame)
            case output_events.ITEM_ADDED:
                self._open_known()
            case output_events.ARGUMENTS:
                self._arguments(frame.delta)
            case output_events.SUMMARY_PART:
                blocks.plain = ""  # the next thought begins with a break
            case output_events.TEXT | output_events.REFUSAL:
                self._text(frame)
            case _:
                self._thought(frame)

    @property
    def is_cut(self) -> bool:
        """Whether a stop sequence ended the answer."""
        return self.stop_sequence is not None

    def _begin(self, frame: Frame, index: int) -> None:
        self.blocks.index = index
        self._item = item_of(frame.item)
        self._is_carried = self._sign(phase_of(self._item))
        sequences = self._options.stop_sequences
        self._cutter = Cutter(sequences) if sequences else None

    def _open_known(self) -> None:
        """Open the block of a call as soon as it is named."""
        item = self._item
        if item.type == "function_call" and item.name and item.call_id:
            self._open_call(item)

    def _open_call(self, item: Item) -> None:
        self.has_calls = True
        start = call_start(item, self.blocks.index or 0, self._options, self._ids)
        self.blocks.open("tool_use", start + b"{}}")

    def _text(self, frame: Frame) -> None:
        self.is_refused = self.is_refused or frame.type == output_events.REFUSAL
        self._write_text(frame.delta, "" if self._cutter else frame.type)

    def _write_text(self, text: Raw | bytes, plain: str = "") -> None:
        if self._cutter is not None:
            text = encode(self._cutter.feed(decode_text(text)))
        if bytes(text) != _EMPTY:
            if not self.blocks.is_open:
                self._open_text(plain)
            self.blocks.write(text)
        if self._cutter is not None and self._cutter.found is not None:
            self.stop_sequence = self._cutter.found
            self.blocks.close()

    def _open_text(self, plain: str) -> None:
        phase = phase_of(self._item)
        if phase is not None and self._options.shows_thinking and not self._is_carried:
            self.blocks.put(phase_block(phase))
        self.blocks.open("text", _STARTS["text"], plain)

    def _arguments(self, delta: Raw) -> None:
        if self.blocks.is_open and bytes(delta) != _EMPTY:
            self.blocks.write(delta)
            self.blocks.plain = output_events.ARGUMENTS

    def _thought(self, frame: Frame) -> None:
        options = self._options
        if not options.shows_thinking or options.omits_text or bytes(frame.delta) == _EMPTY:
            return
        if not self.blocks.is_open:
            self.blocks.open("thinking", _STARTS["thinking"], frame.type)
        elif not self.blocks.plain:
            self.blocks.write(_BREAK)
            self.blocks.plain = frame.type
        self.blocks.write(frame.delta)

    def _finish(self, frame: Frame) -> None:
        """End an item; what was not streamed of it is written whole."""
        item, blocks = item_of(frame.item), self.blocks
        self._end_emoji(item.type)
        match item.type:
            case "message":
                self._finish_message(item)
            case "reasoning" if self._options.shows_thinking:
                self._unsigned = item  # the phase of the next item is to be known
            case "function_call":
                self._finish_call(item)
            case "web_search_call":
                self._put_search(item)
            case _:
                pass
        if self._unsigned is None:
            blocks.close()
        if not self.is_cut:
            self._next()

    def _end_emoji(self, kind: str = "message") -> None:
        """Write what is left of an emoji whose other half did not come."""
        rest, cutter, self.is_within_emoji = self._halves.rest(), self._cutter, False
        if rest == _EMPTY:
            return
        if kind == "message" and (self.blocks.is_open or (cutter is not None and cutter.holds)):
            self._write_text(rest)
        elif self.blocks.is_open:
            self.blocks.write(rest)

    def _finish_message(self, item: Item) -> None:
        self.is_refused = self.is_refused or item.is_refusal
        cutter = self._cutter
        if not self.blocks.is_open and (cutter is None or not cutter.holds):
            self._item = item
            self._write_text(item.text)
        if cutter is not None and cutter.found is None:
            self._cutter = None
            self._write_text(encode(cutter.rest()))

    def _finish_call(self, item: Item) -> None:
        blocks, arguments = self.blocks, item.arguments
        if not blocks.is_open:
            self._open_call(item)
        elif blocks.plain:
            return
        blocks.write(arguments if bytes(arguments)[:1] == b'"' else _EMPTY)

    def _put_search(self, item: Item) -> None:
        search = search_of(item)
        if search is not None:
            blocks = self.blocks
            blocks.open("tool_use", search.start + b"{}}")
            blocks.write(encode(search.action.decode()))
            blocks.close()
            blocks.put(search.result)

    def _sign(self, phase: str | None) -> bool:
        """End reasoning with its signature, for what follows is known; say if it has a block."""
        item, blocks = self._unsigned, self.blocks
        if item is None:
            return False
        self._unsigned = None
        if not blocks.is_open:
            block = thinking_block(item, phase, self._options)
            if not block:
                return False
            if not block.startswith(_THINKING):
                blocks.put(block)
                return True
            blocks.open("thinking", _STARTS["thinking"])
            text = thoughts_of(item, self._options)
            if text != _EMPTY:
                blocks.write(text)
        blocks.sign(encode(sealed(item.id, item.encrypted_content, phase)))
        blocks.close()
        return True

    def _next(self) -> None:
        """Go on with what waits, which may be the next item."""
        blocks = self.blocks
        if blocks.index is not None:
            self._done.add(blocks.index)
        blocks.index = None
        waiting, self._waiting = self._waiting, []
        for frame in waiting:
            self.take(frame)

    def end(self) -> None:
        """Write all that is left, and close what an upstream left open."""
        while self.blocks.index is not None:
            self._end_emoji(self._item.type)
            if self._unsigned is None:
                self.blocks.close()
            self._next()
        self._sign(None)
