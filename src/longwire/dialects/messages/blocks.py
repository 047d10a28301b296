"""Content blocks of a user as the parts of a message or of a tool's output.

Law: texts stay the client's own bytes; what moves around them (`cache_control`, a string that
became one block) changes nothing.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.fields import invalid, text
from longwire.dialects.raw_json import NULL, tolerant
from longwire.dialects.repeats import check_repeats, refuse_repeats, write

_QUOTE: Final = b'"'[0]
_BLANKS: Final = b' \t\\"'
"""What a blank text may begin with: white space, an escape, or its end."""

_IMAGE: Final = b'{"type":"input_image","image_url":'
_DETAIL: Final = b',"detail":"auto"}'


class Block(msgspec.Struct, omit_defaults=True):
    """What is read of one content block, whatever its type; texts stay raw.

    The last ones are only known, so that a block which has them is not looked at twice.
    """

    type: str
    text: Raw = NULL
    id: str | None = None
    name: str | None = None
    input: Raw = NULL
    tool_use_id: str | None = None
    content: Raw = NULL
    source: Raw = NULL
    title: Raw = NULL
    context: Raw = NULL
    thinking: Raw = NULL
    signature: str | None = None
    data: str | None = None
    tool: Raw = NULL
    tool_name: str | None = None
    cache_control: Raw = NULL
    citations: Raw = NULL
    caller: Raw = NULL
    is_error: Raw = NULL


class _Source(msgspec.Struct, omit_defaults=True):
    type: str = ""
    media_type: str = ""
    data: Raw = NULL
    url: Raw = NULL
    content: Raw = NULL


_decode_blocks: Final = tolerant(msgspec.json.Decoder(list[Block]).decode)
_decode_source: Final = tolerant(msgspec.json.Decoder(_Source).decode)
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


def blocks_of(content: Raw, at: str) -> list[Block]:
    """Return the blocks of a content; a string is one of text. Raises `InvalidRequest`."""
    raw = bytes(content)
    if raw[:1] == b'"':
        return [Block("text", content)]
    if raw[:1] != b"[":
        raise invalid(at, "must be a string or an array of blocks")
    try:
        blocks = _decode_blocks(content)
    except msgspec.ValidationError as error:
        raise invalid(at, f"has a block that is malformed: {error}") from None
    if len(write(blocks)) != len(raw):
        refuse_repeats(raw, {}, at)
    return blocks


def is_blank(value: Raw) -> bool:
    """Whether a text is empty, or white space alone: Anthropic refuses it, and clients send it."""
    view = memoryview(value)
    if view[0] != _QUOTE:
        return bytes(view) == b"null"
    return view[1] in _BLANKS and not _decode_text(view.tobytes()).strip()


def text_part(value: bytes) -> bytes:
    """Return the part of a raw JSON text."""
    return b'{"type":"input_text","text":%b}' % value


def parts_of(block: Block, at: str) -> Iterator[bytes]:
    """Give the parts that a block is. Raises `InvalidRequest`, which names what has none."""
    match block.type:
        case "text":
            if not is_blank(block.text):
                yield text_part(text(block.text, at, "text"))
        case "image":
            yield _image(_source(block, at), at)
        case "document":
            yield from _document(block, at)
        case "search_result":
            yield from _search_result(block, at)
        case _:
            message = (
                f"'{at}' is a block of type '{block.type}', which has no equivalent here; "
                "send its content as text."
            )
            raise InvalidRequest(message, param=f"{at}.type")


def _source(block: Block, at: str) -> _Source:
    try:
        source = _decode_source(block.source)
    except msgspec.MsgspecError:
        raise invalid(f"{at}.source", "must be an object with a 'type'") from None
    check_repeats(block.source, source, f"{at}.source")
    return source


def _inline_url(source: _Source, at: str) -> bytes:
    """Return base64 data as a URL, as raw JSON text."""
    data = text(source.data, f"{at}.source.data")
    return msgspec.json.encode(f"data:{source.media_type};base64,")[:-1] + data[1:]


def _image(source: _Source, at: str) -> bytes:
    match source.type:
        case "base64":
            return _IMAGE + _inline_url(source, at) + _DETAIL
        case "url":
            return _IMAGE + text(source.url, f"{at}.source.url") + _DETAIL
        case _:
            raise _unreadable(source, at, "an image")


def _unreadable(source: _Source, at: str, what: str) -> InvalidRequest:
    message = (
        f"'{at}.source.type' is '{source.type}': {what} must come as base64 or url, "
        "for files of Anthropic's are not within reach."
    )
    return InvalidRequest(message, param=f"{at}.source.type")


def _document(block: Block, at: str) -> Iterator[bytes]:
    source = _source(block, at)
    yield from _about(block, at, "title", "context")
    match source.type:
        case "text":
            yield text_part(text(source.data, f"{at}.source.data"))
        case "base64":
            title = bytes(block.title)
            name = title if title[:1] == b'"' and len(title) > len('""') else b'"document.pdf"'
            data = _inline_url(source, at)
            yield b'{"type":"input_file","filename":%b,"file_data":%b}' % (name, data)
        case "url":
            yield b'{"type":"input_file","file_url":%b}' % text(source.url, f"{at}.source.url")
        case "content":
            for inner in blocks_of(source.content, f"{at}.source.content"):
                yield from parts_of(inner, f"{at}.source.content")
        case _:
            raise _unreadable(source, at, "a document")


def _about(block: Block, at: str, *names: str) -> Iterator[bytes]:
    """Give what is said about a block, each as a text."""
    for name in names:
        value = getattr(block, name)
        if not is_blank(value):
            yield text_part(text(value, at, name))


def _search_result(block: Block, at: str) -> Iterator[bytes]:
    """Give title, source and texts of a search result, each as a text."""
    yield from _about(block, at, "title", "source")
    for inner in blocks_of(block.content, f"{at}.content"):
        yield from parts_of(inner, f"{at}.content")
