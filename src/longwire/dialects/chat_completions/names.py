"""Ids of calls and names of functions that are too long for the Responses API, made short.

What is short follows from what is long alone, so that each turn says the same.
"""

from collections.abc import Mapping

import msgspec
from blake3 import blake3

LONGEST = 64
_RAW_LONGEST = LONGEST + 2  # in quotes, and no shorter in bytes than in characters
_KEPT = 47


def short_id(raw: bytes) -> bytes:
    """Return an id of a call, as raw JSON, with at most 64 characters."""
    text = _too_long(raw)
    return raw if text is None else b'"call_%b"' % _digest(text, 24).encode()


def short_name(raw: bytes, originals: dict[str, str]) -> bytes:
    """Return a name of a function likewise; `originals` keeps the long one by the short one."""
    text = _too_long(raw)
    if text is None:
        return raw
    short = f"{text[:_KEPT]}_{_digest(text, 8)}"
    originals[short] = text
    return msgspec.json.encode(short)


def long_name(raw: bytes, originals: Mapping[str, str]) -> bytes:
    """Return a name as the client knows it."""
    if not originals:
        return raw
    long = originals.get(msgspec.json.decode(raw, type=str))
    return raw if long is None else msgspec.json.encode(long)


def _too_long(raw: bytes) -> str | None:
    if len(raw) <= _RAW_LONGEST:
        return None
    text = msgspec.json.decode(raw, type=str)
    return text if len(text) > LONGEST else None


def _digest(text: str, length: int) -> str:
    return blake3(text.encode()).hexdigest(length=length)
