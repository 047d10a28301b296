"""Items that an upstream streamed and never finished: what was seen of them, as items.

Law: who reads an answer whole gets what who reads its stream does. An upstream that ends a response
as incomplete may leave out the item it was at, there and as an event of its own; one that finishes
an item may leave out its text.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.dialects.raw_json import NULL, splice, split_members
from longwire.dialects.responses import output_events
from longwire.dialects.responses.image import items_of
from longwire.dialects.responses.odd_output import mended_event, mending, reading_item, says
from longwire.dialects.responses.stream import decode_item

_PARTS: Final = {
    output_events.TEXT: ("content", b"output_text", b"text"),
    output_events.REFUSAL: ("content", b"refusal", b"refusal"),
    output_events.REASONING: ("content", b"reasoning_text", b"text"),
    output_events.SUMMARY: ("summary", b"summary_text", b"text"),
}
"""Which deltas are of parts: the member with the parts, the type of the part, its text."""

_TEXTS: Final = {
    output_events.ARGUMENTS: "arguments",
    output_events.CUSTOM_INPUT: "input",
}
_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_SAYING: Final = _CALLS | {"message", "reasoning"}
_MESSAGE: Final = b'{"type":"message","role":"assistant"}'
_ANCHORS: Final[dict[str, bytes | None]] = {"id": None, "encrypted_content": None}
"""What nobody may send back of reasoning that is not whole."""


class _Output(msgspec.Struct):
    type: str = ""
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    delta: Raw = Raw(b'""')
    item: Raw = Raw(b"")


class _Part(msgspec.Struct):
    text: Raw = NULL
    refusal: Raw = NULL

    @property
    def texts(self) -> tuple[Raw, Raw]:
        return self.text, self.refusal


class _Shown(msgspec.Struct):
    type: str = ""
    content: list[_Part] | None = None
    summary: list[_Part] | None = None
    arguments: Raw = NULL
    input: Raw = NULL


class _Kind(msgspec.Struct):
    type: str = ""


_decode_output: Final = mending(msgspec.json.Decoder(_Output).decode, mended_event)
_decode_shown: Final = reading_item(msgspec.json.Decoder(_Shown).decode)
_decode_kind: Final = reading_item(msgspec.json.Decoder(_Kind).decode)
_Parts = dict[tuple[str, int, bytes, bytes], list[bytes]]


class Unfinished:
    """Keeps the events of items that are not done, or say nothing when they are."""

    __slots__ = ("_events",)

    def __init__(self) -> None:
        self._events: list[bytes] = []

    def add(self, events: Iterable[Event]) -> None:
        """Take the next events; those of an item that is done are forgotten."""
        for event in events:
            if event.kind is Kind.OUTPUT:
                self._events.append(event.raw)
            elif event.kind is Kind.ITEM:
                done, item = decode_item(event.raw)
                if _says_nothing(item):
                    self._events.append(event.raw)
                    continue
                self._events = [raw for raw in self._events if _output(raw).output_index != done]

    def complete(self, aggregate: Aggregate) -> None:
        """Add what was seen of items, unless the terminal brings them whole."""
        terminal = aggregate.terminal
        if terminal is None or not self._events:
            return
        if aggregate.output or not items_of(terminal):
            status = b'"completed"' if terminal.kind is Kind.COMPLETED else b'"incomplete"'
            by_index: dict[int, list[_Output]] = {}
            for raw in self._events:
                output = _output(raw)
                by_index.setdefault(output.output_index, []).append(output)
            for index, outputs in by_index.items():
                for item in _item(outputs, status):
                    aggregate.add_item(index, item)


def _says_nothing(item: bytes) -> bool:
    """Whether an item has neither parts with a text nor any other."""
    try:
        shown = _decode_shown(item)
    except (msgspec.MsgspecError, RecursionError):
        return False
    parts = (*(shown.content or ()), *(shown.summary or ()))
    texts = (shown.arguments, shown.input, *(raw for each in parts for raw in each.texts))
    return shown.type in _SAYING and not any(map(says, texts))


def _output(raw: bytes) -> _Output:
    """Return an event of output; one that cannot be read says nothing."""
    try:
        output = _decode_output(raw)
        if bytes(output.delta) not in raw and output.type in (*_PARTS, *_TEXTS):
            output.delta = split_members(raw)["delta"]  # it is cut within an emoji
    except (msgspec.MsgspecError, KeyError, RecursionError):
        return _Output(output_index=-1)
    return output


def _item(outputs: Sequence[_Output], status: bytes) -> Iterator[bytes]:
    """Give the item that its events so far make, if they show anything."""
    begun = next((raw for each in outputs[::-1] if (raw := bytes(each.item))[:1] == b"{"), _MESSAGE)
    kind = _decode_kind(begun).type
    is_done = any(each.type == output_events.ITEM_DONE for each in outputs)
    changes: dict[str, bytes | None] = {**_parts(outputs)}
    if kind in _CALLS:
        for name, member in _TEXTS.items():
            texts = [_text(each) for each in outputs if each.type == name]
            if texts:
                changes[member] = b'"%b"' % b"".join(texts)
    if not changes and (is_done or kind not in _CALLS):
        return
    if not is_done:
        changes |= {"status": status, **(_ANCHORS if kind == "reasoning" else {})}
    yield splice(begun, changes)


def _parts(outputs: Sequence[_Output]) -> dict[str, bytes]:
    texts: _Parts = {}
    for each in outputs:
        if each.type in _PARTS:
            member, kind, name = _PARTS[each.type]
            at = each.summary_index if member == "summary" else each.content_index
            texts.setdefault((member, at, kind, name), []).append(_text(each))
    found: dict[str, list[bytes]] = {}
    for (member, _, kind, name), pieces in sorted(texts.items()):
        part = b'{"type":"%b","%b":"%b","annotations":[]}' % (kind, name, b"".join(pieces))
        found.setdefault(member, []).append(part)
    return {member: b"[%b]" % b",".join(parts) for member, parts in found.items()}


def _text(output: _Output) -> bytes:
    return bytes(output.delta)[1:-1] if bytes(output.delta)[:1] == b'"' else b""
