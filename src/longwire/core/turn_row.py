"""What is remembered of one turn: a row of the turn log.

Its id grows with time, so that a page of the log is a range of ids, and a span of time, too.
"""

from typing import NamedTuple, NewType

TurnId = NewType("TurnId", int)
"""When it ended in ms since 1970 UTC in the upper bits, 21 bits below them that differ by turn.

Rows are written when turns end: so the newest id is the last one written, too.
"""

ID_BITS = 21


class TurnRow(NamedTuple):
    """One turn; times in ms, sizes in bytes, cost in billionths of a US dollar. "" is unknown.

    A figure that nobody told is None, never 0.
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


def earliest_id(milliseconds: int) -> TurnId:
    """Return the smallest id that a turn which ended at that time can have."""
    return TurnId(milliseconds << ID_BITS)
