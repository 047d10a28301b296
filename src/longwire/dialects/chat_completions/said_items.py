"""Items of the Responses API as they are read to be said in Chat Completions; texts stay raw."""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import decoded, text
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.raw_json import NULL, tolerant

ABSENT: Final = Raw(b"")


class Item(msgspec.Struct):
    """One item of an input, of whatever type."""

    type: str | None = "message"
    role: str = ""
    content: Raw = NULL
    call_id: Raw = ABSENT
    id: Raw = NULL
    name: Raw = ABSENT
    namespace: Raw = NULL
    arguments: Raw = ABSENT
    input: Raw = ABSENT
    action: Raw = NULL
    operation: Raw = NULL
    output: Raw = NULL
    tools: Raw = NULL
    encrypted_content: Raw = NULL


class Part(msgspec.Struct):
    """One part of a content or an output."""

    type: str = ""
    text: Raw = ABSENT
    refusal: Raw = ABSENT
    image_url: Raw = NULL
    detail: Raw = NULL
    file_id: Raw = NULL
    file_data: Raw = NULL
    file_url: Raw = NULL
    filename: Raw = NULL
    input_audio: Raw = NULL


class _Audio(msgspec.Struct):
    data: Raw = ABSENT
    format: Raw = Raw(b'"wav"')


_NULL: Final = b"null"
_decode_audio: Final = msgspec.json.Decoder(_Audio).decode
_decode_items: Final = tolerant(msgspec.json.Decoder(list[Item]).decode)
_decode_parts: Final = msgspec.json.Decoder(list[Part]).decode
TEXTS: Final = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})


def items_of(raw: bytes | None) -> list[Item]:
    """Return the items of an input, each with its type; a text alone is one of the user's.

    Raises `InvalidRequest`, naming the field.
    """
    if raw is None or raw[:1] == b'"':
        return [Item(role="user", content=Raw(raw))] if raw else []
    items = decoded(_decode_items, raw, "input")
    for item in items:
        item.type = item.type or "message"
    return items


def parts_of(raw: Raw, path: str) -> list[Part]:
    """Return the parts of a content; a text alone is one. Raises `InvalidRequest`."""
    value = bytes(raw)
    if value[:1] == b'"':
        return [Part("input_text", raw)]
    return [] if value == b"null" else decoded(_decode_parts, value, path)


def spelled(part: Part, path: str, profile: Profile) -> bytes:
    """Return a part as Chat Completions has it, b"" for one that the vendor does not take.

    Raises `InvalidRequest` for one that is malformed.
    """
    if part.type in TEXTS:
        return b'{"type":"text","text":%b}' % text(part.text, path, "text")
    if part.type == "refusal":
        return b'{"type":"text","text":%b}' % text(part.refusal, path, "refusal")
    if part.type == "input_image" and bytes(part.image_url) != b"null":
        return _image(part, path)
    if part.type == "input_file" and profile.takes_files and bytes(part.file_url) == b"null":
        said = ((name, bytes(getattr(part, name))) for name in ("file_id", "file_data", "filename"))
        members = (
            b'"%b":%b' % (name.encode(), text(raw, path, name))
            for name, raw in said
            if raw != _NULL
        )
        return b'{"type":"file","file":{%b}}' % b",".join(members)
    if part.type == "input_audio" and profile.takes_audio:
        audio = decoded(_decode_audio, part.input_audio, f"{path}.input_audio")
        data = text(audio.data, path, "input_audio.data")
        kind = text(audio.format, path, "input_audio.format")
        return b'{"type":"input_audio","input_audio":{"data":%b,"format":%b}}' % (data, kind)
    return b""


def _image(part: Part, path: str) -> bytes:
    detail = bytes(part.detail)
    said = b"" if detail == b"null" else b',"detail":' + text(part.detail, path, "detail")
    url = text(part.image_url, path, "image_url")
    return b'{"type":"image_url","image_url":{"url":%b%b}}' % (url, said)
