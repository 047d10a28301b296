"""What is remembered of one turn: a row of the turn log, and beside it what few turns have.

Its id grows with time, so that a page of the log is a range of ids, and a span of time, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, NewType

TurnId = NewType("TurnId", int)
"""When it ended in ms since 1970 UTC in the upper bits, 21 bits below them that differ by turn.

Rows are written when turns end: so the newest id is the last one written, too.
"""

ID_BITS = 21


class TurnRow(NamedTuple):
    """One turn; times in ms, sizes in bytes, cost in billionths of a US dollar. "" is unknown.

    A figure that nobody knows is None, never 0.
    """

    id: TurnId
    request_id: str
    project_id: str
    key_id: str
    key_name: str
    session: str
    channel_id: str
    channel_name: str
    api: str
    transport: str
    continuity: str
    reason: str
    connection: int | None
    model_asked: str
    model_served: str
    streams: bool
    outcome: str
    status: int
    error_code: str
    attempts: int
    started_at: int
    queue_ms: int
    first_event_ms: int | None
    total_ms: int
    bytes_received: int
    bytes_sent: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost: int | None


class TurnBodies(NamedTuple):
    """The body of a request and the response it got, as JSON, for keys that keep them."""

    id: TurnId
    request: bytes
    response: bytes


@dataclass(frozen=True, slots=True)
class TurnAttempt:
    """One try of a turn: at which channel, by which transport, and how that ended after so many ms.

    `trouble` is the name of a `Trouble`, "" where none struck: then it ended as its turn did.
    """

    channel_id: str
    channel_name: str
    transport: str
    trouble: str
    status: int
    code: str
    message: str
    ended_ms: int


class TurnDetails(NamedTuple):
    """What is kept of a turn that did not simply succeed: its attempts, and who sent it.

    `headers` are those of `LOGGED_HEADERS`; `message` is the error that the client got.
    """

    id: TurnId
    headers: Mapping[str, str]
    attempts: tuple[TurnAttempt, ...]
    message: str


def earliest_id(milliseconds: int) -> TurnId:
    """Return the smallest id that a turn which ended at that time can have."""
    return TurnId(milliseconds << ID_BITS)
