"""What other APIs can carry of items, so that digests of one conversation can be compared.

Chat Completions has no reasoning (`spoken`), nor has Messages for what others thought (`said`);
Gemini has no borders between messages either (`merged`), and an id of a call means little there
(`numbered`).
"""

from collections.abc import Iterable
from typing import Any

from longwire.emulator.oracle import Item, encode

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


def said(items: Iterable[Item], instructions: str | None = None) -> list[Item]:
    """`spoken` items as Messages has them.

    What leads is one system prompt; a user's messages in a row are one; each part of an answer is
    a message; a custom tool is a function.
    """
    leading = [{"role": "system", "content": instructions}] if instructions else []
    found: list[Item] = []
    for item in [*leading, *spoken(items)]:
        role = role_of(item)
        parts = parts_of(item, role) if role else []
        if not role:
            found.append(as_function(item))
        elif role == "assistant":
            found += [message(role, {"type": "output_text", **text_of(part)}) for part in parts]
        elif found and role_of(found[-1]) == role and (role == "user" or leads(found)):
            found.append(message(role, *found.pop()["content"], *parts))
        else:
            found.append(message(role, *parts))
    return found


def message(role: str, *parts: Item) -> Item:
    """A message; that of a system is a developer's."""
    own = "developer" if role == "system" else role
    return {"type": "message", "role": own, "content": list(parts)}


def leads(items: Iterable[Item]) -> bool:
    """Whether nothing was said yet but by a system."""
    return all(role_of(item) == "system" for item in items)


def text_of(part: Item) -> Item:
    """The text of a part of an answer; a refusal is one, too."""
    return {"text": part.get("text", part.get("refusal"))}


def as_function(item: Item) -> Item:
    """The call of a custom tool, or its output, as that of a function with one input."""
    match item.get("type"):
        case "custom_tool_call":
            kept = {name: value for name, value in item.items() if name != "input"}
            arguments = encode({"input": item["input"]}).decode()
            return {**kept, "type": "function_call", "arguments": arguments}
        case "custom_tool_call_output":
            return {**item, "type": "function_call_output"}
        case _:
            return item


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
