"""Parts of messages and of what tools return, as Gemini's: texts, and data of other kinds."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import decoded, invalid, no_text
from longwire.dialects.losses import Losses
from longwire.dialects.raw_json import NULL, tolerant

_encode: Final = msgspec.json.Encoder().encode
_EMPTY: Final = (b"null", b'""')
_DATA: Final = b'"data:'
_BASE64: Final = b";base64,"
_PDF: Final = b"application/pdf"
_TYPES: Final = {
    b"pdf": _PDF,
    b"txt": b"text/plain",
    b"md": b"text/markdown",
    b"html": b"text/html",
    b"csv": b"text/csv",
    b"json": b"application/json",
    b"png": b"image/png",
    b"jpg": b"image/jpeg",
    b"jpeg": b"image/jpeg",
    b"webp": b"image/webp",
    b"mp3": b"audio/mp3",
    b"wav": b"audio/wav",
    b"mp4": b"video/mp4",
}
"""Media types by the ends of files' names, for data that comes without its own."""


class _Audio(msgspec.Struct):
    data: Raw = NULL
    format: str = "wav"


class Part(msgspec.Struct):
    """What is read of one part of a message."""

    type: str = "input_text"
    text: Raw = NULL
    refusal: Raw = NULL
    image_url: Raw = NULL
    file_id: Raw = NULL
    file_data: Raw = NULL
    file_url: Raw = NULL
    filename: Raw = NULL
    input_audio: _Audio | None = None


_decode_parts: Final = msgspec.json.Decoder(list[Part]).decode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


def text_part(text: bytes) -> bytes:
    """Return a text, which is raw JSON, as a part."""
    return b'{"text":%b}' % text


def parts_of(content: Raw, at: str, losses: Losses) -> Iterator[bytes]:
    """Give the parts of a content, a text or a list. Raises `InvalidRequest`, naming the place.

    Empty texts are left out: Gemini refuses a part without data.
    """
    raw = bytes(content)
    if raw[:1] == b'"':
        if raw not in _EMPTY:
            yield text_part(raw)
        return
    if raw == b"null":
        return
    for number, part in enumerate(decoded(_decode_parts, content, at)):
        said = _part(part, f"{at}.{number}", losses)
        if said:
            yield said


def _part(part: Part, at: str, losses: Losses) -> bytes:
    match part.type:
        case "input_text" | "output_text" | "text" | "summary_text":
            return _text(part.text, f"{at}.text")
        case "refusal":
            return _text(part.refusal, f"{at}.refusal")
        case "input_image" | "computer_screenshot":
            return _image(part, at, losses)
        case "input_file":
            return _file(part, at, losses)
        case "input_audio" if part.input_audio is not None:
            mime = f"audio/{part.input_audio.format}".encode()
            return _inline(mime, bytes(part.input_audio.data)[1:-1])
        case _:
            kind = part.type[:40]
            losses.refuse(f"{at}.type", f"is '{kind}', which Gemini cannot read", f"input.{kind}")
            return b""


def _text(text: Raw, at: str) -> bytes:
    raw = bytes(text)
    if raw in _EMPTY:
        return b""
    if raw[:1] != b'"':
        raise no_text(text, at)
    return text_part(raw)


def _image(part: Part, at: str, losses: Losses) -> bytes:
    url = _plain(part.image_url, f"{at}.image_url")
    if not url:
        losses.refuse(f"{at}.file_id", "must come as 'image_url' for Gemini", "input_image.file_id")
        return b""
    return (
        _at(url) if not url.startswith(_DATA) else _from_url(url, b"image/png", f"{at}.image_url")
    )


def _file(part: Part, at: str, losses: Losses) -> bytes:
    url, data = _plain(part.file_url, f"{at}.file_url"), _plain(part.file_data, f"{at}.file_data")
    if data:
        end = _plain(part.filename, f"{at}.filename")[1:-1].rpartition(b".")[2].lower()
        return _from_url(data, _TYPES.get(end, _PDF), f"{at}.file_data")
    if not url:
        losses.refuse(f"{at}.file_id", "must come as 'file_data' for Gemini", "input_file.file_id")
        return b""
    return _at(url) if not url.startswith(_DATA) else _from_url(url, _PDF, f"{at}.file_url")


def _plain(value: Raw, at: str) -> bytes:
    """Return a text as raw JSON without needless escapes, b"" for none. Raises `InvalidRequest`."""
    raw = bytes(value)
    if raw in _EMPTY:
        return b""
    if raw[:1] != b'"':
        raise no_text(value, at)
    return _encode(_decode_text(raw)) if b"\\" in raw else raw


def _from_url(url: bytes, default: bytes, at: str) -> bytes:
    """Return what a data URL, or base64 alone, holds. Raises `InvalidRequest`."""
    head, is_url, data = url[1:-1].partition(_BASE64)
    if is_url:
        return _inline(head[len(_DATA) - 1 :].partition(b";")[0] or default, data)
    if url.startswith(_DATA):
        raise invalid(at, "must hold its data in base64, as in data:image/png;base64,...")
    return _inline(default, head)


def _inline(mime: bytes, data: bytes) -> bytes:
    return b'{"inlineData":{"mimeType":"%b","data":"%b"}}' % (mime, data)


def _at(url: bytes) -> bytes:
    return b'{"fileData":{"fileUri":%b}}' % url
