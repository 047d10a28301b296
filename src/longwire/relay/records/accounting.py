"""What each turn cost and saved: one log line and the same facts as metrics, when it has ended.

Law: never a prompt, never a key; labels come from small, fixed sets.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from longwire.core.errors import CallerError, Overloaded, UpstreamError
from longwire.core.events import Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.recovery import AMBIGUOUS, Trouble
from longwire.core.rules.turn import Principal, Turn, Usage
from longwire.dialects.responses.usage import NO_BILL, Bill, decode_bill
from longwire.logger import structlog
from longwire.relay.channels.channel import Channel
from longwire.relay.records.metrics import Metrics
from longwire.upstream.ports import Delivery

_LONGEST_MODEL = 100
_OUTCOMES = {
    Kind.COMPLETED: "completed",
    Kind.INCOMPLETE: "incomplete",
    Kind.FAILED: "failed",
    Kind.CANCELLED: "cancelled",
}


_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed: whom it asked, what struck it, so many seconds after the start."""

    channel_id: str
    channel: str
    transport: str
    trouble: Trouble
    error: Exception
    ended: float


@dataclass(slots=True)
class Record:
    """The facts of one turn, filled in as it goes; `began` at its first event.

    `channel` is the name of the one asked last, `channel_id` its id, `transport` the way to it;
    `delivery` are there once the turn was sent; `error` is what it ended by, and `bill`, once it is
    settled, what its terminal says; `headers` are the caller's; `failures` tell of the attempts
    that failed before an answer began.
    """

    turn: Turn
    caller: Principal
    started: float
    session: str = ""
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    channel_id: str = ""
    transport: str = ""
    delivery: Delivery | None = None
    aggregate: Aggregate | None = None
    first_event: float | None = None
    replays: list[Trouble] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    outcome: str = ""
    error: BaseException | None = None
    bill: Bill = NO_BILL

    def tries(self, channel: Channel, transport: str) -> None:
        """Note that a channel is asked, and by which transport; forget what another one did."""
        self.channel, self.channel_id = channel.name, channel.id
        self.transport, self.delivery = transport, None

    def fails(self, trouble: Trouble, error: Exception, now: float) -> None:
        """Note that what was tried last has failed."""
        asked = self.channel_id, self.channel, self.transport
        self.failures.append(Failure(*asked, trouble, error, now - self.started))

    def began(self, delivery: Delivery, aggregate: Aggregate, now: float) -> None:
        """Note that the answer begins."""
        self.delivery, self.aggregate, self.first_event = delivery, aggregate, now - self.started

    def settle(self) -> Bill:
        """Take what the terminal says, if there is one by now."""
        terminal = self.aggregate.terminal if self.aggregate else None
        if terminal is not None and self.bill is NO_BILL:
            self.bill = decode_bill(terminal)
        return self.bill


Keep = Callable[[Record, float], None]
"""Takes the record of a turn that ended, with its duration in seconds."""


class Accounting:
    """Books every turn exactly once, however it ends; `keep` takes what is kept of it."""

    def __init__(
        self,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
        keep: Keep | None = None,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._keep = keep
        self._log = structlog.get_logger()

    def begin(
        self,
        turn: Turn,
        caller: Principal,
        *,
        session: str = "",
        request_id: str = "",
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Record:
        """Give the record of a turn, to be booked when it has ended."""
        return Record(turn, caller, self._clock(), session, request_id, headers)

    def replayed(self, record: Record, trouble: Trouble) -> None:
        """Note an attempt that another one makes good."""
        record.replays.append(trouble)
        self._metrics.replays[record.channel, trouble.name.lower()] += 1

    def book(self, record: Record, error: BaseException | None = None) -> None:
        """Count a turn, which ended by an `error` if there is one."""
        terminal = record.aggregate.terminal if record.aggregate else None
        if error is not None:
            record.outcome, record.error = _outcome_of(error), error
        if terminal is not None:
            record.outcome = _OUTCOMES.get(terminal.kind, "failed")
        seconds, tokens = self._clock() - record.started, _tokens(record.settle().usage)
        self._count(record, seconds, tokens)
        self._log.info("turn", **_line(record, seconds, tokens))
        if self._keep is not None:
            self._keep(record, seconds)

    def _count(self, record: Record, seconds: float, tokens: Mapping[str, int]) -> None:
        metrics, delivery, channel = self._metrics, record.delivery, record.channel
        travelled = (
            (delivery.transport, delivery.continuity, delivery.reason or "")
            if delivery
            else ("",) * 3
        )
        metrics.turns[(channel, *travelled, record.outcome)] += 1
        metrics.turn_seconds.observe(seconds, channel)
        metrics.request_bytes += record.turn.body_size
        if delivery is not None:
            metrics.upstream_bytes += delivery.bytes_sent
            metrics.queue_seconds.observe(delivery.queued)
        if record.first_event is not None:
            metrics.first_event_seconds.observe(record.first_event, channel)
        for kind, number in tokens.items():
            metrics.tokens[channel, kind] += number


def _outcome_of(error: BaseException) -> str:
    match error:
        case asyncio.CancelledError() | GeneratorExit():
            return "abandoned"
        case CallerError():
            return "refused"
        case Overloaded():
            return "overloaded"
        case UpstreamError():
            return "upstream_error"
        case _:
            return "internal_error"


def _tokens(usage: Usage | None) -> Mapping[str, int]:
    if usage is None:
        return {}
    return {
        "input": usage.input,
        "cached": usage.cached,
        "output": usage.output,
        "reasoning": usage.reasoning,
    }


def _line(record: Record, seconds: float, tokens: Mapping[str, int]) -> dict[str, Any]:
    """Return the turn's facts for the log; times in milliseconds, sizes in bytes."""
    delivery = record.delivery
    line: dict[str, Any] = {
        "caller": record.caller.name,
        "channel": record.channel,
        "model": record.turn.model[:_LONGEST_MODEL],
        "outcome": record.outcome,
        "received": record.turn.body_size,
        "ms": round(seconds * 1000),
    }
    if delivery is not None:
        line |= {
            "transport": delivery.transport,
            "continuity": delivery.continuity,
            "reason": delivery.reason,
            "sent": delivery.bytes_sent,
            "queued_ms": round(delivery.queued * 1000),
        }
    if record.first_event is not None:
        line["first_event_ms"] = round(record.first_event * 1000)
    if record.replays:
        line["replays"] = [trouble.name.lower() for trouble in record.replays]
        line["possibly_billed_twice"] = not AMBIGUOUS.isdisjoint(record.replays)
    for kind, number in tokens.items():
        line[f"{kind}_tokens"] = number
    return line
