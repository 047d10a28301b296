"""Parts of messages and of what tools return, as Gemini's: texts, and data of other kinds."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.embedded import PDF, Embedded, embedded_in_file, embedded_in_url, plain
from longwire.dialects.fields import decoded, invalid, text
from longwire.dialects.losses import Losses
from longwire.dialects.raw_json import NULL

_EMPTY: Final = (b"null", b'""')
_AUDIO: Final = re.compile(r"[a-z0-9][a-z0-9.+-]*")


class _Audio(msgspec.Struct):
    data: Raw = NULL
    format: str = "wav"

    def said(self, at: str) -> bytes:
        """Return the part that it is. Raises `InvalidRequest`, which names the place."""
        data = plain(self.data, f"{at}.data")
        if not data:
            raise invalid(f"{at}.data", "is required, in base64")
        if not _AUDIO.fullmatch(self.format):
            raise invalid(f"{at}.format", "must be the name of a format, as 'wav' or 'mp3'")
        return _inline(Embedded(b"audio/" + self.format.encode(), data[1:-1]), b"")


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
            return part.input_audio.said(f"{at}.input_audio")
        case _:
            kind = part.type[:40]
            losses.refuse(f"{at}.type", f"is '{kind}', which Gemini cannot read", f"input.{kind}")
            return b""


def _text(value: Raw, at: str) -> bytes:
    return b"" if bytes(value) in _EMPTY else text_part(text(value, at))


def _image(part: Part, at: str, losses: Losses) -> bytes:
    url = plain(part.image_url, f"{at}.image_url")
    if not url:
        losses.refuse(f"{at}.file_id", "must come as 'image_url' for Gemini", "input_image.file_id")
        return b""
    return _linked(url, b"image/png", f"{at}.image_url")


def _file(part: Part, at: str, losses: Losses) -> bytes:
    url, data = plain(part.file_url, f"{at}.file_url"), plain(part.file_data, f"{at}.file_data")
    if data:
        name = plain(part.filename, f"{at}.filename")
        return _inline(embedded_in_file(data, name, f"{at}.file_data"), PDF)
    if not url:
        losses.refuse(f"{at}.file_id", "must come as 'file_data' for Gemini", "input_file.file_id")
        return b""
    return _linked(url, PDF, f"{at}.file_url")


def _linked(url: bytes, default: bytes, at: str) -> bytes:
    found = embedded_in_url(url, at)
    return b'{"fileData":{"fileUri":%b}}' % url if found is None else _inline(found, default)


def _inline(found: Embedded, default: bytes) -> bytes:
    media_type = found.media_type or default
    return b'{"inlineData":{"mimeType":"%b","data":"%b"}}' % (media_type, found.data)
