"""Rates and budgets: what a key or a channel used lately, and until when it must wait for more.

Law: in no span of sixty seconds are more requests admitted than a minute may have, nor a turn once
what is used, and what turns under way are expected to cost, comes to a limit. So of any number of
turns at once those are admitted that fit. Times are arguments, in seconds since 1970 UTC.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, NamedTuple, Self

from longwire.core.errors import LimitReached
from longwire.core.nouns.access import Budgets, Rates
from longwire.core.nouns.budget import Unit, amount_text
from longwire.core.rules.calendar import UTC_CALENDAR, Calendar, Span

_SPAN: Final = 60
_RETRY_CONCURRENT: Final = 1


class PeriodLimit(NamedTuple):
    """The most tokens, and cost in billionths of a US dollar, of one period; None for any."""

    tokens: int | None = None
    cost: int | None = None


@dataclass(frozen=True)
class Subject:
    """Whose limits they are: a key's or a channel's, by what people call it.

    Where it has a `spending`, that bounds the periods of its `calendar`; else its budgets do, by
    UTC days and months.
    """

    # No slots: `is_limited` is read for every turn and worked out once.

    id: str
    name: str
    rates: Rates
    budgets: Budgets = Budgets()
    calendar: Calendar = UTC_CALENDAR
    spending: tuple[PeriodLimit, ...] = ()

    @cached_property
    def period_limits(self) -> tuple[PeriodLimit, ...]:
        """What may be spent in each period of its calendar."""
        budgets = self.budgets
        return self.spending or (
            PeriodLimit(budgets.tokens_per_day, budgets.cost_per_day),
            PeriodLimit(budgets.tokens_per_month, budgets.cost_per_month),
        )

    @cached_property
    def is_limited(self) -> bool:
        """Whether there is any limit at all."""
        return self.rates != Rates() or self.has_budgets

    @cached_property
    def has_budgets(self) -> bool:
        """Whether any limit is one of a day, a week or a month."""
        return self.budgets != Budgets() or self.spending != ()

    @cached_property
    def counts_tokens(self) -> bool:
        """Whether any limit is one of tokens or cost."""
        return self.rates.tokens_per_minute is not None or self.has_budgets

    @cached_property
    def counts_cost(self) -> bool:
        """Whether any limit is one of cost."""
        return any(each.cost is not None for each in self.period_limits)

    @cached_property
    def counts_active(self) -> bool:
        """Whether turns under way count against any limit, themselves or what they may cost."""
        return self.rates.concurrent_turns is not None or self.counts_tokens

    def share(self, parts: int) -> "Subject":
        """Return the same with rates divided, rounded up: what one of so many may have."""
        rates = self.rates
        each = (rates.requests_per_minute, rates.tokens_per_minute, rates.concurrent_turns)
        divided = [None if limit is None else -(-limit // parts) for limit in each]
        return replace(self, rates=Rates(*divided))


UNBOUND: Final = Subject("", "", Rates())
"""Nobody, who has no limits."""


class Spent(NamedTuple):
    """Tokens, in and out, and cost in billionths of a US dollar."""

    tokens: int = 0
    cost: int = 0


NOTHING: Final = Spent()


class Permit(NamedTuple):
    """What a turn was admitted with, and leaves with again; `lease` is its name where it is shared.

    `expected` is what it counts as until then, `headers` say what is left of the limits.
    """

    subject: Subject
    expected: Spent
    headers: Mapping[str, str]
    lease: str = ""


class Window:
    """What was used in the last minute, by whole seconds: sixty-one numbers at most.

    `total` is what counts now, or more where nobody took off what is too old.
    """

    __slots__ = ("_sums", "total")

    def __init__(self) -> None:
        self._sums: deque[tuple[int, int]] = deque()
        self.total = 0

    @classmethod
    def of(cls, sums: Iterable[tuple[int, int]]) -> Self:
        """Return one of what was used by whole seconds, in any order."""
        window = cls()
        for second, amount in sorted(sums):
            window.add(second, amount)
        return window

    def used(self, now: float) -> int:
        """Return what counts now."""
        if self._sums and self._sums[-1][0] > now + _SPAN:
            self._redate(now)
        while self._sums and self._sums[0][0] < math.floor(now) - _SPAN:
            self.total -= self._sums.popleft()[1]
        return self.total

    def add(self, now: float, amount: int) -> None:
        """Count an amount; with a clock that went back a little it counts in the latest second."""
        if self._sums and self._sums[-1][0] > now + _SPAN:
            self._redate(now)
        second = max(math.floor(now), self._sums[-1][0] if self._sums else 0)
        self.total += amount
        if self._sums and self._sums[-1][0] == second:
            amount += self._sums.pop()[1]
        self._sums.append((second, amount))

    def _redate(self, now: float) -> None:
        """Count what is ahead of a clock that was put back as if its latest had been now."""
        ahead = self._sums[-1][0] - math.floor(now)
        self._sums = deque((second - ahead, amount) for second, amount in self._sums)

    def wait(self, now: float, limit: int) -> float:
        """Return the seconds until less than `limit` is used, 0 where that is so now."""
        if self.total < limit:
            return 0.0  # and less yet, once what is too old is taken off
        left = self.used(now)
        for second, amount in self._sums:
            if left < limit:
                break
            left -= amount
            if left < limit:
                return second + _SPAN + 1 - now
        return 0.0

    def rests_in(self, now: float) -> float:
        """Return the seconds until nothing counts any more, if nothing is added."""
        for second, amount in reversed(self._sums):
            if amount:
                return max(0.0, second + _SPAN + 1 - now)
        return 0.0


@dataclass(slots=True)
class Meter:
    """What one subject used: in the last minute, now, and in each period of its calendar.

    `reserved_tokens` and `reserved_cost` are what the turns under way are expected to come to.
    """

    requests: Window = field(default_factory=Window)
    tokens: Window = field(default_factory=Window)
    active: int = 0
    reserved_tokens: int = 0
    reserved_cost: int = 0
    calendar: Calendar = UTC_CALENDAR
    sums: list[Spent] = field(default_factory=list)
    _spans: list[Span] = field(default_factory=list)
    _turns_at: float = 0.0

    def refusal(self, subject: Subject, now: float) -> LimitReached | None:
        """Return why one more turn must wait, None where it need not."""
        if now >= self._turns_at:
            self._turn_the_calendar(now)
        rates, refusals = subject.rates, self._spent_up(subject, now)
        if rates.concurrent_turns is not None and self.active >= rates.concurrent_turns:
            what = f"{rates.concurrent_turns} turns at once"
            refusals.append(_refusal(subject, what, _RETRY_CONCURRENT))
        windows = (
            (self.requests, 0, rates.requests_per_minute, "requests a minute"),
            (self.tokens, self.reserved_tokens, rates.tokens_per_minute, "tokens a minute"),
        )
        for window, reserved, limit, what in windows:
            if limit is None or window.total + reserved < limit:
                continue
            seconds = window.wait(now, limit)
            if not seconds and reserved and window.used(now) + reserved >= limit:
                seconds = _RETRY_CONCURRENT
            if seconds:
                refusals.append(_refusal(subject, f"{limit} {what}", math.ceil(seconds)))
        return max(refusals, key=lambda each: each.retry_after) if refusals else None

    def begin(self, now: float, expected: Spent = NOTHING) -> None:
        """Count a turn that was admitted; until it ends, it counts as what it is expected to cost.

        So the first turn under way is admitted whatever it may cost, and others where they fit.
        """
        self.active += 1
        self.reserved_tokens += expected.tokens
        self.reserved_cost += expected.cost
        self.requests.add(now, 1)

    def end(self, now: float, spent: Spent, expected: Spent = NOTHING) -> None:
        """Count what a turn cost, now that it has ended, in place of what was `expected`."""
        self.active -= 1
        self.reserved_tokens -= expected.tokens
        self.reserved_cost -= expected.cost
        if spent is not NOTHING:
            self.count(now, spent)

    def count(self, now: float, spent: Spent) -> None:
        """Count what a turn cost, or what its estimate was off by, which may be less than none.

        Of that the minute takes nothing off: it is over soon.
        """
        tokens, cost = spent
        if tokens > 0:
            self.tokens.add(now, tokens)
        if now >= self._turns_at:
            self._turn_the_calendar(now)
        for at, known in enumerate(self.sums):
            self.sums[at] = Spent(known.tokens + tokens, known.cost + cost)

    def set_spent(self, now: float, *sums: Spent, before: Sequence[Spent] | None = None) -> None:
        """Take over what each period cost, as somebody else counted it at a time.

        Where that is less than what is known here, turns that ended just now are not in it yet; but
        where `before` says what was known when all of that was in it, only those since then.
        """
        if now >= self._turns_at:
            self._turn_the_calendar(now)
        begins = self._spans[0].begins
        if now >= begins:
            known = self.sums if before is None else map(_less, self.sums, before, sums)
            self.sums = [Spent(*map(max, *both)) for both in zip(known, sums, strict=True)]
        elif now < begins - _SPAN:  # else it is of a period before; but this clock went back
            self._begin(now)
            self.sums = list(sums)

    def is_idle(self, now: float) -> bool:
        """Whether nothing is under way or counts any more, but for what days and months cost."""
        return not (self.active or self.requests.used(now) or self.tokens.used(now))

    def _turn_the_calendar(self, now: float) -> None:
        """Forget the periods that are over."""
        before, sums = self._spans, self.sums
        self._begin(now)
        for at, span in enumerate(before):
            if now < span.ends:
                self.sums[at] = sums[at]

    def _begin(self, now: float) -> None:
        """Let each period be the one of a time, with nothing spent."""
        self._spans = [self.calendar.span(each, now) for each in self.calendar.periods]
        self.sums = [NOTHING] * len(self._spans)
        self._turns_at = min(span.ends for span in self._spans)

    def _spent_up(self, subject: Subject, now: float) -> list[LimitReached]:
        refusals = []
        limits = zip(subject.period_limits, self.sums, self._spans, strict=True)
        for at, (limit, sums, span) in enumerate(limits):
            rows = (
                (Unit.TOKENS, sums.tokens, self.reserved_tokens, limit.tokens),
                (Unit.DOLLARS, sums.cost, self.reserved_cost, limit.cost),
            )
            for unit, used, reserved, most in rows:
                if most is None or used + reserved < most:
                    continue
                what = _Spendable(subject, at, unit, most)
                refusals.append(what.used_up(span, now) if used >= most else what.taken())
        return refusals


class _Spendable(NamedTuple):
    """The most of a unit that a subject may spend in one of its periods."""

    subject: Subject
    at: int
    unit: Unit
    most: int

    @property
    def _noun(self) -> str:
        period = self.subject.calendar.periods[self.at].value
        return f"{'tokens' if self.unit is Unit.TOKENS else 'cost'} of the {period}"

    def used_up(self, span: Span, now: float) -> LimitReached:
        """Return the refusal of a turn once all of it is spent."""
        subject = self.subject
        message = f"The {self._noun} of '{subject.name}' are used up."
        if subject.spending:
            period, ends = subject.calendar.periods[self.at], subject.calendar.text(span.ends)
            amount = f"{amount_text(self.unit, self.most)} a {period.value}"
            message = f"The budget of {subject.name}, {amount}, is used up until {ends}."
        wait = math.ceil(span.ends - now)
        return LimitReached(message, code="insufficient_quota", retry_after=wait)

    def taken(self) -> LimitReached:
        """Return the refusal of a turn while others may yet spend what is left."""
        what = f"no more than the {self._noun}, which turns under way may use up"
        return _refusal(self.subject, what, _RETRY_CONCURRENT)


def _less(known: Spent, before: Spent, other: Spent) -> Spent:
    """Return what somebody else counted with what came since, where it is less than is known."""
    tokens = min(known.tokens, other.tokens + known.tokens - before.tokens)
    return Spent(tokens, min(known.cost, other.cost + known.cost - before.cost))


def _refusal(subject: Subject, what: str, seconds: int) -> LimitReached:
    name = subject.name if subject.spending else f"'{subject.name}'"
    return LimitReached(
        f"{name[:1].upper()}{name[1:]} may have {what}; try again in {seconds} s.",
        code="rate_limit_exceeded",
        retry_after=seconds,
    )
