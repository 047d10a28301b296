"""JSON split and spliced as bytes: the members of objects, the items of arrays.

Law: what is not replaced keeps its spelling; of the members of a request none is lost or repeated.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.halves import NO_HALVES, Halves, without_halves

_BETWEEN = re.compile(rb"[ \t\r\n,]*")
_SLICE = 64 * 1024
T = TypeVar("T")
NULL: Final = Raw(b"null")
"""What stands where nothing is said."""

_texts: msgspec.json.Decoder[str | None] = msgspec.json.Decoder(str | None)
_booleans: msgspec.json.Decoder[bool | None] = msgspec.json.Decoder(bool | None)
_split_members = msgspec.json.Decoder(dict[str, Raw]).decode
_KEY = re.compile(
    rb'[ \t\r\n,{]*"(?P<name>[^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t\r\n]*:[ \t\r\n]*', re.DOTALL
)
"""What stands before the value of a member."""

_HALF = "has half an emoji (an unpaired surrogate such as \\ud83d); send whole characters"
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Name:
    """A member's name that equals only itself, so that a repeated member is seen."""

    __slots__ = ("text",)

    def __init__(self, _kind: type, text: str) -> None:
        """Take what msgspec gives a hook: called for every member, so it is the class itself."""
        self.text = text


def tolerant(decode: Callable[[bytes | Raw], T]) -> Callable[[bytes | Raw], T]:
    """Return a decoder that reads halves of an emoji, too, each as U+FFFD.

    A language of UTF-16 texts may cut one between its halves: that is JSON (RFC 8259, 8.2), and no
    Unicode. Values that stay raw lose their halves, but not their sizes.
    """

    def read(raw: bytes | Raw) -> T:
        try:
            return decode(raw)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            whole = without_halves(bytes(raw))
            if whole is None:
                raise
            return decode(whole)

    return read


def keeping_halves(decode: Callable[[bytes | Raw], T], *names: str) -> Callable[[bytes | Raw], T]:
    """Return a decoder that is tolerant, too, but keeps the halves in raw texts of these names.

    Of an emoji that is cut between two pieces of a text its halves are one when they are joined.
    """
    lenient = tolerant(decode)

    def read(raw: bytes | Raw) -> T:
        try:
            return decode(raw)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            value, halves = lenient(raw), Halves()
        try:
            halves.find(bytes(raw))
        except InvalidRequest:
            return value
        _keep(value, decode(halves.hide(bytes(raw))), frozenset(names), halves)
        return value

    return read


def _keep(value: object, hidden: object, names: frozenset[str], halves: Halves) -> None:
    """Give a decoded value the raw texts that it has in another one, with their halves."""
    if isinstance(value, list) and isinstance(hidden, list):
        for each, other in zip(value, hidden, strict=True):
            _keep(each, other, names, halves)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            other = getattr(hidden, name)
            if isinstance(other, Raw) and name in names:
                setattr(value, name, Raw(halves.restore(bytes(other))))
            else:
                _keep(getattr(value, name), other, names, halves)


def split_members(raw: bytes | Raw) -> dict[str, Raw]:
    """Split an object; of a member that is repeated the last one stands.

    Halves of an emoji stay in their members. Raises `msgspec.MsgspecError`.
    """
    try:
        return _split_members(raw)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        text = bytes(raw)
        whole = without_halves(text)
        if whole is None:
            raise
    return {name.text: Raw(value) for name, _, value in _with_halves(text, whole)}


def _with_halves(text: bytes, whole: bytes) -> Iterator[tuple[Name, bytes, bytes]]:
    """Give each member of an object: its name, its name as written, and its value as written.

    `whole` is the text without halves of an emoji. Raises `msgspec.MsgspecError`.
    """
    at = 0
    for name, value in _body_decoder.decode(whole).items():
        key = _KEY.match(text, at)
        start = key.end() if key else at
        at = start + memoryview(value).nbytes
        yield name, key["name"] if key else b"", text[start:at]


def split_items(raw: bytes) -> list[Raw]:
    """Split an array; halves of an emoji stay in their items. Raises `msgspec.MsgspecError`."""
    try:
        return _split_items(raw)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return [Raw(raw[start:end]) for start, end in _spans(raw)]


def _spans(raw: bytes) -> Iterator[tuple[int, int]]:
    """Say where each item of an array begins and ends."""
    end = 1
    for item in _sized_items(raw):
        gap = _BETWEEN.match(raw, end)
        start = gap.end() if gap else end
        end = start + memoryview(item).nbytes
        yield start, end


_split_items = msgspec.json.Decoder(list[Raw]).decode
_sized_items = tolerant(_split_items)


