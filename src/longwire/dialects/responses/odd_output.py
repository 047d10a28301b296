"""Output that an upstream spelled otherwise than the Responses API has it, where it is plain.

Law: a decoder asks here only for what it cannot read; what the API has costs nothing. Nothing that
was said is left out: a value that is no text, where one belongs, is the text of its JSON.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec import Raw

from longwire.dialects.halves import without_halves
from longwire.dialects.raw_json import splice, split_items, split_members, tolerant

_T = TypeVar("_T")


class _Typed(Protocol):
    type: str


_I = TypeVar("_I", bound=_Typed)
_EMPTY: Final = b'""'
_NULL: Final = b"null"
_INDICES: Final = ("output_index", "content_index", "summary_index", "sequence_number")
_PARTS: Final = {"content": b"output_text", "summary": b"summary_text"}
_TEXTS: Final = ("call_id", "name", "phase")
_SHAPES: Final = (
    ("arguments", b'"function_call"'),
    ("input", b'"custom_tool_call"'),
    ("summary", b'"reasoning"'),
    ("content", b'"message"'),
)
"""What an item is that does not say its type, by the first member of these that it has."""

_decode_number: Final = msgspec.json.Decoder(float, strict=False).decode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)
_encode: Final = msgspec.json.Encoder().encode


def mending(
    decode: Callable[[bytes | Raw], _T], mended: Callable[[bytes], bytes]
) -> Callable[[bytes | Raw], _T]:
    """Return a decoder that reads halves of an emoji, too, and mends what it cannot read."""
    decode_any = tolerant(decode)

    def read(raw: bytes | Raw) -> _T:
        try:
            return decode(raw)
        except msgspec.ValidationError:
            return decode_any(mended(bytes(raw)))
        except msgspec.DecodeError:
            whole = without_halves(bytes(raw))
            if whole is None:
                raise
        return read(whole)

    return read


def text_of(value: bytes | Raw) -> bytes:
    """Return a raw JSON text as it is, null as an empty one, and any other value as a text."""
    raw = bytes(value)
    if raw[:1] == b'"':
        return raw
    if raw in (b"", _NULL):
        return _EMPTY
    return _encode(raw.decode("utf-8", "replace"))


def says(value: bytes | Raw) -> bool:
    """Whether a text, or what stands for one, says anything; a number or a boolean is none."""
    raw = bytes(value)
    return raw[:1] in (b'"', b"{", b"[") and raw != _EMPTY


def index_of(value: bytes | Raw) -> int | None:
    """Return a place that a number, or a text of one, names; None for what is none."""
    try:
        number = _decode_number(value)
    except msgspec.MsgspecError:
        return None
    return int(number) if number.is_integer() and 0 <= number < 1 << 31 else None


def mended_event(raw: bytes) -> bytes:
    """Return an event whose places are numbers; a place that is none is left out."""
    members = split_members(raw)
    changes: dict[str, bytes | None] = {}
    for name in _INDICES:
        if name in members:
            index = index_of(members[name])
            changes[name] = None if index is None else b"%d" % index
    if bytes(members.get("stream_id", Raw(_NULL))) != _NULL:
        changes["stream_id"] = text_of(members["stream_id"])
    return splice(raw, changes)


def mended_item(raw: bytes) -> bytes:
    """Return an item with a type, parts that are objects, and texts that are texts."""
    if raw[:1] != b"{":
        return b"{}"
    members = split_members(raw)
    changes: dict[str, bytes | None] = {"type": _kind_in(members)}
    for name, kind in _PARTS.items():
        if name in members:
            changes[name] = mended_parts(members[name], kind)
    for name in _TEXTS:
        if bytes(members.get(name, Raw(_NULL))) != _NULL:
            changes[name] = text_of(members[name])
    return splice(raw, changes)


def has_kind(item: bytes) -> bool:
    """Whether an item says what it is, if only by the members that it has."""
    return _kind_in(split_members(item)) != _EMPTY


def _kind_in(members: dict[str, Raw]) -> bytes:
    kind = bytes(members.get("type", Raw(_NULL)))
    if kind[:1] == b'"':
        return kind
    return next((shape for name, shape in _SHAPES if name in members), _EMPTY)


def reading_item(decode: Callable[[bytes | Raw], _I]) -> Callable[[bytes | Raw], _I]:
    """Return such a decoder of items, which mends what has no type, too."""
    decode_any = mending(decode, mended_item)

    def read(raw: bytes | Raw) -> _I:
        try:
            item = decode(raw)
        except msgspec.DecodeError:
            item = decode_any(raw)
        return item if item.type else decode_any(mended_item(bytes(raw)))

    return read


def mended_parts(value: bytes | Raw, kind: bytes = _PARTS["content"]) -> bytes:
    """Return the parts of an item; a text alone, or a part alone, is the only one."""
    raw = bytes(value)
    if raw == _NULL:
        return _NULL
    parts = split_items(raw) if raw[:1] == b"[" else [raw]
    return b"[%b]" % b",".join([_mended_part(bytes(each), kind) for each in parts])


def _mended_part(raw: bytes, kind: bytes) -> bytes:
    if raw[:1] != b"{":
        return b'{"type":"%b","text":%b}' % (kind, raw)
    members = split_members(raw)
    if bytes(members.get("type", Raw(_NULL)))[:1] == b'"':
        return raw
    is_refusal = "refusal" in members and "text" not in members
    return splice(raw, {"type": b'"refusal"' if is_refusal else b'"%b"' % kind})
