"""Ids of items: which of them an upstream of OpenAI's own kind takes, and items without the others.

An id of another vendor names nothing there, and is refused: `Invalid 'input[1].id': 'item_abc'.
Expected an ID that begins with 'msg'.` What an item says stands beside its id.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

import msgspec

from longwire.dialects.raw_json import map_items, splice, tolerant

PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fc",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctc",
    "web_search_call": "ws",
}
"""How an item's id begins, by type (codex-lb; Codex CLI 0.169); other types are not checked."""

_SPELLING = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOTHING = (b"", b"null", b"[]")


class ItemHead(msgspec.Struct):
    """What says which item it is, and what there is to read in it."""

    id: str | None = None
    type: str | None = None
    role: str | None = None
    encrypted_content: str | None = None
    content: msgspec.Raw = msgspec.Raw()

    @property
    def has_own_id(self) -> bool:
        """Whether its id, if it has one, may have been given by such an upstream."""
        if self.id is None or self.type == "item_reference":
            return True
        prefix = PREFIXES.get(self.type or "message", "")
        return _SPELLING.fullmatch(self.id) is not None and self.id.startswith(prefix)

    @property
    def is_bare(self) -> bool:
        """Whether it is reasoning without what it was: its id is the way to that."""
        return self.type == "reasoning" and not self.encrypted_content


decode_head = tolerant(msgspec.json.Decoder(ItemHead).decode)


def ids_of(items: Iterable[bytes]) -> list[str]:
    """Return the ids of items that have one."""
    heads = []
    for raw in items:
        with suppress(msgspec.MsgspecError):
            heads.append(decode_head(raw))
    return [head.id for head in heads if head.id]


def without_foreign_ids(raw: bytes) -> bytes:
    """Return an input without the ids that only another vendor knows.

    Reasoning that nothing but such an id leads to is left out: it can be read nowhere else.
    """
    return map_items(raw, _without_foreign_id) if raw[:1] == b"[" else raw


def _without_foreign_id(raw: bytes) -> bytes | None:
    try:
        head = decode_head(raw)
    except msgspec.MsgspecError:
        return raw
    return raw if head.has_own_id else without_id(raw, head)


def without_id(raw: bytes, head: ItemHead) -> bytes | None:
    """Return an item without its id, None where nothing is left to read."""
    if head.is_bare and bytes(head.content) in _NOTHING:
        return None
    return splice(raw, {"id": None})
