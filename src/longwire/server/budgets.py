"""What budgets are spent in all processes, taken over from the store now and then."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.access import Budgets
from longwire.core.ports import Limits
from longwire.core.rules.calendar import Calendar
from longwire.core.rules.limits import Subject
from longwire.logger import structlog
from longwire.store.spending import spent_by, subject_of_key
from longwire.store.store import Store, now_ms

_log = structlog.get_logger()
_COUNTED_EVERY: Final = 30.0


class SpentBudgets:
    """Keeps limits in step with what all processes spent, as the store has it.

    `running` tells the subjects with budgets of their own, by kind and id.
    """

    def __init__(
        self, store: Store, limits: Limits, running: Callable[[], Mapping[str, Subject]] = dict
    ) -> None:
        self._store = store
        self._limits = limits
        self._running = running

    async def recount(self) -> None:
        """Count now; where the database is away, what was known stays."""
        try:
            await self.count(now_ms())
        except StoreUnavailable as error:
            _log.warning("budgets_wait", error=error.reason)

    async def keep_counted(self) -> None:
        """Count, until cancelled; a database that is away is asked again."""
        while True:
            await asyncio.sleep(_COUNTED_EVERY)
            await self.recount()

    async def count(self, now: int) -> None:
        """Take over what is spent, `now` in ms since 1970 UTC. Raises `StoreUnavailable`."""
        groups: defaultdict[Calendar, dict[str, Subject]] = defaultdict(dict)
        for key in await self._store.keys.all():
            if key.grant.budgets != Budgets():
                subject = subject_of_key(key)
                groups[subject.calendar][subject.id] = subject
        for name, subject in self._running().items():
            groups[subject.calendar][name] = subject
        for calendar, subjects in groups.items():
            sums = await spent_by(self._store.usage, subjects, calendar, now)
            for name, subject in subjects.items():
                self._limits.set_spent(subject, now / 1_000, *sums[name])
