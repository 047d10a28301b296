"""Answers that are passed on, as they are read: in any pieces, and from the recordings."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from longwire.core.events import Event, Kind
from longwire.dialects.ports import Fallback, Reading, UpstreamCall
from longwire.dialects.responses.usage import Bill, decode_bill

ENDED = (Kind.COMPLETED, Kind.INCOMPLETE)


def read(call: UpstreamCall, stream: bytes, cuts: Iterable[int] = ()) -> list[Event]:
    """The events of a stream that comes in pieces, up to its end."""
    reading, at = call.reading(Fallback("resp_own", 0)), 0
    events: list[Event] = []
    for cut in (*sorted(cuts), len(stream)):
        events += reading.feed(stream[at:cut]) if cut > at else []
        at = max(at, cut)
    return [*events, *reading.end()]


def whole(call: UpstreamCall, body: bytes) -> Event:
    """The only event of an answer that comes whole."""
    reading: Reading = call.reading(Fallback("resp_own", 0))
    (event,) = reading.whole(body)
    return event


def wire(events: Sequence[Event]) -> bytes:
    """What the client gets."""
    return b"".join(event.wire for event in events)


def kinds(events: Sequence[Event]) -> list[Kind]:
    return [event.kind for event in events]


def bill(events: Sequence[Event]) -> Bill:
    """What the terminal says; there is one, and nothing of the answer behind it."""
    (terminal,) = [event for event in events if event.kind in ENDED]
    return decode_bill(terminal)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The events of a recording."""
    lines = [line.removeprefix("data:").strip() for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]
