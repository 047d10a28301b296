"""What is remembered of one turn: a row of the turn log, and beside it what few turns have.

Its id grows with time, so that a page of the log is a range of ids, and a span of time, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple, NewType

TurnId = NewType("TurnId", int)
"""When it ended in ms since 1970 UTC in the upper bits, 21 bits below them that differ by turn.

Rows are written when turns end: so the newest id is the last one written, too.
"""

ID_BITS = 21
LONGEST_WORD: Final = 64
LONGEST_NAME: Final = 256
LONGEST_REQUEST_ID: Final = 128
"""So many letters of a text are kept."""

Word = Annotated[str, LONGEST_WORD]
Name = Annotated[str, LONGEST_NAME]
RequestId = Annotated[str, LONGEST_REQUEST_ID]
Small = Annotated[int, 2**15 - 1]


class TurnRow(NamedTuple):
    """One turn; times in ms, sizes in bytes, cost in billionths of a US dollar. "" is unknown.

    A figure that nobody knows is None, never 0. Where tokens and cost are no upstream's own figures
    the row `is_estimated`. Members of the request without an equivalent upstream are `dropped`. The
    client spoke `api`, its upstream `upstream_api`. It ran on `node`, with `account_id` where its
    channel has accounts. What `changed` against the turn before is why it was not continued. Its
    response is `response_id`, and it belongs to a `trace`. The table of the log has a column for
    each.
    """

    id: TurnId
    request_id: RequestId
    project_id: Word
    key_id: Name
    key_name: Name
    session: Name
    channel_id: Name
    channel_name: Name
    api: Word
    transport: Word
    continuity: Word
    reason: Word
    connection: int | None
    model_asked: Name
    model_served: Name
    streams: bool
    outcome: Word
    status: Small
    error_code: Word
    attempts: Small
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
    is_estimated: bool
    dropped: Name
    upstream_api: Word
    node: Name
    account_id: Word
    changed: Name
    response_id: Name
    trace: Name


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


@dataclass(frozen=True, slots=True)
class RouteStep:
    """A channel that could have served a turn: accepted, in the order of trying, or refused.

    `model` is the model's name there, "" where it is the one asked for. `reason` is the name of a
    `Standing` or a `Refusal`, `detail` what of that; `seconds` is how much longer it rests.
    """

    channel_id: str
    channel_name: str
    account_id: str
    model: str
    is_accepted: bool
    reason: str
    detail: str = ""
    seconds: int = 0


class TurnDetails(NamedTuple):
    """What is kept of a turn that did not simply succeed: its attempts, and who sent it.

    `headers` are those of `LOGGED_HEADERS`; `message` is the error that the client got. `route` is
    who could have served it, as of then; details of older versions have none.
    """

    id: TurnId
    headers: Mapping[str, str]
    attempts: tuple[TurnAttempt, ...]
    message: str
    route: tuple[RouteStep, ...] = ()


def earliest_id(milliseconds: int) -> TurnId:
    """Return the smallest id that a turn which ended at that time can have."""
    return TurnId(milliseconds << ID_BITS)
