"""What each turn cost and saved: one log line and the same facts as metrics, when it has ended.

Law: never a prompt, never a key; labels come from small, fixed sets.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from longwire.core.errors import (
    CallerError,
    ClientGone,
    Overloaded,
    UpstreamError,
    UpstreamRejected,
)
from longwire.core.events import Kind
from longwire.core.nouns.price import PriceFinder, nothing_configured
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.limits import NOTHING, Spent
from longwire.core.rules.recovery import RECOVERY_RULES, Trouble
from longwire.core.rules.routing import UNSENT, Rank, Refusal, Refused, Route, Way
from longwire.core.rules.trace_context import TraceContext
from longwire.core.rules.turn import Purpose, TurnRequest, Usage
from longwire.dialects.responses.usage import NO_BILL, Bill, decode_bill, estimated_usage
from longwire.logger import structlog
from longwire.relay.channels.channel import Channel
from longwire.relay.records.metrics import Metrics
from longwire.upstream.ports import Delivery

_LONGEST_MODEL = 100
_BILLED = frozenset({Purpose.ANSWER, Purpose.COMPACTION})
_OUTCOMES = {
    Kind.COMPLETED: "completed",
    Kind.INCOMPLETE: "incomplete",
    Kind.FAILED: "failed",
    Kind.CANCELLED: "cancelled",
}


Price = Callable[..., int | None]
"""What tokens cost by the first of the models, in billionths of a US dollar, None if unknown.

