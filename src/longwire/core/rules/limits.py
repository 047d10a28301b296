"""Rates and budgets: what a key or a channel used lately, and until when it must wait for more.

Law: in no span of sixty seconds are more requests admitted than a minute may have, nor a turn once
what is used, and what turns under way are expected to cost, comes to a limit. So of any number of
turns at once those are admitted that fit. Times are arguments, in seconds since 1970 UTC.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final, NamedTuple, Self

from longwire.core.errors import LimitReached
from longwire.core.nouns.access import Budgets, Rates

_SPAN: Final = 60
_DAY: Final = 86_400
_RETRY_CONCURRENT: Final = 1


@dataclass(frozen=True)
class Subject:
    """Whose limits they are: a key's or a channel's, by what people call it."""

    # No slots: `is_limited` is read for every turn and worked out once.

    id: str
    name: str
    rates: Rates
    budgets: Budgets = Budgets()

    @cached_property
    def is_limited(self) -> bool:
        """Whether there is any limit at all."""
        return self.rates != Rates() or self.budgets != Budgets()

    @cached_property
    def has_budgets(self) -> bool:
        """Whether any limit is one of a day or a month."""
        return self.budgets != Budgets()

    @cached_property
    def counts_tokens(self) -> bool:
        """Whether any limit is one of tokens or cost."""
        return self.rates.tokens_per_minute is not None or self.has_budgets

    @cached_property
    def counts_cost(self) -> bool:
        """Whether any limit is one of cost."""
        budgets = self.budgets
        return budgets.cost_per_day is not None or budgets.cost_per_month is not None

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
    """What one subject used: in the last minute, now, today and this month.

    `reserved_tokens` and `reserved_cost` are what the turns under way are expected to come to.
    """

    requests: Window = field(default_factory=Window)
    tokens: Window = field(default_factory=Window)
    active: int = 0
    reserved_tokens: int = 0
    reserved_cost: int = 0
    day: Spent = NOTHING
    month: Spent = NOTHING
    _tomorrow: float = 0.0
    _next_month: float = 0.0

    def refusal(self, subject: Subject, now: float) -> LimitReached | None:
        """Return why one more turn must wait, None where it need not."""
        if now >= self._tomorrow:
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
        if now >= self._tomorrow:
            self._turn_the_calendar(now)
        self.day = Spent(self.day.tokens + tokens, self.day.cost + cost)
        self.month = Spent(self.month.tokens + tokens, self.month.cost + cost)

    def set_spent(self, now: float, day: Spent, month: Spent) -> None:
        """Take over what the day and the month cost, as somebody else counted it at a time.

        Where that is less than what is known here, turns that ended just now are not in it yet.
        """
        if now >= self._tomorrow:
            self._turn_the_calendar(now)
        begins = self._tomorrow - _DAY
        if now >= begins:
            self.day = Spent(*map(max, self.day, day))
            self.month = Spent(*map(max, self.month, month))
        elif now < begins - _SPAN:  # else it is of yesterday; but this clock went back
            self._begin_day(now)
            self.day, self.month = day, month

    def is_idle(self, now: float) -> bool:
        """Whether nothing is under way or counts any more, but for what days and months cost."""
        return not (self.active or self.requests.used(now) or self.tokens.used(now))

    def _turn_the_calendar(self, now: float) -> None:
        if now < self._tomorrow:
            return
        self.day, self.month = NOTHING, self.month if now < self._next_month else NOTHING
        self._begin_day(now)

    def _begin_day(self, now: float) -> None:
        today = _midnight(now)
        self._tomorrow = (today + timedelta(days=1)).timestamp()
        self._next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1).timestamp()

    def _spent_up(self, subject: Subject, now: float) -> "list[LimitReached]":
        budgets = subject.budgets
        tokens, cost = self.reserved_tokens, self.reserved_cost
        day, month = self._tomorrow, self._next_month
        rows = (
            (self.day.tokens, tokens, budgets.tokens_per_day, "tokens of the day", day),
            (self.day.cost, cost, budgets.cost_per_day, "cost of the day", day),
            (self.month.tokens, tokens, budgets.tokens_per_month, "tokens of the month", month),
            (self.month.cost, cost, budgets.cost_per_month, "cost of the month", month),
        )
        refusals = []
        for used, reserved, limit, what, ends in rows:
            if limit is None or used + reserved < limit:
                continue
            if used < limit:
                taken = f"no more than the {what}, which turns under way may use up"
                refusals.append(_refusal(subject, taken, _RETRY_CONCURRENT))
                continue
            message, wait = f"The {what} of '{subject.name}' are used up.", math.ceil(ends - now)
            refusals.append(LimitReached(message, code="insufficient_quota", retry_after=wait))
        return refusals


def _refusal(subject: Subject, what: str, seconds: int) -> LimitReached:
    return LimitReached(
        f"'{subject.name}' may have {what}; try again in {seconds} s.",
        code="rate_limit_exceeded",
        retry_after=seconds,
    )


def _midnight(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def month_begins(milliseconds: int) -> int:
    """Return when the UTC month of a time began, both in ms since 1970."""
    return round(_midnight(milliseconds / 1000).replace(day=1).timestamp() * 1000)
