"""Items of an input as they are read for Gemini: calls, what they returned, and seals."""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.client_tools import BY_CALL, CLIENT_TOOLS, input_object
from longwire.dialects.halves import without_halves
from longwire.dialects.input_items import Item
from longwire.dialects.raw_json import tolerant
from longwire.dialects.seals import Seal

ISSUER: Final = "gemini"
"""Who can read thought signatures."""

_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)
_decode_object: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_NO_ARGUMENTS: Final = (b"", b"null")


def seal_of(item: Item) -> Seal | None:
    """Return what reasoning holds that Gemini alone can read; None where that is somebody else."""
    seal = item.seal
    return seal if seal.issuer == ISSUER else None


def arguments_of(item: Item) -> bytes:
    """Return what a call passes as an object, as it was written; what is none is wrapped."""
    if item.type == "custom_tool_call":
        return input_object(item.input)
    kind = BY_CALL.get(item.type or "")
    if kind:
        tool = CLIENT_TOOLS[kind]
        return tool.arguments_of(getattr(item, tool.member))
    raw = bytes(item.arguments)
    if raw in _NO_ARGUMENTS:
        return b"{}"
    if raw[:1] != b'"':  # some clients send the object itself
        return raw if raw[:1] == b"{" else b'{"input":%b}' % raw
    text = _decode_text(raw).encode("utf-8", "replace")
    whole = (b"\\u" in text and without_halves(text)) or text
    if not whole.strip():
        return b"{}"
    return whole if _is_object(whole) else input_object(item.arguments)


def _is_object(text: bytes) -> bool:
    try:
        _decode_object(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True