What is `configured` for one of them, by its name, goes before what is bundled.
"""


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

    `channel` and `channel_id` name the one that it was sent to last, over `transport`, and
    `account_id` its account, "" for none; `delivery` is there once it was sent, `first_event` is
    when its answer began, in seconds after the start.
    `failures` are the attempts that failed; `error` is what it ended by, and `bill`, once it is
    settled, what its terminal says, or an estimate; `lost` is that of attempts which came to
    nothing after they had begun, `bytes_lost` the size of what was sent by those that are over.
    It `is_priced` where limits asked for its `cost`. `dropped` are the members that its dialect and
    its channel left out, `way` is how it was said to its channel, and `price_of` what an operator
    says that models cost there, once it was sent to one. What was `passed_on` of a stream is kept
    where bodies are. `model_there` is the model's name at a target of a configured one. Who was
    `refused`, who was left at the beginning of each of the `stages` of routing and why some go
    there, and how the last ones are ranked, is read by `route`. Where turns are traced, `trace`
    is the span of this one, once it is known.
    """

    request: TurnRequest
    channel: str = ""
    channel_id: str = ""
    account_id: str = ""
    transport: str = ""
    delivery: Delivery | None = None
    aggregate: Aggregate | None = None
    first_event: float | None = None
    failures: list[Failure] = field(default_factory=list)
    outcome: str = ""
    error: BaseException | None = None
    bill: Bill = NO_BILL
    lost: Usage | None = None
    bytes_lost: int = 0
    is_priced: bool = False
    cost: int | None = None
    dropped: Sequence[str] = ()
    way: Way = UNSENT
    passed_on: list[bytes] = field(default_factory=list)
    price_of: PriceFinder = nothing_configured
    model_there: str = ""
    refused: Sequence[Refused] = ()
    stages: list[tuple[Refusal | None, Sequence[Channel]]] = field(default_factory=list)
    ranks: Sequence[tuple[Rank, Route]] = ()
    trace: TraceContext | None = None

    def attempt(self, channel: Channel, transport: str) -> None:
        """Note that it is sent to a channel; forget what another one did."""
        self.channel, self.channel_id = channel.name, channel.id
        self.account_id = channel.account.account.id if channel.account else ""
        self.transport, self.delivery, self.aggregate, self.error = transport, None, None, None
        self.price_of, self.is_priced = channel.price_of, False
        self.model_there = channel.target.model if channel.target else ""
        self.way, self.dropped = UNSENT, ()

    def fail(self, trouble: Trouble, error: Exception, now: float, *, is_replayed: bool) -> None:
        """Note that the last attempt has failed, and whether another one comes after it."""
        to, ended = (self.channel_id, self.channel, self.transport), now - self.request.started
        self.failures.append(Failure(*to, trouble, error, ended, is_replayed))
        self.error, self.is_priced = error, False
        if self.delivery is None:
            self.bytes_lost += error.bytes_sent if isinstance(error, UpstreamError) else 0
        elif is_replayed:
            self.bytes_lost += self.delivery.bytes_sent
        if is_replayed:
            self.lost = self.settle().usage

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
        """Take what the terminal says, if there is one by now; or estimate what nobody said."""
        if self.bill.usage is None or self.bill.is_estimated:
            terminal = self.aggregate.terminal if self.aggregate else None
            self.bill = NO_BILL if terminal is None else decode_bill(terminal)
            if self.bill.usage is None or self.lost is not None:
                self._estimate()
        return self.bill

    def spent(self, price: Price) -> Spent:
        """Settle it, and work out its cost, for limits."""
        bill = self.settle()
        usage = bill.usage
        if usage is None:
            return NOTHING
        models = bill.model, self.model_there or self.request.turn.model
        self.cost, self.is_priced = price(usage, *models, configured=self.price_of), True
        return Spent(usage.input + usage.output, self.cost or 0)

    def _estimate(self) -> None:
        usage = self.bill.usage
        if usage is None and self._is_billed():
            delivery, seen = self.delivery, self.aggregate or Aggregate()
            continues = delivery is not None and delivery.continuity == "continued"
            sent = delivery.bytes_sent if delivery and continues else None
            usage = estimated_usage(self.request.turn, seen, sent)
        if self.lost is not None:
            usage = self.lost + (usage or Usage())
        if usage is not None:
            self.bill = self.bill._replace(usage=usage, is_estimated=True)

    def _is_billed(self) -> bool:
        """Whether an upstream that did not say a usage was at work all the same.

        It was where it began, and did not refuse; or where the client left it with the request.
        Over HTTP a request may be under way before anything tells that it was sent.
        """
        was_sent = self.delivery is not None or self.transport == "http"
        if not was_sent or self.request.turn.purpose not in _BILLED:
            return False
        seen = self.aggregate or Aggregate()
        if seen.output_events or seen.output:
            return True
        if seen.terminal is not None:
            return seen.terminal.kind is not Kind.FAILED
        if self.error is None or isinstance(self.error, UpstreamRejected):
            return False
        return _outcome_of(self.error) == "abandoned" or seen.opening is not None


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

    def book(
        self, record: TurnRecord, error: BaseException | None = None, *, is_drained: bool = False
    ) -> None:
        """Count a turn, which ended by an `error` if there is one.

        Of one that `is_drained` the terminal says what it cost, and not how it ended.
        """
        terminal = record.aggregate.terminal if record.aggregate else None
        if error is not None:
            record.outcome, record.error = _outcome_of(error), error
        elif terminal is None:
            record.outcome = "completed"  # the gateway itself has ended it
        if terminal is not None and not is_drained:
            record.outcome = _OUTCOMES.get(terminal.kind, "failed")
        bill = record.bill if record.is_priced else record.settle()
        seconds, tokens = self.clock() - record.request.started, _tokens(bill.usage)
        self._count(record, seconds, tokens)
        self._log.info("turn", **_line(record, seconds, tokens))
        if self._keep is not None:
            self._keep(record, seconds)

    def _count(self, record: TurnRecord, seconds: float, tokens: Mapping[str, int]) -> None:
        metrics, delivery, channel = self._metrics, record.delivery, record.channel
        travelled = ("",) * 3
        metrics.upstream_bytes += record.bytes_lost
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
        case asyncio.CancelledError() | GeneratorExit() | ClientGone():
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
        "api": turn.source.api,
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
    if delivery is not None and delivery.changed:
        line["changed"] = delivery.changed
    if record.first_event is not None:
        line["first_event_ms"] = round(record.first_event * 1000)
    if record.failures and (replays := record.replays):
        line["replays"] = [each.trouble.name.lower() for each in replays]
        line["possibly_billed_twice"] = any(
            RECOVERY_RULES[each.trouble].may_bill_twice for each in replays
        )
    for kind, number in tokens.items():
        line[f"{kind}_tokens"] = number
    if record.bill.is_estimated:
        line["is_estimated"] = True
    if record.account_id:
        line["account"] = record.account_id
    if record.way.api:
        line["upstream_api"] = record.way.api
    if record.dropped:
        line["dropped"] = ", ".join(record.dropped)
    return line
