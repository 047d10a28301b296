"""Budgets of keys, counted over all processes."""

import pytest

from longwire.core.errors import LimitReached
from longwire.core.nouns.access import ApiKey, Budgets, Grant
from longwire.core.rules.limits import Subject
from longwire.relay.limits import LocalLimits
from longwire.server.budgets import SpentBudgets
from tests.store.turn_rows import NOON, row


async def test_what_another_process_spent_counts_here(store, actor):
    """A budget of the day that others used up refuses the next turn, of that key alone."""
    budgets = Budgets(tokens_per_day=15)
    drafts = [ApiKey("", name, "", b"", Grant("", "prj_default", budgets=budgets)) for name in "ab"]
    one, other = [(await store.keys.create(draft, actor)).key for draft in drafts]
    limits = LocalLimits(lambda: NOON / 1_000)
    await store.turns.add([row(key_id=one.id)])
    await SpentBudgets(store, limits).count(NOON)
    await limits.enter(Subject(f"key:{other.id}", "other", one.grant.rates, budgets))
    with pytest.raises(LimitReached, match="used up"):
        await limits.enter(Subject(f"key:{one.id}", "one", one.grant.rates, budgets))
