"""What answers of other APIs left in a history: sealed reasoning of other vendors, and made up ids.

Law: no upstream of the Responses API is sent what another vendor sealed, nor an id that the gateway
made; what an item says is sent as it is. Item by item, so that what was sent once begins what is
sent next.
"""

from dataclasses import replace
from typing import Final

import msgspec

from longwire.core.rules.turn import Turn
from longwire.dialects.members import names_of
from longwire.dialects.raw_json import map_items, splice
from longwire.dialects.responses.history import InputHistory
from longwire.dialects.responses.item_ids import decode_head
from longwire.dialects.seals import REASONING, RESPONSES, opened

ID_PREFIX: Final = "lw_"
"""How the id of an item begins that the gateway made of an answer in another API."""

MARK: Final = b'"lw'
"""What stands before every such id and every seal."""


def without_foreign(turn: Turn) -> Turn:
    """Return a turn without them; reasoning of other vendors is left out, whatever it shows.

    What is left out is named among what is `dropped`.
    """
    raw = turn.input or b""
    if MARK not in raw or raw[:1] != b"[":
        return turn
    left_out: set[str] = set()
    kept = map_items(raw, lambda item: _without_foreign(item, left_out))
    if kept == raw:
        return turn
    source = replace(turn.source, dropped=names_of((*turn.source.dropped, *left_out)))
    return replace(turn, input=kept, history=InputHistory(kept), source=source)


def _without_foreign(raw: bytes, left_out: set[str]) -> bytes | None:
    if MARK not in raw:
        return raw
    try:
        head = decode_head(raw)
    except msgspec.MsgspecError:
        return raw
    is_made = head.id is not None and head.id.startswith(ID_PREFIX)
    sealed = head.encrypted_content
    if head.type == "reasoning" and (is_made or (sealed and opened(sealed).issuer != RESPONSES)):
        left_out.add(REASONING)
        return None
    return splice(raw, {"id": None}) if is_made else raw
