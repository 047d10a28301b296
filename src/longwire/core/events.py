"""What can happen to one exchange: the kinds of upstream events and of connection ends.

A kind says what an event means for an exchange, whatever an API calls it.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, final


class Kind(Enum):
    """A happening, as `core/rules/exchange` distinguishes them."""

    SENT = "request sent"
    VENDOR = "vendor's notice"
    OPENING = "response opens"
    OUTPUT = "output"
    ITEM = "output item finished"
    COMPLETED = "response completed"
    INCOMPLETE = "response incomplete"
    FAILED = "response failed"
    CANCELLED = "response cancelled"
    ERROR = "error"
    FATAL_ERROR = "error that ends the connection"
    LOST = "connection lost"
    TIMEOUT = "timeout"
    CLIENT_GONE = "client gone"

    # Members are looked up for every event; an Enum's own hash is a call into Python.
    __hash__ = object.__hash__


@final
class Event(NamedTuple):
    """One upstream event: `raw` is its JSON as received, `name` its type as its API calls it.

    `response_id` is set on events that carry a response, `sequence` where the upstream numbers
    its events, `lane` where it names one. `wire` are the upstream's own bytes of it where those go
    on to a client of the same API.
    """

    kind: Kind
    name: str
    raw: bytes
    response_id: str | None = None
    sequence: int | None = None
    lane: str | None = None
    wire: bytes = b""


FAILED = frozenset({Kind.FAILED, Kind.CANCELLED})
"""The terminals of a response that is no answer."""

SHOWN = frozenset({Kind.OUTPUT, Kind.ITEM})
"""What the model made."""


def of_the_response(batch: Sequence[Event]) -> Sequence[Event]:
    """Return a batch without a vendor's notices, which the public API does not know."""
    for event in batch:
        if event.kind is Kind.VENDOR:
            return [each for each in batch if each.kind is not Kind.VENDOR]
    return batch


def is_bare_failure(batch: Sequence[Event]) -> bool:
    """Whether a batch is a response that failed, and nothing of its output."""
    return batch[-1].kind in FAILED and all(event.kind not in SHOWN for event in batch)
