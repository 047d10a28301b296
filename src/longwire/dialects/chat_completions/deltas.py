"""Output of the Responses API as deltas of the one message that Chat Completions knows.

Items are shown one after another: events of a later one wait until the one before is done. What
was not streamed follows once an item is done, and nothing is shown twice.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.details import details_of, images_of, shifted_annotations
from longwire.dialects.chat_completions.names import long_name
from longwire.dialects.chat_completions.options import Options
from longwire.dialects.chat_completions.stops import StopCut
from longwire.dialects.halves import Pieces
from longwire.dialects.raw_json import NULL, split_members, tolerant
from longwire.dialects.responses import output_events
from longwire.dialects.responses.odd_output import (
    mended_event,
    mended_parts,
    mending,
    reading_item,
    text_of,
)

CONTENT, REFUSAL, REASONING = b"content", b"refusal", b"reasoning_content"
CALL = b"tool_calls"
_BETWEEN = rb'"\n\n"'
_NO_LOGPROBS = b"[]"
_EMPTY = b'""'
CALL_INPUTS = frozenset({output_events.ARGUMENTS, output_events.CUSTOM_INPUT})
ESCAPE = b"\\u"
_REFUSED = ("refusal", "")
_REASONING = {output_events.SUMMARY: "summary_index", output_events.REASONING: "content_index"}
KINDS = frozenset(
    {
        output_events.ITEM_ADDED,
        output_events.ITEM_DONE,
        output_events.TEXT,
        output_events.REFUSAL,
        *CALL_INPUTS,
        *_REASONING,
    }
)
"""The types of events that show anything."""


class Output(msgspec.Struct):
    """What is read of an event of output; without an index it is of the item under way."""

    type: str
    output_index: int = -1
    content_index: int = 0
    summary_index: int = 0
    delta: Raw = Raw(_EMPTY)
    logprobs: Raw = Raw(_NO_LOGPROBS)
    item: Raw = NULL
    stream_id: str | None = None


class Part(msgspec.Struct):
    """One part of an item's content or summary."""

    type: str = ""
    text: Raw = Raw(_EMPTY)
    refusal: Raw = Raw(_EMPTY)
    annotations: Raw = Raw(b"[]")
    logprobs: Raw = Raw(_NO_LOGPROBS)


class Item(msgspec.Struct):
    """What is shown of a finished item, or of one that begins."""

    type: str = ""
    id: Raw = NULL
    call_id: Raw = Raw(b"")
    name: Raw = Raw(b"")
    arguments: Raw = Raw(_EMPTY)
    input: Raw = Raw(_EMPTY)
    content: Raw = NULL
    summary: Raw = NULL
    encrypted_content: Raw = NULL
    result: Raw = NULL


_decode_output = msgspec.json.Decoder(Output).decode
_decode_any_output = mending(_decode_output, mended_event)
_decode_item = reading_item(msgspec.json.Decoder(Item).decode)
_decode_parts = mending(msgspec.json.Decoder(list[Part] | None).decode, mended_parts)
_decode_text = tolerant(msgspec.json.Decoder(str).decode)


class Delta(NamedTuple):
    """More of one member of the message, as raw JSON: a text, or elements of an array."""

    member: bytes
    value: bytes
    logprobs: bytes = _NO_LOGPROBS


class CallDelta(NamedTuple):
    """A call begins, or more of its arguments as a raw JSON text; `number` counts calls from 0."""

    number: int
    text: bytes
    call_id: bytes = b""
    name: bytes = b""
    is_custom: bool = False

    @property
    def words(self) -> tuple[bytes, bytes]:
        """What this API calls a call of its kind, and what that is called with."""
        return (b"custom", b"input") if self.is_custom else (b"function", b"arguments")


class _Streamed:
    """What was shown of one item: texts by member, without their quotes; its call, -1 for none."""

    __slots__ = ("call", "halves", "has_logprobs", "is_custom", "part", "texts")

    def __init__(self) -> None:
        self.halves: dict[str, Pieces] = {}
        self.texts: dict[bytes, list[bytes]] = {}
        self.call = -1
        self.has_logprobs = False
        self.is_custom = False
        self.part = -1


def decode_output(raw: bytes) -> Output:
    """Decode an event of output; halves of an emoji stay. Raises `msgspec.MsgspecError`."""
    try:
        return _decode_output(raw)
    except msgspec.DecodeError:
        event, members = _decode_any_output(raw), split_members(raw)
    event.delta = members.get("delta", event.delta)
    event.item = members.get("item", event.item)
    return event


