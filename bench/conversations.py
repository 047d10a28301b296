"""Invented agent conversations of any size, as the bodies that a client sends.

The items are those of a coding agent: reasoning, a call, its output, now and then a message.
"""

import base64
import json
import random
from dataclasses import dataclass
from typing import Any

Item = dict[str, Any]
_WORDS = (
    "self",
    "return",
    '"quoted"',
    "module.py\n\tindent",
    "é",
    "0x1F",
    "{}",
    "ledger",
    "refund",
)
_SHARES = (1.0, 0.4, 2.0, 0.6)
"""Size of an item by its kind, as a share of the mean."""
_HEAD_SIZE = 4_000


@dataclass(frozen=True, slots=True)
class Conversation:
    """Two consecutive turns: the `first`, the `replies` it was answered with, and the `second`.

    `respelt` is the second with other whitespace, so that only canonical comparison knows it;
    `rewritten` is the second with another beginning, which nothing continues.
    """

    first: bytes
    replies: tuple[bytes, ...]
    second: bytes
    respelt: bytes
    rewritten: bytes


def conversation(size: int, items: int) -> Conversation:
    """Make a conversation whose second body has about `size` bytes in `items` items."""
    chance = random.Random(size)
    mean = max(100, (size - _HEAD_SIZE) // items)
    count = items - len(_SHARES)
    history = [_item(chance, n, mean) for n in range(count)]
    reasoning, call, output, _ = (_item(chance, count - count % 4 + n, mean) for n in range(4))
    replies = [reasoning | {"status": "completed"}, call | {"status": "completed"}]
    second = [*history, reasoning, call, output, _message("user", "And now the next step.")]
    other = [_message("user", "Another beginning."), *second[1:]]
    return Conversation(
        first=_body(history),
        replies=tuple(json.dumps(item).encode() for item in replies),
        second=_body(second),
        respelt=_body(second, (", ", ": ")),
        rewritten=_body(other),
    )


def _item(chance: random.Random, number: int, mean: int) -> Item:
    """Make item `number` of a history."""
    kind = number % len(_SHARES)
    size = int(mean * _SHARES[kind])
    call = f"call_{number // len(_SHARES):06}"
    match kind:
        case 0:
            sealed = base64.b64encode(chance.randbytes(max(1, size * 3 // 4 - 80))).decode()
            fields = {"id": f"rs_{number:06}", "summary": [], "encrypted_content": sealed}
            return {"type": "reasoning", **fields}
        case 1:
            arguments = json.dumps(
                {"path": "src/shop/ledger.py", "text": _text(chance, size - 150)}
            )
            fields = {"id": f"fc_{number:06}", "call_id": call, "name": "edit_file"}
            return {"type": "function_call", **fields, "arguments": arguments}
        case 2:
            text = _text(chance, size - 80)
            return {"type": "function_call_output", "call_id": call, "output": text}
        case _:
            return _message("user", _text(chance, size - 100))


def _message(role: str, text: str) -> Item:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": role, "content": content}


def _text(chance: random.Random, size: int) -> str:
    words = chance.choices(_WORDS, k=max(1, size // 9))
    return " ".join(words)


def _body(items: list[Item], separators: tuple[str, str] = (",", ":")) -> bytes:
    chance = random.Random(1)
    parameters = {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
    }
    tools = [
        {
            "type": "function",
            "name": name,
            "description": _text(chance, 200),
            "parameters": parameters,
        }
        for name in ("read_file", "edit_file", "search", "run_tests")
    ]
    members = {
        "model": "bench",
        "instructions": _text(chance, _HEAD_SIZE - 1_500),
        "tools": tools,
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "input": items,
    }
    return json.dumps(members, separators=separators, ensure_ascii=False).encode()
