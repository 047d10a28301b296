"""What a gateway that is alone counts by itself."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from longwire.core.ports import Hear
from longwire.core.rules.limits import NOTHING, Meter, Spent, Subject
from longwire.dialects.responses.answer import limit_headers

_REMEMBERED = 4096


class LocalLimits:
    """Limits of one process; `clock` gives seconds since 1970 UTC.

    Of more subjects than are remembered those at rest are forgotten.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._meters: OrderedDict[str, Meter] = OrderedDict()

    async def enter(self, subject: Subject, expected: Spent = NOTHING) -> Mapping[str, str]:
        """Admit a turn. Raises `LimitReached`."""
        meter, now = self._meter(subject.id), self._clock()
        if (refusal := meter.refusal(subject, now)) is not None:
            refusal.headers = limit_headers(meter, subject.rates, now)
            raise refusal
        meter.begin(now, expected)
        return limit_headers(meter, subject.rates, now)

    async def leave(self, subject: Subject, spent: Spent, expected: Spent = NOTHING) -> None:
        """Count what a turn cost."""
        self._meter(subject.id).end(self._clock(), spent, expected)

    def correct(self, subject: Subject, by: Spent) -> None:
        """Count what an estimate was off by."""
        self._meter(subject.id).count(self._clock(), by)

    async def wait(self, subject: Subject) -> int:
        """Return in how many seconds a turn could be admitted."""
        refusal = self._meter(subject.id).refusal(subject, self._clock())
        return refusal.retry_after if refusal else 0

    def set_spent(self, subject_id: str, now: float, day: Spent, month: Spent) -> None:
        """Take over what day and month of a subject had cost at a time, in all processes."""
        self._meter(subject_id).set_spent(now, day, month)

    def _meter(self, subject_id: str) -> Meter:
        meter = self._meters.get(subject_id)
        if meter is None:
            meter = self._meters[subject_id] = Meter()
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


class LocalTidings:
    """Nobody else is there."""

    def tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Tell nobody."""

    def hear(self, kind: str, hear: Hear) -> None:
        """Hear of nobody."""
