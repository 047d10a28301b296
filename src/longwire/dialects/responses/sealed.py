"""Items whose content one account alone can read, and turns without those of another account.

Law: what is left out follows from the items before it alone, so that a later turn with the same
beginning is sent with the same beginning. An item whose reasoning is left out is sent without its
id: by that it would be refused (`was provided without its required 'reasoning' item`).
"""

from collections.abc import Collection
from dataclasses import replace

import msgspec
from blake3 import blake3

from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import splice, split_items, tolerant
from longwire.dialects.responses.history import InputHistory
from longwire.dialects.responses.item_ids import decode_head


class _Item(msgspec.Struct):
    encrypted_content: str | None = None


_decode_item = tolerant(msgspec.json.Decoder(_Item).decode)


def last_sealed(turn: Turn) -> bytes | None:
    """Digest the last sealed content in a turn's input, None where there is none."""
    found = [digest for digest in map(_digest, _split(turn)) if digest is not None]
    return found[-1] if found else None


def without_sealed(turn: Turn, ends: Collection[bytes]) -> Turn:
    """Return a turn without its sealed items up to the last of those that `ends` digest.

    The others up to there, and to the end of that answer, go without their ids.
    """
    items = _split(turn)
    digests = list(map(_digest, items))
    count = max((at for at, digest in enumerate(digests, 1) if digest in ends), default=0)
    if not count:
        return turn
    end = next((at for at in range(count, len(items)) if _begins(items[at])), len(items))
    readable = (items[at] for at in range(end) if at >= count or digests[at] is None)
    raw = b"[%b]" % b",".join([*map(_without_id, readable), *items[end:]])
    return replace(turn, input=raw, history=InputHistory(raw))


def _split(turn: Turn) -> list[bytes]:
    is_array = turn.input is not None and turn.input[:1] == b"["
    return [bytes(item) for item in split_items(turn.input or b"")] if is_array else []


def _begins(item: bytes) -> bool:
    """Whether an item ends what belongs to the reasoning before: a question, or new reasoning."""
    try:
        head = decode_head(item)
    except msgspec.MsgspecError:
        return False
    return head.role == "user" or bool(head.encrypted_content)


def _without_id(item: bytes) -> bytes:
    """Return an item without its id; a reference is nothing but one."""
    if b'"id"' not in item:
        return item
    try:
        head = decode_head(item)
        is_own = head.id is not None and head.type not in (None, "item_reference")
        return splice(item, {"id": None}) if is_own else item
    except msgspec.MsgspecError:
        return item


def _digest(item: bytes) -> bytes | None:
    """Digest the sealed content of an item; None for one that everybody can read."""
    if b'"encrypted_content"' not in item:
        return None
    try:
        sealed = _decode_item(item).encrypted_content
    except msgspec.MsgspecError:
        return None
    return blake3(sealed.encode()).digest(length=16) if sealed else None
