"""What budgets are spent in all processes, taken over from the store now and then."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.access import Budgets
from longwire.core.ports import Limits
from longwire.core.rules.calendar import Calendar
from longwire.core.rules.limits import Spent, Subject
from longwire.logger import structlog
from longwire.store.spending import spent_by, subject_of_key
from longwire.store.store import Store, now_ms

_log = structlog.get_logger()
_COUNTED_EVERY: Final = 30.0
_REPLACED: Final = 2
"""So often sums that are less than before are taken over as they are: other nodes, which counted
before that, may have told the fleet of more meanwhile."""


async def _at_once() -> bool:
    return True


class SpentBudgets:
    """Keeps limits in step with what all processes spent, as the store has it.

    `running` tells the subjects with budgets of their own, by kind and id; `written` waits for what
    the turn log has yet to write, and says whether it is. Whose keys are others' now, or are gone,
    has spent less than was known.
    """

    def __init__(
        self,
        store: Store,
        limits: Limits,
        running: Callable[[], Mapping[str, Subject]] = dict,
        written: Callable[[], Awaitable[bool]] = _at_once,
    ) -> None:
        self._store = store
        self._limits = limits
        self._running = running
        self._written = written
        self._owners: Mapping[str, str] = {}
        self._less: dict[str, int] = {}

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
        running = self._running()
        for name, subject in running.items():
            groups[subject.calendar][name] = subject
        before = await self._spent_less(running)
        for calendar, subjects in groups.items():
            sums = await spent_by(self._store.usage, subjects, calendar, now)
            for name, subject in subjects.items():
                known = before.get(name)
                self._limits.set_spent(subject, now / 1_000, *sums[name], before=known)
        for name in before:
            self._less[name] -= 1
        self._less = {name: times for name, times in self._less.items() if times > 0}

    async def _spent_less(self, running: Mapping[str, Subject]) -> Mapping[str, Sequence[Spent]]:
        """Return what was known, before all of it was written, of whose keys are others' now."""
        owners = await self._store.keys.owners()
        lost = {user for key_id, user in self._owners.items() if owners.get(key_id) != user}
        self._owners = owners
        self._less |= {f"user:{user}": _REPLACED for user in lost if f"user:{user}" in running}
        known = {name: self._limits.spent(running[name]) for name in self._less if name in running}
        return known if known and await self._written() else {}
