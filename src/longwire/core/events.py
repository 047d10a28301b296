"""What can happen to one exchange: the kinds of upstream events and of connection ends.

The names of the wire are the Responses API's; a kind says only what they mean for an exchange.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """A happening, as `core/rules/exchange` distinguishes them."""

    SENT = "create sent"
    VENDOR = "vendor frame"
    OPENING = "response.created / queued / in_progress"
    OUTPUT = "any other response event"
    ITEM = "response.output_item.done"
    COMPLETED = "response.completed"
    INCOMPLETE = "response.incomplete"
    FAILED = "response.failed"
    CANCELLED = "response.cancelled"
    ERROR = "error frame"
    FATAL_ERROR = "error frame 401 / 403 / connection limit"
    LOST = "connection lost"
    TIMEOUT = "timeout"
    ABANDONED = "client gone"

    # Members are looked up for every event; an Enum's own hash is a call into Python.
    __hash__ = object.__hash__


class Event(NamedTuple):
    """One upstream event: `raw` is its JSON as received, `name` its wire type.

    `response_id` is set on events that carry a response, `sequence` where the upstream numbers
    its events, `lane` where it names one.
    """

    kind: Kind
    name: str
    raw: bytes
    response_id: str | None = None
    sequence: int | None = None
    lane: str | None = None


KINDS = {
    "response.created": Kind.OPENING,
    "response.queued": Kind.OPENING,
    "response.in_progress": Kind.OPENING,
    "response.output_item.done": Kind.ITEM,
    "response.completed": Kind.COMPLETED,
    "response.done": Kind.COMPLETED,
    "response.incomplete": Kind.INCOMPLETE,
    "response.failed": Kind.FAILED,
    "response.cancelled": Kind.CANCELLED,
    "error": Kind.ERROR,
    "response.error": Kind.ERROR,
    "response.metadata": Kind.VENDOR,
}
"""Wire type to kind; what is not here is decided by `kind_of`."""


def kind_of(name: str) -> Kind:
    """Return the kind of a wire type: other `response.*` are output, all else is vendor's own."""
    known = KINDS.get(name)
    if known is not None:
        return known
    return Kind.OUTPUT if name.startswith("response.") else Kind.VENDOR


def of_the_response(batch: Sequence[Event]) -> Sequence[Event]:
    """Return a batch without a vendor's notices, which the public API does not know."""
    for event in batch:
        if event.kind is Kind.VENDOR:
            return [each for each in batch if each.kind is not Kind.VENDOR]
    return batch
