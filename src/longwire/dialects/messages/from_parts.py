"""Parts of messages and of tools' outputs as content blocks of the Messages API.

Law: texts stay the client's own bytes; blank ones, which the API refuses, are left out.
"""

from base64 import b64decode
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.embedded import PDF, embedded_in_file, embedded_in_url, plain
from longwire.dialects.fields import decoded, invalid, text
from longwire.dialects.losses import Losses
from longwire.dialects.messages.blocks import is_blank
from longwire.dialects.raw_json import NULL, tolerant

_TEXT: Final = b'{"type":"text","text":%b}'
_INLINE: Final = b'{"type":"%b","source":{"type":"base64","media_type":"%b","data":"%b"}%b}'
_LINKED: Final = b'{"type":"%b","source":{"type":"url","url":%b}%b}'
_PLAIN: Final = (
    b'{"type":"document","source":{"type":"text","media_type":"text/plain","data":%b}%b}'
)
_PNG: Final = b"image/png"
_IMAGES: Final = frozenset({_PNG, b"image/jpeg", b"image/gif", b"image/webp"})


class _Part(msgspec.Struct, gc=False):
    type: str | None = None
    text: Raw = NULL
    refusal: Raw = NULL
    image_url: Raw = NULL
    file_id: Raw = NULL
    file_data: Raw = NULL
    file_url: Raw = NULL
    filename: Raw = NULL


_decode_parts: Final = tolerant(msgspec.json.Decoder(list[_Part]).decode)


def text_block(value: bytes | Raw) -> bytes:
    """Return the block of a raw JSON text."""
    return _TEXT % bytes(value)


def blocks_of(content: Raw, at: str, losses: Losses) -> Iterator[bytes]:
    """Give the blocks of a content. Raises `InvalidRequest`, which names the part."""
    raw = bytes(content)
    if raw[:1] == b'"':
        if not is_blank(content):
            yield text_block(raw)
        return
    if raw[:1] != b"[":
        raise invalid(at, "must be a string or an array of parts")
    for number, part in enumerate(decoded(_decode_parts, content, at)):
        block = _block(part, f"{at}.{number}", losses)
        if block:
            yield block


def _block(part: _Part, at: str, losses: Losses) -> bytes:
    match part.type:
        case "input_text" | "output_text" | "text":
            return _text(part.text, f"{at}.text")
        case "refusal":
            return _text(part.refusal, f"{at}.refusal")
        case "input_image":
            return _image(part, at, losses)
        case "input_file":
            return _file(part, at, losses)
        case kind:
            losses.refuse(f"{at}.type", f"is '{kind}', which Claude cannot read", f"input.{kind}")
            return b""


def _text(value: Raw, at: str) -> bytes:
    raw = text(value, at)
    return b"" if is_blank(value) else text_block(raw)


def _image(part: _Part, at: str, losses: Losses) -> bytes:
    url = plain(part.image_url, f"{at}.image_url")
    if not url:
        losses.refuse(at, "must come as 'image_url' for Claude", "input_image.file_id")
        return b""
    found = embedded_in_url(url, f"{at}.image_url")
    if found is None:
        return _LINKED % (b"image", url, b"")
    media_type = found.media_type or _PNG
    if media_type not in _IMAGES:
        fault = "is an image that Claude cannot read: png, jpeg, gif or webp"
        losses.refuse(f"{at}.image_url", fault, "input_image")
        return b""
    return _INLINE % (b"image", media_type, found.data, b"")


def _file(part: _Part, at: str, losses: Losses) -> bytes:
    name = plain(part.filename, f"{at}.filename")
    title = b',"title":' + name if name and not is_blank(Raw(name)) else b""
    url, data = plain(part.file_url, f"{at}.file_url"), plain(part.file_data, f"{at}.file_data")
    found = embedded_in_url(url, f"{at}.file_url") if url else None
    if url and found is None:
        return _LINKED % (b"document", url, title)
    if data:
        found = embedded_in_file(data, name, f"{at}.file_data")
    if found is not None and found.media_type in (PDF, b""):
        return _INLINE % (b"document", PDF, found.data, title)
    words = _words(found.data) if found and found.media_type.startswith(b"text/") else b""
    if words:
        return _PLAIN % (words, title)
    fault = "must be a PDF or a text, as 'file_data' or 'file_url', for Claude"
    losses.refuse(at, fault, "input_file")
    return b""


def _words(data: bytes) -> bytes:
    """Return a text that comes as base64, as raw JSON; b"" for what is none."""
    try:
        return msgspec.json.encode(b64decode(msgspec.json.decode(b'"%b"' % data)).decode())
    except ValueError:
        return b""
