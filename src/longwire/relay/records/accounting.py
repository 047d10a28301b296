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
from longwire.core.rules.recovery import RECOVERY_RULES, Trouble
from longwire.core.rules.turn import TurnRequest, Usage
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


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed: whom it was sent to, what struck it, in seconds after the start.

    `is_replayed`: another attempt came after it.
    """

    channel_id: str
    channel: str
    transport: str
    trouble: Trouble
    error: Exception
    ended: float
    is_replayed: bool


@dataclass(slots=True)
class TurnRecord:
    """The facts of one turn, filled in as it goes.

    `channel` and `channel_id` name the one that it was sent to last, over `transport`; `delivery`
    is there once it was sent, `first_event` is when its answer began, in seconds after the start.
    `failures` are the attempts that failed; `error` is what it ended by, and `bill`, once it is
    settled, what its terminal says.
    """

    request: TurnRequest
    channel: str = ""
    channel_id: str = ""
    transport: str = ""
    delivery: Delivery | None = None
    aggregate: Aggregate | None = None
    first_event: float | None = None
    failures: list[Failure] = field(default_factory=list)
    outcome: str = ""
    error: BaseException | None = None
    bill: Bill = NO_BILL

    def attempt(self, channel: Channel, transport: str) -> None:
        """Note that it is sent to a channel; forget what another one did."""
        self.channel, self.channel_id = channel.name, channel.id
        self.transport, self.delivery = transport, None

    def fail(self, trouble: Trouble, error: Exception, now: float, *, is_replayed: bool) -> None:
        """Note that the last attempt has failed, and whether another one comes after it."""
        to, ended = (self.channel_id, self.channel, self.transport), now - self.request.started
        self.failures.append(Failure(*to, trouble, error, ended, is_replayed))

    def begin(self, delivery: Delivery, aggregate: Aggregate, now: float) -> None:
        """Note that the answer begins."""
        self.delivery, self.aggregate = delivery, aggregate
        self.first_event = now - self.request.started

    @property
    def replays(self) -> list[Failure]:
        """The attempts that another one was to make good."""
        return [each for each in self.failures if each.is_replayed]

    @property
    def attempts(self) -> int:
        """How many attempts there were, the last one included."""
        if not self.channel:
            return 0
        return 1 + (len(self.replays) if self.failures else 0)

    def settle(self) -> Bill:
        """Take what the terminal says, if there is one by now."""
        terminal = self.aggregate.terminal if self.aggregate else None
        if terminal is not None and self.bill is NO_BILL:
            self.bill = decode_bill(terminal)
        return self.bill


Keep = Callable[[TurnRecord, float], None]
"""Takes the record of a turn that ended, with its duration in seconds."""


class Accounting:
    """Books every turn exactly once, however it ends; `keep` takes what is kept of it.

    `clock` gives seconds, as does a request's `started`.
    """

    def __init__(
        self,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
        keep: Keep | None = None,
    ) -> None:
        self.clock = clock
        self._metrics = metrics
        self._keep = keep
        self._log = structlog.get_logger()

    def book(self, record: TurnRecord, error: BaseException | None = None) -> None:
        """Count a turn, which ended by an `error` if there is one."""
        terminal = record.aggregate.terminal if record.aggregate else None
        if error is not None:
            record.outcome, record.error = _outcome_of(error), error
        if terminal is not None:
            record.outcome = _OUTCOMES.get(terminal.kind, "failed")
        seconds, tokens = self.clock() - record.request.started, _tokens(record.settle().usage)
        self._count(record, seconds, tokens)
        self._log.info("turn", **_line(record, seconds, tokens))
        if self._keep is not None:
            self._keep(record, seconds)

    def _count(self, record: TurnRecord, seconds: float, tokens: Mapping[str, int]) -> None:
        metrics, delivery, channel = self._metrics, record.delivery, record.channel
        travelled = ("",) * 3
        if delivery is not None:
            travelled = delivery.transport, delivery.continuity, delivery.reason or ""
            metrics.upstream_bytes += delivery.bytes_sent
            metrics.queue_seconds.observe(delivery.queued)
        metrics.turns[(channel, *travelled, record.outcome)] += 1
        metrics.turn_seconds.observe(seconds, channel)
        metrics.request_bytes += record.request.turn.source.body_size
        if record.first_event is not None:
            metrics.first_event_seconds.observe(record.first_event, channel)
        for kind, number in tokens.items():
            metrics.tokens[channel, kind] += number
        for failure in record.failures:
            if failure.is_replayed:
                metrics.replays[failure.channel, failure.trouble.name.lower()] += 1


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


def _line(record: TurnRecord, seconds: float, tokens: Mapping[str, int]) -> dict[str, Any]:
    """Return the turn's facts for the log; times in milliseconds, sizes in bytes."""
    turn, delivery = record.request.turn, record.delivery
    line: dict[str, Any] = {
        "caller": record.request.caller.name,
        "channel": record.channel,
        "model": turn.model[:_LONGEST_MODEL],
        "outcome": record.outcome,
        "received": turn.source.body_size,
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
    if record.failures and (replays := record.replays):
        line["replays"] = [each.trouble.name.lower() for each in replays]
        line["possibly_billed_twice"] = any(
            RECOVERY_RULES[each.trouble].may_bill_twice for each in replays
        )
    for kind, number in tokens.items():
        line[f"{kind}_tokens"] = number
    return line
