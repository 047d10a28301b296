"""Events of the Responses API as content blocks of a stream.

Law: one block is open at a time, and their indices are dense. What belongs to a later item waits
until the one before it is done. The blocks are those that `render` makes of the whole items.
"""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.halves import Pieces
from longwire.dialects.messages.ids import CallIds
from longwire.dialects.messages.open_blocks import Blocks
from longwire.dialects.messages.options import Options
from longwire.dialects.messages.render import (
    Item,
    call_start,
    decode_text,
    encode,
    item_of,
    phase_block,
    phase_of,
    rest_of,
    search_of,
    thinking_block,
    thoughts_of,
)
from longwire.dialects.messages.thinking import sealed
from longwire.dialects.raw_json import NULL, split_members
from longwire.dialects.responses import output_events
from longwire.dialects.responses.odd_output import mended_event, mending, text_of
from longwire.dialects.stops import Cutter

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
    summary_index: int = 0
    delta: Raw = NULL
    item: Raw = NULL
    stream_id: str | None = None


_decode_frame: Final = mending(msgspec.json.Decoder(Frame).decode, mended_event)


def frame_of(raw: bytes) -> Frame:
    """Return an event of output; a delta that begins or ends within an emoji keeps its half."""
    frame = _decode_frame(raw)
    delta = bytes(frame.delta)
    if _ESCAPE in delta and delta not in raw:
        frame.delta = split_members(raw)["delta"]
    return frame


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
        if frame.type not in ACTING or self.is_cut or not self._has_turn(frame):
            return
        delta = bytes(frame.delta)
        if delta[:1] != b'"':
            frame.delta = Raw(_EMPTY)
        elif _ESCAPE in delta or self.is_within_emoji:
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
                self.blocks.plain = ""  # the next thought begins with a break
            case output_events.TEXT | output_events.REFUSAL:
                self._text(frame)
            case _:
                self._thought(frame)

    def _has_turn(self, frame: Frame) -> bool:
        """Say whether an event is of the item under way, which it may begin."""
        blocks, index = self.blocks, self._index_of(frame)
        if index in self._done:
            return False
        if blocks.index is None:
            self._begin(frame, index)
        elif blocks.index != index:
            self._waiting.append(frame)
        return blocks.index == index

    def _index_of(self, frame: Frame) -> int:
        """Return which item an event is of; one that does not say is of the one under way."""
        if frame.output_index is not None:
            return frame.output_index
        if frame.type == output_events.ITEM_ADDED and self.blocks.index is not None:
            self._leave()
        index = self.blocks.index
        return max(self._done, default=-1) + 1 if index is None else index

    @property
    def is_cut(self) -> bool:
        """Whether a stop sequence ended the answer."""
        return self.stop_sequence is not None

    def _begin(self, frame: Frame, index: int) -> None:
        self.blocks.index = index
        self.blocks.said.clear()
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
        self.blocks.said.append(bytes(frame.delta))
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
            self.blocks.say(delta)
            self.blocks.plain = output_events.ARGUMENTS

    def _thought(self, frame: Frame) -> None:
        options = self._options
        if not options.shows_thinking or options.omits_text or bytes(frame.delta) == _EMPTY:
            return
        if not self.blocks.is_open:
            self.blocks.open("thinking", _STARTS["thinking"], frame.type)
        elif not self.blocks.plain:
            self.blocks.say(_BREAK)
            self.blocks.plain = frame.type
        self.blocks.say(frame.delta)

    def _finish(self, frame: Frame) -> None:
        """End an item; what was not streamed of it is written whole."""
        item, blocks = item_of(frame.item), self.blocks
        self._end_emoji(item.type)
        match item.type:
            case "message":
                self._finish_message(item)
            case "reasoning" if self._options.shows_thinking:
                self._finish_thought(item)
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
        is_held = kind == "message" and cutter is not None and cutter.holds
        if rest == _EMPTY or not (self.blocks.is_open or is_held):
            return
        self.blocks.said.append(rest)
        if kind == "message":
            self._write_text(rest)
        else:
            self.blocks.write(rest)

    def _finish_message(self, item: Item) -> None:
        self.is_refused = self.is_refused or item.is_refusal
        cutter = self._cutter
        self._item = item
        self._write_text(rest_of(self.blocks.said, item.text))
        if cutter is not None and cutter.found is None:
            self._cutter = None
            self._write_text(encode(cutter.rest()))

    def _finish_thought(self, item: Item) -> None:
        self._unsigned = item  # the phase of the next item is to be known
        rest = rest_of(self.blocks.said, thoughts_of(item, self._options))
        if self.blocks.is_open and rest != _EMPTY:
            self.blocks.write(rest)
        self.blocks.plain = ""

    def _finish_call(self, item: Item) -> None:
        blocks = self.blocks
        if not blocks.is_open:
            self._open_call(item)
        rest = rest_of(blocks.said, text_of(item.arguments))
        if rest != _EMPTY or not blocks.plain:
            blocks.write(rest)

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
            self._leave()
        if not self._ends_with_text():
            self._sign(None)

    def _ends_with_text(self) -> bool:
        """Whether only reasoning that shows nothing stands behind a text, which then is the end."""
        item, blocks = self._unsigned, self.blocks
        is_behind_text = not blocks.is_open and blocks.last == "text"
        return is_behind_text and item is not None and thoughts_of(item, self._options) == _EMPTY

    def _leave(self) -> None:
        """Close an item that its upstream left open."""
        self._end_emoji(self._item.type)
        if self._unsigned is None:
            self.blocks.close()
        self._next()
