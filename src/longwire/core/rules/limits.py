"""Rates and budgets: what a key or a channel used lately, and until when it must wait for more.

Law: in no span of sixty seconds are more requests admitted than a minute may have, nor a turn once
the tokens of the minute are used up. Times are arguments, in seconds since 1970 UTC.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final, NamedTuple

from longwire.core.errors import LimitReached
from longwire.core.nouns.access import Budgets, Rates

_SPAN: Final = 60
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


class Spent(NamedTuple):
    """Tokens, in and out, and cost in billionths of a US dollar."""

    tokens: int = 0
    cost: int = 0


NOTHING: Final = Spent()


class Window:
    """What was used in the last minute, by whole seconds: sixty-one numbers at most."""

    __slots__ = ("_sums", "_total")

    def __init__(self) -> None:
        self._sums: deque[tuple[int, int]] = deque()
        self._total = 0

    def used(self, now: float) -> int:
        """Return what counts now."""
        while self._sums and self._sums[0][0] < math.floor(now) - _SPAN:
            self._total -= self._sums.popleft()[1]
        return self._total

    def add(self, now: float, amount: int) -> None:
        """Count an amount; with a clock that went back it counts in the latest second."""
        second = max(math.floor(now), self._sums[-1][0] if self._sums else 0)
        self._total += amount
        if self._sums and self._sums[-1][0] == second:
            amount += self._sums.pop()[1]
        self._sums.append((second, amount))

    def wait(self, now: float, limit: int) -> float:
        """Return the seconds until less than `limit` is used, 0 where that is so now."""
        if self._total < limit:
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
    """What one subject used: in the last minute, now, today and this month."""

    requests: Window = field(default_factory=Window)
    tokens: Window = field(default_factory=Window)
    active: int = 0
    day: Spent = NOTHING
    month: Spent = NOTHING
    _tomorrow: float = 0.0
    _next_month: float = 0.0

    def refusal(self, subject: Subject, now: float) -> LimitReached | None:
        """Return why one more turn must wait, None where it need not."""
        self._turn_the_calendar(now)
        rates, refusals = subject.rates, self._spent_up(subject, now)
        if rates.concurrent_turns is not None and self.active >= rates.concurrent_turns:
            what = f"{rates.concurrent_turns} turns at once"
            refusals.append(_refusal(subject, what, _RETRY_CONCURRENT))
        windows = (
            (self.requests, rates.requests_per_minute, "requests a minute"),
            (self.tokens, rates.tokens_per_minute, "tokens a minute"),
        )
        for window, limit, what in windows:
            if limit is not None and (seconds := window.wait(now, limit)):
                refusals.append(_refusal(subject, f"{limit} {what}", math.ceil(seconds)))
        return max(refusals, key=lambda each: each.retry_after) if refusals else None

    def begin(self, now: float) -> None:
        """Count a turn that was admitted."""
        self.active += 1
        self.requests.add(now, 1)

    def end(self, now: float, spent: Spent) -> None:
        """Count what a turn cost, now that it has ended."""
        self.active -= 1
        self.tokens.add(now, spent.tokens)
        self._turn_the_calendar(now)
        self.day = Spent(self.day.tokens + spent.tokens, self.day.cost + spent.cost)
        self.month = Spent(self.month.tokens + spent.tokens, self.month.cost + spent.cost)

    def set_spent(self, now: float, day: Spent, month: Spent) -> None:
        """Take over what the day and the month cost, as somebody else counted it."""
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
        rows = (
            (self.day.tokens, budgets.tokens_per_day, "tokens of the day", self._tomorrow),
            (self.day.cost, budgets.cost_per_day, "cost of the day", self._tomorrow),
            (self.month.tokens, budgets.tokens_per_month, "tokens of the month", self._next_month),
            (self.month.cost, budgets.cost_per_month, "cost of the month", self._next_month),
        )
        refusals = []
        for used, limit, what, ends in rows:
            if limit is not None and used >= limit:
                message = f"The {what} of '{subject.name}' are used up."
                wait = math.ceil(ends - now)
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
