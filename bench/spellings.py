"""How clients spell the model's output when they send it back; each as recorded from one of them.

Law: every spelling means what the model said, so a history in any of them is the same history.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

Item = dict[str, Any]
Spelling = Callable[[Iterable[Item]], list[Item]]


def _without(item: Item, *names: str) -> Item:
    return {name: value for name, value in item.items() if name not in names}


def _as_given(output: Iterable[Item]) -> list[Item]:
    return list(output)


def _with_nulls(output: Iterable[Item]) -> list[Item]:
    nulls = {"created_by": None, "parsed_arguments": None}
    return [item | (nulls if item["type"] == "function_call" else {}) for item in output]


def _as_text(output: Iterable[Item]) -> list[Item]:
    """Assistant content as a bare string; ids and statuses dropped."""
    return [
        {"role": "assistant", "content": item["content"][0]["text"], "phase": item["phase"]}
        if item["type"] == "message"
        else _without(item, "status", *(() if item["type"] == "reasoning" else ("id",)))
        for item in output
    ]


def _without_ids(output: Iterable[Item]) -> list[Item]:
    """No ids at all: what is sealed stands for itself."""
    return [_without(item, "status", *_id_of(item)) for item in output]


def _id_of(item: Item) -> tuple[str, ...]:
    return ("id",) if item["type"] != "reasoning" or item.get("encrypted_content") else ()


def _rewritten_arguments(output: Iterable[Item]) -> list[Item]:
    """Arguments written again by `json.dumps`, which keeps integers; no statuses, no logprobs."""
    told = []
    for item in output:
        given = _without(item, "status")
        if item["type"] == "function_call":
            given["arguments"] = json.dumps(json.loads(item["arguments"]))
        if item["type"] == "message":
            given["content"] = [_without(part, "logprobs") for part in item["content"]]
        told.append(given)
    return told


def _reversed_members(output: Iterable[Item]) -> list[Item]:
    return [dict(reversed(_without(item, "status", "phase").items())) for item in output]


def _with_null_content(output: Iterable[Item]) -> list[Item]:
    null = {"content": None}
    return [
        _without(item, "status") | (null if item["type"] == "reasoning" else {}) for item in output
    ]


SPELLINGS: tuple[Spelling, ...] = (
    _as_given,
    _with_nulls,
    _as_text,
    _without_ids,
    _rewritten_arguments,
    _reversed_members,
    _with_null_content,
)


def references(output: Iterable[Item]) -> list[Item]:
    """References in place of what the upstream stores."""
    return [
        {"type": "item_reference", "id": item["id"]}
        if item["type"] in ("message", "reasoning")
        else _without(item, "id", "status")
        for item in output
    ]
