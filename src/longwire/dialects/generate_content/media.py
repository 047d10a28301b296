"""Data and files that parts bring along, as parts of a message or of a function's output."""

from typing import Final

import msgspec

from longwire.dialects.fields import invalid, text
from longwire.dialects.generate_content.wire import Blob, RemoteFile

_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_UNHEARD: Final = ("audio/", "video/")
_GOOGLES: Final = ("https://generativelanguage.googleapis.com/", "https://www.youtube.com/")
_encode: Final = msgspec.json.Encoder().encode


def inline_part(blob: Blob, at: str) -> bytes:
    """Return the part that data is. Raises `InvalidRequest` for what has none."""
    kind = _kind(blob.mime_type, at)
    data = text(blob.data, at, "data").translate(_STANDARD)
    url = _encode(f"data:{blob.mime_type};base64,")[:-1] + data[1:]
    if kind == "image":
        return _image(url)
    name = bytes(blob.display_name)
    named = name if name[:1] == b'"' and name != b'""' else _encode(_file_name(blob.mime_type))
    return b'{"type":"input_file","filename":%b,"file_data":%b}' % (named, url)


def file_part(file: RemoteFile, at: str) -> bytes:
    """Return the part that a file is, where anybody can read it. Raises `InvalidRequest`."""
    uri = file.file_uri
    if not uri.startswith(("https://", "http://")) or uri.startswith(_GOOGLES):
        fault = "is not within reach of the Responses API; send its content as 'inlineData'"
        raise invalid(f"{at}.fileUri", fault)
    if _kind(file.mime_type, at) == "image":
        return _image(_encode(uri))
    return b'{"type":"input_file","file_url":%b}' % _encode(uri)


def _kind(mime_type: str, at: str) -> str:
    if mime_type.startswith(_UNHEARD):
        raise invalid(f"{at}.mimeType", "is audio or video, which the Responses API cannot take")
    return mime_type.partition("/")[0]


def _image(url: bytes) -> bytes:
    return b'{"type":"input_image","image_url":%b,"detail":"auto"}' % url


def _file_name(mime_type: str) -> str:
    subtype = mime_type.partition("/")[2]
    return f"document.{'txt' if subtype == 'plain' else subtype or 'bin'}"
