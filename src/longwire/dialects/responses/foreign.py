"""What answers of other APIs left in a history: sealed reasoning of other vendors, and made up ids.

Law: no upstream of the Responses API is sent what another vendor sealed, nor an id that the gateway
made; what an item says is sent as it is. Item by item, so that what was sent once begins what is
sent next.
"""

from dataclasses import replace
from typing import Final

import msgspec

from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import map_items, splice
from longwire.dialects.responses.history import InputHistory
from longwire.dialects.responses.item_ids import decode_head
from longwire.dialects.seals import RESPONSES, opened

ID_PREFIX: Final = "lw_"
"""How the id of an item begins that the gateway made of an answer in another API."""

MARK: Final = b'"lw'
"""What stands before every such id and every seal."""


def without_foreign(turn: Turn) -> Turn:
    """Return a turn without them; reasoning of other vendors is left out, whatever it shows."""
    raw = turn.input or b""
    if MARK not in raw or raw[:1] != b"[":
        return turn
    kept = map_items(raw, _without_foreign)
    return turn if kept == raw else replace(turn, input=kept, history=InputHistory(kept))


def _without_foreign(raw: bytes) -> bytes | None:
    if MARK not in raw:
        return raw
    try:
        head = decode_head(raw)
    except msgspec.MsgspecError:
        return raw
    is_made = head.id is not None and head.id.startswith(ID_PREFIX)
    sealed = head.encrypted_content
    if head.type == "reasoning" and (is_made or (sealed and opened(sealed).issuer != RESPONSES)):
        return None
    return splice(raw, {"id": None}) if is_made else raw