class Deltas:
    """Turns the events of one response into deltas of a message, in the order of their items.

    It `is_cut` where a stop sequence came: nothing is shown behind that. `calls` counts the calls.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stop = StopCut(options.stops) if options.stops else None
        self._items: dict[int, _Streamed] = {}
        self._done: set[int] = set()
        self._waiting: dict[int, list[Output]] = {}
        self._spoken: set[bytes] = set()
        self._length = 0
        self._position = 0
        self._ready: list[Delta | CallDelta] = []
        self.under_way: int | None = None
        self.calls = self._images = 0
        self.is_cut = False

    def feed(self, event: Output) -> Sequence[Delta | CallDelta]:
        """Take one event, and return what can be shown now."""
        if event.type in KINDS:
            self._sort_in(event)
            while self.under_way is None and self._waiting:
                for each in self._waiting.pop(min(self._waiting)):
                    self._sort_in(each)
        return self._taken()

    def end(self, output: Iterable[bytes] = ()) -> Sequence[Delta | CallDelta]:
        """Return what is left when the response is over; `output` where its items never came."""
        while self.under_way is not None or self._waiting:
            self._end_emoji()
            self.under_way = None
            for each in self._waiting.pop(min(self._waiting)) if self._waiting else ():
                self._sort_in(each)
        if not self._done:
            for index, raw in enumerate(output):
                self._begin(index)
                self._take(Output(output_events.ITEM_DONE, index, item=Raw(raw)))
        if self._stop is not None:
            self._show_text(*self._stop.rest())
        return self._taken()

    def sent(self, member: bytes) -> list[bytes]:
        """Return where the texts are kept that were shown of the item under way."""
        return self._item.texts.get(member, [])

    @property
    def call_under_way(self) -> int:
        """Which call of a function the item under way is, -1 for none."""
        shown = self._items.get(-1 if self.under_way is None else self.under_way)
        return -1 if shown is None or shown.is_custom else shown.call

    def _taken(self) -> Sequence[Delta | CallDelta]:
        ready, self._ready = self._ready, []
        return ready

    def _sort_in(self, event: Output) -> None:
        index = event.output_index
        if index < 0:
            index = self.under_way if self.under_way is not None else len(self._items)
        if index in self._done or self.is_cut:
            return
        if self.under_way is not None and self.under_way != index:
            self._waiting.setdefault(index, []).append(event)
            return
        self._begin(index)
        self._take(event)

    def _begin(self, index: int) -> None:
        self.under_way = index
        self._items.setdefault(index, _Streamed())

    @property
    def _item(self) -> _Streamed:
        return self._items[self.under_way or 0]

    def _take(self, event: Output) -> None:
        name, delta = event.type, self._whole(event)
        if name == output_events.TEXT:
            self._say(CONTENT, delta, b"[%b]" % _inner(event.logprobs, b"["))
        elif name in CALL_INPUTS:
            if self._item.call >= 0:
                self._say_arguments(delta)
        elif name in _REASONING:
            self._reason(getattr(event, _REASONING[name]), delta)
        elif name == output_events.ITEM_ADDED:
            self._add(_decode_item(event.item))
        elif name == output_events.ITEM_DONE:
            self._finish(_decode_item(event.item))
            self._done.add(self.under_way or 0)
            self.under_way = None
        else:
            self._say(REFUSAL, delta)

    def _whole(self, event: Output) -> bytes:
        """Return a delta without half an emoji at its end, which is shown with the other half.

        One that is no text says nothing.
        """
        delta = bytes(event.delta)
        if delta[:1] != b'"':
            return _EMPTY
        if not self.is_within_emoji and ESCAPE not in delta:
            return delta
        return self._item.halves.setdefault(event.type, Pieces()).joined(delta)

    def _end_emoji(self) -> None:
        """Show what is left of an emoji whose other half did not come."""
        if self.under_way is None:
            return
        part = self._item.part
        for name, halves in self._item.halves.items():
            rest = Raw(halves.rest())
            self._take(Output(name, content_index=part, summary_index=part, delta=rest))

    @property
    def is_within_emoji(self) -> bool:
        """Whether half an emoji of the item under way waits for the other one."""
        shown = self._items.get(-1 if self.under_way is None else self.under_way)
        return shown is not None and any(each.is_held for each in shown.halves.values())

    def _say(self, member: bytes, raw: bytes, logprobs: bytes = _NO_LOGPROBS) -> None:
        """Show a text, apart from that of an earlier item."""
        if raw == _EMPTY or self.is_cut:
            return
        texts = self._item.texts
        if member not in texts:
            texts[member] = []
            if member in self._spoken:
                self._put(member, _BETWEEN)
            elif not self._spoken & {CONTENT, REFUSAL} and member != REASONING:
                self._position += 1
            self._spoken.add(member)
        texts[member].append(raw[1:-1])
        self._item.has_logprobs |= logprobs != _NO_LOGPROBS
        self._put(member, raw, logprobs)

    def _put(self, member: bytes, raw: bytes, logprobs: bytes = _NO_LOGPROBS) -> None:
        if member == CONTENT and self._stop is not None:
            if not self.is_cut:
                self._show_text(*self._stop.show(_decode_text(raw), logprobs))
                self.is_cut = self._stop.is_cut
        else:
            self._ready.append(Delta(member, raw, logprobs))

    def _show_text(self, text: str, logprobs: bytes) -> None:
        if text or logprobs != _NO_LOGPROBS:
            self._ready.append(Delta(CONTENT, msgspec.json.encode(text), logprobs))

    def _reason(self, part: int, raw: bytes) -> None:
        if not self._options.shows_reasoning or raw == _EMPTY:
            return
        if self._item.part not in (-1, part):
            self._say(REASONING, _BETWEEN)
        self._item.part = part
        self._say(REASONING, raw)

    def _say_rest(self, member: bytes, whole: bytes, logprobs: bytes = _NO_LOGPROBS) -> None:
        """Show what was not streamed of a text, which has no quotes, and of its logprobs."""
        sent = b"".join(self._item.texts.get(member, ()))
        if self._item.has_logprobs:
            logprobs = _NO_LOGPROBS
        if not sent:
            self._say(member, b'"%b"' % whole, logprobs)
        elif rest := _rest(sent, whole):
            self._say(member, rest, logprobs)
        elif logprobs != _NO_LOGPROBS and not self.is_cut:
            self._put(member, _EMPTY, logprobs)

    def _add(self, item: Item) -> None:
        is_custom = item.type == "custom_tool_call"
        if not is_custom and item.type != "function_call":
            return
        shown = self._item
        if shown.call < 0 and bytes(item.call_id)[:1] == bytes(item.name)[:1] == b'"':
            shown.call, shown.is_custom = self.calls, is_custom
            self.calls += 1
            self._position += 1
            name = long_name(bytes(item.name), self._options.originals)
            start = CallDelta(shown.call, _EMPTY, bytes(item.call_id), name, is_custom)
            self._ready.append(start)

    def _named(self, item: Item) -> Item:
        """Return a finished call with an id and a name, for no more is to come of it."""
        if bytes(item.call_id)[:1] != b'"':
            number = Raw(b'"call_%d"' % (self.under_way or 0))
            item.call_id = item.id if bytes(item.id)[:1] == b'"' else number
        item.name = Raw(text_of(item.name))
        return item

    def _say_arguments(self, raw: bytes) -> None:
        if raw != _EMPTY:
            shown = self._item
            shown.texts.setdefault(CALL, []).append(raw[1:-1])
            self._ready.append(CallDelta(shown.call, raw, is_custom=shown.is_custom))

    def _finish(self, item: Item) -> None:
        if item.type == "message":
            self._finish_message(_decode_parts(item.content) or ())
        elif item.type == "reasoning":
            self._finish_reasoning(item)
        elif item.type == "image_generation_call" and bytes(item.result)[:1] == b'"':
            self._ready.append(Delta(b"images", images_of(bytes(item.result), self._images)))
            self._images += 1
        elif item.type in ("function_call", "custom_tool_call"):
            self._add(self._named(item))
            whole = _inner(item.input if self._item.is_custom else item.arguments)
            rest = _rest(b"".join(self._item.texts.get(CALL, ())), whole)
            if rest and self._item.call >= 0:
                self._say_arguments(rest)

    def _finish_message(self, parts: Sequence[Part]) -> None:
        begins_at = self._length + (2 if self._length else 0)
        logprobs = [_inner(part.logprobs, b"[") for part in parts if part.type != "refusal"]
        text = b"".join(_inner(each.text) for each in parts if each.type != "refusal")
        self._say_rest(CONTENT, text, b"[%b]" % b",".join(filter(None, logprobs)))
        refusal = b"".join(_inner(each.refusal) for each in parts if each.type in _REFUSED)
        self._say_rest(REFUSAL, refusal)
        if text:
            self._length = begins_at + len(_decode_text(b'"%b"' % text))
        for part in parts:
            cited = shifted_annotations(bytes(part.annotations), begins_at)
            if cited and not self.is_cut:
                self._ready.append(Delta(b"annotations", cited))

    def _finish_reasoning(self, item: Item) -> None:
        if not self._options.shows_reasoning:
            return
        summary = [_inner(part.text) for part in _decode_parts(item.summary) or ()]
        texts = summary or [_inner(part.text) for part in _decode_parts(item.content) or ()]
        self._say_rest(REASONING, rb"\n\n".join(filter(None, texts)))
        encrypted = bytes(item.encrypted_content)
        if encrypted[:1] == b'"':
            quoted = [b'"%b"' % each for each in summary]
            details = details_of(bytes(item.id), encrypted, quoted, self._position)
            self._ready.append(Delta(b"reasoning_details", details))
            self._position += 1


def _inner(raw: Raw, opening: bytes = b'"') -> bytes:
    """Return what is inside a raw text, which any value is, or inside an array that opens so."""
    value = bytes(raw)
    if value[:1] != opening == b'"':
        value = text_of(value)
    return value[1:-1] if value[:1] == opening else b""


def _rest(sent: bytes, whole: bytes) -> bytes:
    """Return what a text has behind what was sent of it, b"" where that is none of it."""
    if whole.startswith(sent):
        return b'"%b"' % whole[len(sent) :] if len(whole) > len(sent) else b""
    before, text = _decode_text(b'"%b"' % sent), _decode_text(b'"%b"' % whole)
    rest = text[len(before) :] if text.startswith(before) else ""
    return msgspec.json.encode(rest) if rest else b""
