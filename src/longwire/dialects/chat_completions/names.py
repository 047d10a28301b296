"""Ids of calls and names of functions as raw JSON, short as upstream, long as to the client."""

from collections.abc import Mapping

import msgspec

from longwire.dialects.names import LONGEST, shortened

_RAW_LONGEST = LONGEST + 2  # in quotes, and no shorter in bytes than in characters


def short_id(raw: bytes) -> bytes:
    """Return an id of a call, as raw JSON, with at most 64 characters."""
    text = _too_long(raw)
    return raw if text is None else msgspec.json.encode(shortened(text))


def short_name(raw: bytes, originals: dict[str, str]) -> bytes:
    """Return a name of a function likewise; `originals` keeps the long one by the short one."""
    text = _too_long(raw)
    if text is None:
        return raw
    short = shortened(text)
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
