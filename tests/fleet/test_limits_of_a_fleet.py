"""Limits hold for all nodes together, and Valkey's absence lets little more through."""

import pytest

from longwire.core.nouns.access import Budgets, Rates
from tests.doubles.fleet import channels
from tests.fleet.admission import AT_ONCE, ask_all, limited_key

pytestmark = pytest.mark.timeout(120)
SLOW = {**AT_ONCE, "first_event_ms": 2_000}


async def test_limits_hold_for_all_nodes_together(emulator, fleet_of):
    """Three nodes let in what one would: requests and turns at once exactly, tokens but for turns.

    What a turn costs is known at its end: so many turns under way may be let in beyond the limit.
    """
    at_once = 3
    async with fleet_of(channels(emulator.url)) as fleet:
        minute = await limited_key(fleet, "minute", Rates(requests_per_minute=60))
        requests = await ask_all(fleet, minute, 150)
        together = await limited_key(fleet, "together", Rates(concurrent_turns=4))
        turns = await ask_all(fleet, together, 18, script=SLOW)
        (each,) = set((await ask_all(fleet, fleet.key, 1)).tokens)
        tokens = await limited_key(fleet, "tokens", Rates(tokens_per_minute=30 * each))
        spent = await ask_all(fleet, tokens, 90, at_once)
        budget = await limited_key(fleet, "day", budgets=Budgets(tokens_per_day=30 * each))
        day = await ask_all(fleet, budget, 90, at_once)
    assert (60, 90) == (requests.count, requests.refused)
    assert (4, 14) == (turns.count, turns.refused)
    assert 28 * each <= sum(spent.tokens) <= (30 + at_once) * max(spent.tokens)
    assert 28 * each <= sum(day.tokens) <= (30 + at_once) * max(day.tokens)


async def test_without_valkey_each_node_lets_in_its_share(emulator, fleet_of):
    """In the outage's first minute no more than as much again; nothing fails for another reason."""
    async with fleet_of(channels(emulator.url)) as fleet:
        key = await limited_key(fleet, "minute", Rates(requests_per_minute=60))
        before = await ask_all(fleet, key, 90)
        fleet.valkey.freeze()
        during = await ask_all(fleet, key, 150)
        fleet.valkey.thaw()
    assert (60, 30) == (before.count, before.refused)
    assert {} == before.others | during.others
    assert during.count <= 60
