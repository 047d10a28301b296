"""What a client will send back of a response: for this API, its output items as they are."""

from collections.abc import Sequence

import msgspec

from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import CanonicalItem
from longwire.dialects.raw_json import split_items, split_members
from longwire.dialects.responses.items import canonical_item


def image_of(output: Sequence[bytes]) -> tuple[CanonicalItem, ...]:
    """Return what a client of this API sends back of output items: themselves; see `Image`."""
    return tuple(map(canonical_item, output))


def output_of(aggregate: Aggregate) -> list[bytes]:
    """Return the raw output items of a response, in order.

    They are those of `response.output_item.done`; the terminal's own only where none came.
    """
    output = aggregate.output
    if not output and aggregate.terminal is not None:
        return items_of(aggregate.terminal)
    return output


def items_of(terminal: Event) -> list[bytes]:
    """Return the raw output items that a terminal event carries."""
    try:
        output = split_members(split_members(terminal.raw)["response"]).get("output")
        return [bytes(item) for item in split_items(bytes(output))] if output is not None else []
    except (KeyError, msgspec.MsgspecError):
        return []
