"""Items whose content one account alone can read, and turns without those of another account.

Law: what is left out follows from the items before it alone, so that a later turn with the same
beginning is sent with the same beginning.
"""

from collections.abc import Collection
from dataclasses import replace

import msgspec
from blake3 import blake3

from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import split_items, tolerant
from longwire.dialects.responses.history import InputHistory


class _Item(msgspec.Struct):
    encrypted_content: str | None = None


_decode_item = tolerant(msgspec.json.Decoder(_Item).decode)


def last_sealed(turn: Turn) -> bytes | None:
    """Digest the last sealed content in a turn's input, None where there is none."""
    found = [digest for digest in map(_digest, _split(turn)) if digest is not None]
    return found[-1] if found else None


def without_sealed(turn: Turn, ends: Collection[bytes]) -> Turn:
    """Return a turn without its sealed items up to the last of those that `ends` digest."""
    items = _split(turn)
    digests = list(map(_digest, items))
    count = max((at for at, digest in enumerate(digests, 1) if digest in ends), default=0)
    if not count:
        return turn
    kept = [item for at, item in enumerate(items) if at >= count or digests[at] is None]
    raw = b"[%b]" % b",".join(kept)
    return replace(turn, input=raw, history=InputHistory(raw))


def _split(turn: Turn) -> list[bytes]:
    is_array = turn.input is not None and turn.input[:1] == b"["
    return [bytes(item) for item in split_items(turn.input or b"")] if is_array else []


def _digest(item: bytes) -> bytes | None:
    """Digest the sealed content of an item; None for one that everybody can read."""
    if b'"encrypted_content"' not in item:
        return None
    try:
        sealed = _decode_item(item).encrypted_content
    except msgspec.MsgspecError:
        return None
    return blake3(sealed.encode()).digest(length=16) if sealed else None
