"""What a client will send back of a response: for this API, its output items as they are."""

import msgspec
from msgspec import Raw

from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import CanonicalItem
from longwire.dialects.responses.items import canonical_item


class _Outcome(msgspec.Struct):
    output: list[Raw] | None = None


class _Terminal(msgspec.Struct):
    response: _Outcome


_terminals = msgspec.json.Decoder(_Terminal)


def replies(aggregate: Aggregate) -> tuple[CanonicalItem, ...]:
    """Return the canonical items of a response's output, in order."""
    return tuple(map(canonical_item, output_of(aggregate)))


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
        output = _terminals.decode(terminal.raw).response.output
    except msgspec.MsgspecError:
        return []
    return [bytes(item) for item in output or ()]
