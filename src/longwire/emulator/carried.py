"""What other APIs can carry of items, so that digests of one conversation can be compared.

Chat Completions has no reasoning (`spoken`); Gemini has no borders between messages either
(`merged`), and an id of a call means little there (`numbered`).
"""

from collections.abc import Iterable
from typing import Any

from longwire.emulator.oracle import Item

SYSTEM = ("system", "developer")


def spoken(items: Iterable[Item]) -> list[Item]:
    """The items without their reasoning."""
    return [item for item in items if item.get("type") != "reasoning"]


def merged(items: Iterable[Item]) -> list[Item]:
    """`spoken` items with messages of one role in a row as one, an assistant's texts joined."""
    found: list[Item] = []
    for item in spoken(items):
        role = role_of(item)
        if not role:
            found.append(item)
            continue
        parts = parts_of(item, role)
        if found and role_of(found[-1]) == role:
            parts = [*found.pop()["content"], *parts]
        found.append({"type": "message", "role": role, "content": joined(parts, role)})
    return found


def numbered(items: Iterable[Item]) -> list[Item]:
    """The items with the ids of calls counted through."""
    names: dict[str, str] = {}
    found: list[Item] = []
    for item in items:
        call_id = item.get("call_id")
        if call_id is not None:
            names.setdefault(call_id, f"call_{len(names)}")
        found.append({**item, "call_id": names[call_id]} if call_id in names else item)
    return found


def role_of(item: Item) -> str:
    """The role of a message, that of a system in both spellings; "" for what is no message."""
    if item.get("type", "message") != "message":
        return ""
    return "system" if item["role"] in SYSTEM else str(item["role"])


def parts_of(item: Item, role: str) -> list[dict[str, Any]]:
    """The parts of a message; a text is one part."""
    content = item["content"]
    kind = "output_text" if role == "assistant" else "input_text"
    parts = [{"type": kind, "text": content}] if isinstance(content, str) else content
    return [dict(part) for part in parts]


def joined(parts: list[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    """The texts of an assistant in one part."""
    if role != "assistant":
        return parts
    return [{"type": "output_text", "text": "".join(part.get("text", "") for part in parts)}]
