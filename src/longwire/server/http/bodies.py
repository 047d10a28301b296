"""The codings of a request's body: undone, never past a limit."""

import asyncio
import zlib

import zstandard

from longwire.core.errors import BodyTooLarge, InvalidRequest

_IN_THREAD = 64 * 1024
_MOST_CODINGS = 4
_MOST_MEMBERS = 64
_GZIP, _ZLIB, _RAW = 31, 15, -15
_ZSTD_WINDOW = 8 * 1024 * 1024
"""The largest window a zstd body may ask for (RFC 9659)."""
_ZSTD_SLICE = 1024
"""zstd unpacks at most 32 KiB per packed byte, so that one slice makes at most 32 MiB."""


def codings_of(named: str) -> list[str]:
    """Return the codings that a header names. Raises `InvalidRequest` for what cannot be undone."""
    several = named.lower().split(",")
    codings = [coding.strip().removeprefix("x-") for coding in several if coding.strip()]
    codings = [coding for coding in codings if coding != "identity"]
    unknown = [coding for coding in codings if coding not in ("gzip", "deflate", "zstd")]
    if unknown or len(codings) > _MOST_CODINGS:
        raise InvalidRequest(
            f"The content-encoding '{', '.join(codings)[:100]}' is not supported; "
            "use gzip, deflate, zstd or identity.",
            code="unsupported_content_encoding",
        )
    return codings


async def unpacked(body: bytes, codings: list[str], limit: int) -> bytes:
    """Undo the codings of a body, a large one in a thread. Raises as `unpack` does."""
    if len(body) < _IN_THREAD:
        return unpack(body, codings, limit)
    return await asyncio.to_thread(unpack, body, codings, limit)


def unpack(body: bytes, codings: list[str], limit: int) -> bytes:
    """Undo the codings of a body, the last one first; `limit` in bytes holds for what it becomes.

    Raises `BodyTooLarge`, or `InvalidRequest` for what is cut or wrong.
    """
    for coding in reversed(codings):
        try:
            body = _zstd(body, limit) if coding == "zstd" else _zlib(body, coding, limit)
        except (zlib.error, zstandard.ZstdError, EOFError) as error:
            raise InvalidRequest(
                f"The request body is not whole or no valid {coding}: {error}.",
                code="invalid_content_encoding",
            ) from None
    return body


def _zlib(packed: bytes, coding: str, limit: int) -> bytes:
    """Inflate; gzip may hold several members, and deflate comes with zlib's header or without."""
    window = _GZIP if coding == "gzip" else _deflate_window(packed)
    parts: list[bytes] = []
    room = limit + 1
    for _ in range(_MOST_MEMBERS):
        inflater = zlib.decompressobj(window)
        parts.append(inflater.decompress(packed, room))
        room -= len(parts[-1])
        if room <= 0:
            raise BodyTooLarge(limit)
        if not inflater.eof:
            raise EOFError("it ends too early")
        packed = inflater.unused_data
        if not packed:
            return b"".join(parts)
    raise EOFError(f"it has more than {_MOST_MEMBERS} parts")


def _deflate_window(packed: bytes) -> int:
    """RFC 1950 begins with a checksummed header; many clients leave it away."""
    has_header = packed[:1] in (b"\x78", b"\x68", b"\x58", b"\x48", b"\x38", b"\x28", b"\x18")
    return _ZLIB if has_header and int.from_bytes(packed[:2], "big") % 31 == 0 else _RAW


def _zstd(packed: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    position = size = 0
    for _ in range(_MOST_MEMBERS):
        frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        while not frame.eof:
            if position >= len(packed):
                raise EOFError("it ends too early")
            parts.append(frame.decompress(packed[position : position + _ZSTD_SLICE]))
            position += _ZSTD_SLICE
            size += len(parts[-1])
            if size > limit:
                raise BodyTooLarge(limit)
        position = min(position, len(packed)) - len(frame.unused_data)
        if position == len(packed):
            return b"".join(parts)
    raise EOFError(f"it has more than {_MOST_MEMBERS} parts")
