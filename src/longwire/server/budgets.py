"""What the budgets of keys are spent in all processes, taken over from the store now and then."""

import asyncio
from typing import Final

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.access import Budgets
from longwire.core.ports import Limits
from longwire.core.rules.limits import NOTHING, Spent, month_begins
from longwire.logger import structlog
from longwire.store.store import Store, now_ms
from longwire.store.usage import DAY

_log = structlog.get_logger()
_COUNTED_EVERY: Final = 30.0


class SpentBudgets:
    """Keeps limits in step with what all processes spent, as the store has it."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits

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
        keys = [each for each in await self._store.keys.all() if each.grant.budgets != Budgets()]
        if not keys:
            return
        today = await self._spent_since(now - now % DAY, now)
        month = await self._spent_since(month_begins(now), now)
        for key in keys:
            spent = today.get(key.id, NOTHING), month.get(key.id, NOTHING)
            self._limits.set_spent(f"key:{key.id}", now / 1_000, *spent)

    async def _spent_since(self, since: int, now: int) -> dict[str, Spent]:
        """Return what keys spent, by their ids."""
        spent: dict[str, Spent] = {}
        for point in await self._store.usage.series("key", since, now + DAY):
            before, sums = spent.get(point.name, NOTHING), point.sums
            tokens = before.tokens + sums.input_tokens + sums.output_tokens
            spent[point.name] = Spent(tokens, before.cost + sums.cost)
        return spent
