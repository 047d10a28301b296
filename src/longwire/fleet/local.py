"""What a gateway that is alone counts by itself."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from longwire.core.errors import LimitReached
from longwire.core.ports import Hear, Pacer
from longwire.core.rules.backoff import Pace
from longwire.core.rules.limits import NOTHING, Meter, Permit, Spent, Subject
from longwire.dialects.responses.answer import limit_headers

_REMEMBERED = 4096


def refused(meter: Meter, subject: Subject, now: float) -> LimitReached | None:
    """Return why one more turn must wait, with headers that tell what is left."""
    refusal = meter.refusal(subject, now)
    if refusal is not None:
        refusal.headers = limit_headers(meter, subject.rates, now)
    return refusal


class LocalLimits:
    """Limits of one process; `clock` gives seconds since 1970 UTC.

    Of more subjects than are remembered those at rest are forgotten. One of several `parts` that
    know nothing of each other admits its share.
    """

    def __init__(self, clock: Callable[[], float] = time.time, parts: int = 1) -> None:
        self._clock = clock
        self._parts = parts
        self._meters: OrderedDict[str, Meter] = OrderedDict()

    async def enter(self, subject: Subject, expected: Spent = NOTHING) -> Permit:
        """Admit a turn. Raises `LimitReached`."""
        if self._parts > 1:
            subject = subject.share(self._parts)
        meter, now = self.meter(subject), self._clock()
        if (refusal := refused(meter, subject, now)) is not None:
            raise refusal
        meter.begin(now, expected)
        return Permit(subject, expected, limit_headers(meter, subject.rates, now))

    def leave(self, permit: Permit, spent: Spent) -> None:
        """Count what a turn cost."""
        self.meter(permit.subject).end(self._clock(), spent, permit.expected)

    def correct(self, permit: Permit, by: Spent) -> None:
        """Count what an estimate was off by."""
        self.meter(permit.subject).count(self._clock(), by)

    async def waits(self, subjects: Collection[Subject]) -> Mapping[str, int]:
        """Return in how many seconds a turn could be admitted, by the ids of those that refuse."""
        now, parts = self._clock(), self._parts
        if parts > 1:
            subjects = [each.share(parts) for each in subjects]
        refusals = ((each.id, self.meter(each).refusal(each, now)) for each in subjects)
        return {name: refusal.retry_after for name, refusal in refusals if refusal}

    def spent(self, subject: Subject) -> Sequence[Spent]:
        """Return what each period of a subject cost, as this process knows."""
        return tuple(self.meter(subject).sums)

    def set_spent(
        self, subject: Subject, now: float, *sums: Spent, before: Sequence[Spent] | None = None
    ) -> None:
        """Take over what each period of a subject had cost at a time, in all processes."""
        self.meter(subject).set_spent(now, *sums, before=before)

    def meter(self, subject: Subject) -> Meter:
        """Return what counts a subject here."""
        subject_id = subject.id
        meter = self._meters.get(subject_id)
        if meter is None:
            meter = self._meters[subject_id] = Meter(calendar=subject.calendar)
            if len(self._meters) > _REMEMBERED:
                self._forget_one()
        self._meters.move_to_end(subject_id)
        return meter

    def _forget_one(self) -> None:
        """Forget the one that rests longest, if any does."""
        now = self._clock()
        for subject_id, meter in self._meters.items():
            if meter.is_idle(now):
                del self._meters[subject_id]
                return


class LocalPacer:
    """The pace of one process, on its loop's clock."""

    __slots__ = ("_pace",)

    def __init__(self, rate: float, burst: int = 1) -> None:
        self._pace = Pace(rate, burst)

    async def reserve(self, longest: float = math.inf) -> float:
        """Return how long to wait for the next place, in seconds; beyond `longest` take none."""
        return self._pace.reserve(asyncio.get_running_loop().time(), longest)


class LocalPaces:
    """Each pacer is one's own."""

    def of(self, _route: str, rate: float, burst: int = 1) -> Pacer:
        """Return a pacer."""
        return LocalPacer(rate, burst)


class LocalTidings:
    """Nobody else is there."""

    def tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Tell nobody."""

    def hear(self, kind: str, hear: Hear) -> None:
        """Hear of nobody."""

    def pin(self, kind: str, subject: str, facts: Mapping[str, Any], lasts: int) -> None:
        """Tell nobody."""

    async def recall(self, kind: str, subjects: Collection[str]) -> None:
        """Nobody has told anything."""

    def claim(self, session: str, lasts: int) -> None:
        """Nobody else serves it."""
