"""The marks of a prompt's cache (`cache_control`): where they may stand, and how many."""

from collections.abc import Iterator, Mapping
from typing import Any

from longwire.emulator.items import Item
from longwire.emulator.messages.context import blocks_of
from longwire.emulator.messages.errors import refused, required
from longwire.emulator.options import Json

MOST_MARKS = 4
LIFETIMES: Mapping[str, float] = {"5m": 300.0, "1h": 3600.0}


def check_mark(mark: Json, where: str) -> None:
    """One mark: ephemeral, for five minutes or an hour."""
    if mark is None:
        return
    kind = mark.get("type") if isinstance(mark, dict) else mark
    if kind is None:
        raise required(f"{where}.cache_control.type")
    if kind != "ephemeral":
        raise refused(
            f"{where}.cache_control: Input tag '{kind}' found using 'type' does not match any of"
            " the expected tags: 'ephemeral'"
        )
    if mark.get("ttl", "5m") not in LIFETIMES:
        raise refused(f"{where}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'")


def check_marks(body: Mapping[str, Any]) -> None:
    """At most four marks in all."""
    marked = [body, *(body.get("tools") or ()), *marked_blocks(body)]
    count = sum(each.get("cache_control") is not None for each in marked)
    if count > MOST_MARKS:
        message = f"A maximum of {MOST_MARKS} blocks with cache_control may be provided."
        raise refused(f"{message} Found {count}.")


def marked_blocks(body: Mapping[str, Any]) -> Iterator[Item]:
    """Every block that may bear a mark."""
    yield from blocks_of(body.get("system"))
    for message in body["messages"]:
        for block in blocks_of(message["content"]):
            yield block
            yield from blocks_of(block.get("content")) if block["type"] == "tool_result" else ()
