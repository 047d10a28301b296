"""Content blocks of a user as the parts of a message or of a tool's output.

Law: texts stay the client's own bytes; what moves around them (`cache_control`, a string that
became one block) changes nothing.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import NoEquivalent, decoded, invalid, no_equivalent, text
from longwire.dialects.raw_json import NULL, tolerant
from longwire.dialects.repeats import check_repeats, refuse_repeats, write

QUOTE: Final = b'"'[0]
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
    is_error: bool | None = None
    citations: Raw = NULL
    cache_control: Raw = NULL
    caller: Raw = NULL


class _Source(msgspec.Struct, omit_defaults=True):
    type: str
    media_type: str | None = None
    data: Raw = NULL
    url: Raw = NULL
    content: Raw = NULL


_decode_blocks: Final = msgspec.json.Decoder(list[Block]).decode
_decode_source: Final = msgspec.json.Decoder(_Source).decode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


def blocks_of(content: Raw, at: str) -> list[Block]:
    """Return the blocks of a content; a string is one of text. Raises `InvalidRequest`."""
    raw = bytes(content)
    if raw[:1] == b'"':
        return [Block("text", content)]
    if raw[:1] != b"[":
        raise invalid(at, "must be a string or an array of blocks")
    blocks = decoded(_decode_blocks, content, at)
    if len(write(blocks)) != len(raw):
        refuse_repeats(raw, {}, at)
    return blocks


def is_blank(value: Raw) -> bool:
    """Whether a text is empty, or white space alone: Anthropic refuses it, and clients send it."""
    view = memoryview(value)
    return view[0] == QUOTE and view[1] in _BLANKS and not _decode_text(view.tobytes()).strip()


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
            yield _image(_source(block, at), f"{at}.source")
        case "document":
            yield from _document(block, at)
        case "search_result":
            yield from _search_result(block, at)
        case _:
            raise unknown_block(block, at)


def unknown_block(block: Block, at: str) -> NoEquivalent:
    """Return the error of a block that cannot stand where it does."""
    kind = block.type[:40]
    fault = f"is '{kind}', a block that has no equivalent here; send its content as text"
    return no_equivalent(f"{at}.type", fault)


def _source(block: Block, at: str) -> _Source:
    source = decoded(_decode_source, block.source, f"{at}.source")
    check_repeats(block.source, source, f"{at}.source")
    return source


def _inline_url(source: _Source, at: str) -> bytes:
    """Return base64 data as a URL, as raw JSON text."""
    if not source.media_type:
        raise invalid(f"{at}.media_type", "is required")
    data = text(source.data, at, "data")
    return msgspec.json.encode(f"data:{source.media_type};base64,")[:-1] + data[1:]


def _image(source: _Source, at: str) -> bytes:
    match source.type:
        case "base64":
            return _IMAGE + _inline_url(source, at) + _DETAIL
        case "url":
            return _IMAGE + text(source.url, at, "url") + _DETAIL
        case _:
            raise _unreadable(source, at, "an image")


def _unreadable(source: _Source, at: str, what: str) -> NoEquivalent:
    fault = (
        f"is '{source.type[:40]}': {what} must come as base64 or url, for files of Anthropic's "
        "are not within reach"
    )
    return no_equivalent(f"{at}.type", fault)


def _document(block: Block, at: str) -> Iterator[bytes]:
    source = _source(block, at)
    yield from _said(block.title, at, "title")
    yield from _said(block.context, at, "context")
    at = f"{at}.source"
    match source.type:
        case "text":
            yield text_part(text(source.data, at, "data"))
        case "base64":
            title = bytes(block.title)
            name = title if title[:1] == b'"' and len(title) > len('""') else b'"document.pdf"'
            data = _inline_url(source, at)
            yield b'{"type":"input_file","filename":%b,"file_data":%b}' % (name, data)
        case "url":
            yield b'{"type":"input_file","file_url":%b}' % text(source.url, at, "url")
        case "content":
            yield from _inner_parts(source.content, f"{at}.content")
        case _:
            raise _unreadable(source, at, "a document")


def _search_result(block: Block, at: str) -> Iterator[bytes]:
    """Give title, source and texts of a search result, each as a text."""
    yield from _said(block.title, at, "title")
    yield from _said(block.source, at, "source")
    yield from _inner_parts(block.content, f"{at}.content")


def _said(words: Raw, at: str, name: str) -> Iterator[bytes]:
    """Give what a block says about itself as a part, where it says anything."""
    if bytes(words) != b"null" and not is_blank(words):
        yield text_part(text(words, at, name))


def _inner_parts(content: Raw, at: str) -> Iterator[bytes]:
    for number, inner in enumerate(blocks_of(content, at)):
        yield from parts_of(inner, f"{at}.{number}")
