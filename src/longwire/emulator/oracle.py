"""The oracle: one digest for what a model would see of a list of items.

Law: re-spellings that clients are known to make keep the digest, any other change changes it.
Ignored: ids, status, phase, annotations, logprobs, nulls, key order, a string in place of one text
part, spelling of argument JSON, its numbers included. Everything else counts, unknown fields too.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from longwire.emulator.options import Json

Item = Mapping[str, Any]

DROPPED = "id status phase created_by parsed_arguments provider_data async_"
NOT_SEEN = frozenset((*DROPPED.split(), "internal_chat_message_metadata_passthrough"))
PART_NOT_SEEN = frozenset(("annotations", "logprobs", "parsed"))
DEFAULTS: Mapping[str, Any] = {
    "async": False,
    "caller": {"type": "direct"},
    "namespace": "",
    "summary": [],
    "pending_safety_checks": [],
    "acknowledged_safety_checks": [],
}
PARTS = {"content": "input_text", "output": "input_text", "summary": "summary_text"}


def digest(items: str | Sequence[Item], known: Mapping[str, Item] | None = None) -> str:
    """64 hex digits over `items` (a string is one user message) in order.

    `known` maps item ids to the items that an `item_reference` stands for; a reference it does not
    resolve counts by its id.
    """
    return combined([item_digest(item, known) for item in listed(items)])


def combined(digests: Sequence[bytes]) -> str:
    """The digest of a list of items from the digests of its items."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def item_digest(item: Item, known: Mapping[str, Item] | None = None) -> bytes:
    """32 bytes for one item."""
    if item.get("type") == "item_reference" and known and item.get("id") in known:
        item = known[item["id"]]
    return hashlib.sha256(canonical(item)).digest()


def listed(items: str | Sequence[Item]) -> Sequence[Item]:
    """The request's `input` as items."""
    return [{"role": "user", "content": items}] if isinstance(items, str) else items


def canonical(item: Item) -> bytes:
    """The item's one spelling: JSON with sorted keys."""
    kind = item.get("type") or "message"
    if kind == "item_reference":
        return encode({"type": kind, "id": item.get("id")})
    seen: dict[str, Any] = {"type": kind}
    for key, value in item.items():
        if key not in NOT_SEEN and value is not None and DEFAULTS.get(key) != value:
            seen[key] = member(key, value, str(item.get("role")))
    if kind == "reasoning" and seen.get("content") == []:
        del seen["content"]
    return encode(seen)


def member(key: str, value: Json, role: str) -> Json:
    """One member of an item; arguments are JSON in a string, tools are JSON of their own."""
    if key == "tools":
        return value
    if key == "arguments" and isinstance(value, str):
        return argument_values(value)
    if key in PARTS and isinstance(value, str):
        text = "output_text" if role == "assistant" else PARTS[key]
        return [{"type": text, "text": value}]
    if key in PARTS and isinstance(value, list):
        return [part(entry) for entry in value]
    return without_nulls(value)


def part(entry: Json) -> Json:
    """One content part without what clients drop."""
    if not isinstance(entry, dict):
        return entry
    kept = {key: value for key, value in entry.items() if key not in PART_NOT_SEEN}
    if kept.get("detail") == "auto":
        del kept["detail"]
    return without_nulls(kept)


def without_nulls(value: Json) -> Json:
    """`value` without members that are null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(entry) for key, entry in value.items() if entry is not None}
    return [without_nulls(entry) for entry in value] if isinstance(value, list) else value


def argument_values(text: str) -> Json:
    """Arguments as JSON with numbers by their exact value; the text itself if it is no JSON."""
    try:
        value = json.loads(
            text,
            parse_int=exact,
            parse_float=exact,
            parse_constant=not_json,
            object_pairs_hook=distinct,
        )
        return {"json": encode(value).decode()}
    except (ArithmeticError, ValueError, RecursionError):
        return text


def exact(number: str) -> msgspec.Raw:
    """The one spelling of all that are this very number: clients write 1.5 for 1.50."""
    sign, digits, exponent = Decimal(number).as_tuple()
    written = "".join(map(str, digits)).rstrip("0")
    scale = int(exponent) + len(digits) - len(written)
    return spelled(f"{'-' * sign}{written}e{scale}" if written else "0")


def spelled(number: str) -> msgspec.Raw:
    """A number that is encoded again just as it was written."""
    return msgspec.Raw(number.encode())


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, refused when a key repeats: its meaning would depend on the parser."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated key")
    return found


def not_json(word: str) -> NoReturn:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(word)


def encode(value: Json) -> bytes:
    """JSON with sorted keys."""
    return msgspec.json.encode(value, order="sorted")
