"""A turn without the items that its upstream does not take: what they say goes into its members.

Some upstreams know no `additional_tools` and no `configuration_update` among the items of an
input. Law: a pure function of the turn, and item by item, so that what was sent once begins what is
sent next. An item of this kind that comes in between changes a property: one fresh turn.
"""

from collections.abc import Collection
from dataclasses import replace

import msgspec
from msgspec import Raw

from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import merge, split_items, split_members, tolerant
from longwire.dialects.responses.history import BodyProperties, InputHistory

_TOOLS, _UPDATE = "additional_tools", "configuration_update"
_UPDATED = {"reasoning": "effort", "text": "format"}
"""The members of a body that an update changes, each with what it changes there."""


class _Head(msgspec.Struct):
    type: str | None = None


_decode_head = tolerant(msgspec.json.Decoder(_Head).decode)


def without_items(turn: Turn, kinds: Collection[str]) -> Turn:
    """Return a turn without items of these types.

    The tools they bring stand in `tools`, behind those that are there; the last effort in
    `reasoning`, the last format in `text`. A turn that continues what only its upstream holds stays
    as it is, for its later requests could not repeat that; so does what is malformed.
    """
    raw = turn.input or b""
    if raw[:1] != b"[" or turn.refers_outside or not any(each.encode() in raw for each in kinds):
        return turn
    members = dict(turn.members)
    try:
        kept, left_out = _sorted(split_items(raw), kinds)
        for kind, item in left_out:
            change = _add_tools if kind == _TOOLS else _update
            change(members, item)
    except msgspec.MsgspecError:
        return turn
    if not left_out:
        return turn
    sent = b"[" + b",".join(kept) + b"]"
    return replace(
        turn,
        members=members,
        input=sent,
        history=InputHistory(sent),
        properties=BodyProperties(members),
    )


def _sorted(
    items: list[Raw], kinds: Collection[str]
) -> tuple[list[bytes], list[tuple[str, dict[str, Raw]]]]:
    """Return the items that stay, and the others with their types.

    Two updates that come to stand side by side are refused, so they become one.
    """
    kept: list[bytes] = []
    left_out: list[tuple[str, dict[str, Raw]]] = []
    last = ""
    for item in items:
        kind = _kind_of(item)
        if kind in kinds:
            left_out.append((kind, split_members(item)))
            continue
        if kind == last == _UPDATE:
            kept[-1] = merge(split_members(kept[-1]), split_members(item))
        else:
            kept.append(bytes(item))
        last = kind
    return kept, left_out


def _kind_of(item: Raw) -> str:
    """Return the type of an item that may be left out or changed, "" for any other."""
    raw = bytes(item)
    if _TOOLS.encode() not in raw and _UPDATE.encode() not in raw:
        return ""
    try:
        return _decode_head(raw).type or ""
    except msgspec.MsgspecError:
        return ""


def _add_tools(members: dict[str, bytes], item: dict[str, Raw]) -> None:
    """Put the tools of an item behind those of the body; one that stands there already stays."""
    tools = _tools_of(members.get("tools"))
    tools += [tool for tool in _tools_of(item.get("tools")) if tool not in tools]
    members["tools"] = b"[" + b",".join(tools) + b"]"


def _tools_of(raw: bytes | Raw | None) -> list[bytes]:
    written = bytes(raw or b"null")
    return [] if written == b"null" else [bytes(tool) for tool in split_items(written)]


def _update(members: dict[str, bytes], item: dict[str, Raw]) -> None:
    """Put what an update says into the members that it changes."""
    for name, part in _UPDATED.items():
        value = _members_of(item.get(name)).get(part)
        if value is not None:
            members[name] = merge(_members_of(members.get(name)), {part: bytes(value)})


def _members_of(raw: bytes | Raw | None) -> dict[str, Raw]:
    written = bytes(raw or b"null")
    return {} if written == b"null" else split_members(written)