_body_decoder = msgspec.json.Decoder(dict[Name, Raw], dec_hook=Name)


def without_mark(body: bytes) -> bytes:
    """Return a body without the byte-order mark that may stand before it."""
    return body.removeprefix(_BOM)


def decode_members(body: bytes, halves: Halves = NO_HALVES) -> dict[str, bytes]:
    """Split the body of a request into its members; halves of an emoji stay in their values.

    In members that `halves` names they have stand-ins. A byte-order mark before it is passed over.
    Raises `InvalidRequest`.
    """
    body = without_mark(body)
    if not body or body.isspace():
        raise InvalidRequest("The request body is empty; send a JSON object.")
    try:
        _check_utf8(body)
        pairs = _decode_pairs(body, halves)
    except msgspec.ValidationError:
        raise InvalidRequest("The request body must be a JSON object.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(_fault(body, error)) from None
    except RecursionError:
        raise InvalidRequest("The request body nests too deeply.") from None
    members: dict[str, bytes] = {}
    for name, raw in pairs.items():
        if name.text in members:
            raise InvalidRequest(
                f"The request body repeats the member '{name.text}'.", param=name.text
            )
        members[name.text] = bytes(raw)
    return members


def _decode_pairs(body: bytes, halves: Halves) -> dict[Name, Raw]:
    """Split an object into all its members. Raises `msgspec.MsgspecError`, `InvalidRequest`."""
    try:
        return _body_decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        whole = without_halves(body)
        if whole is None:
            raise
    halves.find(body)
    pairs: dict[Name, Raw] = {}
    for name, written, value in _with_halves(body, whole):
        if without_halves(written) is not None:
            raise InvalidRequest(f"The name of the member '{name.text}' {_HALF}.")
        pairs[name] = Raw(halves.hide(value) if name.text in halves.members else value)
    return pairs


def _fault(body: bytes, error: Exception) -> str:
    if body[:2] in _UTF_16:
        return "The request body begins with the byte-order mark of UTF-16; send it in UTF-8."
    return f"The request body is not valid JSON in UTF-8: {error}."


def _check_utf8(body: bytes) -> None:
    """Raise `UnicodeDecodeError` unless it is UTF-8; in slices, since large copies cost most."""
    if body.isascii():
        return
    decoder = getincrementaldecoder("utf-8")()
    view = memoryview(body)
    for start in range(0, len(body), _SLICE):
        decoder.decode(view[start : start + _SLICE])
    decoder.decode(b"", final=True)


def text_of(members: Mapping[str, bytes], name: str) -> str | None:
    """Return a member that is a text; None where there is none. Raises `InvalidRequest`."""
    return member_of(members, name, _texts, "a string") if name in members else None


def boolean_of(members: Mapping[str, bytes], name: str) -> bool:
    """Return a member that is true or false; False where there is none. Raises `InvalidRequest`."""
    return (name in members and member_of(members, name, _booleans, "true or false")) or False


def member_of(
    members: Mapping[str, bytes], name: str, decoder: msgspec.json.Decoder[T], kind: str
) -> T:
    """Return a member as a decoder reads it. Raises `InvalidRequest`: it must be of that kind."""
    try:
        return decoder.decode(members[name])
    except msgspec.MsgspecError:
        has_half = without_halves(members[name]) is not None
        fault = _HALF if has_half else f"must be {kind}"
        raise InvalidRequest(f"'{name}' {fault}.", param=name) from None


def splice(raw: bytes | Raw, changes: Mapping[str, bytes | None]) -> bytes:
    """Replace, add or (None) remove members of an object. Raises `msgspec.MsgspecError`."""
    return merge(split_members(raw), changes)


def merge(members: dict[str, Raw], changes: Mapping[str, bytes | None]) -> bytes:
    """Return the object of these members with some replaced, added or (None) removed."""
    for name, value in changes.items():
        if value is None:
            members.pop(name, None)
        else:
            members[name] = Raw(value)
    return msgspec.json.encode(members)


def map_items(raw: bytes, change: Callable[[bytes], bytes | None]) -> bytes:
    """Return an array with each item as `change` returns it, without those it returns None for."""
    changed = (change(bytes(item)) for item in split_items(raw))
    return b"[" + b",".join(item for item in changed if item is not None) + b"]"


def splice_items(raw: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return an array with each item as `change` returns it; the bytes between them stay."""
    parts: list[bytes] = []
    done = 0
    for start, end in _spans(raw):
        old = raw[start:end]
        new = change(old)
        if new is not old:
            parts += [raw[done:start], new]
            done = end
    return b"".join([*parts, raw[done:]]) if parts else raw
