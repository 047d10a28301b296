"""Data that a text brings along: data URLs, and base64 alone, as raw JSON without their quotes.

JSON may write a slash with an escape: nothing is compared before needless ones are gone.
"""

from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.fields import invalid, text
from longwire.dialects.raw_json import tolerant

PDF: Final = b"application/pdf"
_EMPTY: Final = (b"null", b'""')
_DATA: Final = b'"data:'
_BASE64: Final = b";base64,"
_KNOWN_BY: Final = {b"image/jpg": b"image/jpeg"}
"""Media types by what else some clients call them."""

_TYPES: Final = {
    b"pdf": PDF,
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

_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


class Embedded(NamedTuple):
    """Data in base64, and its media type, b"" where nothing says it."""

    media_type: bytes
    data: bytes


def plain(value: Raw, at: str) -> bytes:
    """Return a text as raw JSON without needless escapes, b"" for none. Raises `InvalidRequest`."""
    if bytes(value) in _EMPTY:
        return b""
    raw = text(value, at)
    return _encode(_decode_text(raw)) if b"\\" in raw else raw


def embedded_in_url(url: bytes, at: str) -> Embedded | None:
    """Return what a plain URL holds, None for one that leads elsewhere. Raises `InvalidRequest`."""
    if url[: len(_DATA)].lower() != _DATA:
        return None
    head, is_base64, data = url[len(_DATA) : -1].partition(_BASE64)
    if not is_base64 or not data:
        raise invalid(at, "must hold its data in base64, as in data:image/png;base64,...")
    media_type = head.partition(b";")[0].lower()
    return Embedded(_KNOWN_BY.get(media_type, media_type), data)


def embedded_in_file(data: bytes, name: bytes, at: str) -> Embedded:
    """Return what plain data of a file is, a URL or base64 alone. Raises `InvalidRequest`."""
    end = name[1:-1].rpartition(b".")[2].lower()
    found = embedded_in_url(data, at) or Embedded(b"", data[1:-1])
    return found if found.media_type else Embedded(_TYPES.get(end, PDF), found.data)
