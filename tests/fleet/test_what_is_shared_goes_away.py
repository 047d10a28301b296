"""Valkey or PostgreSQL goes away under load, and no turn fails."""

import pytest

from longwire.core.nouns.access import Rates
from tests.doubles.fleet import channels
from tests.fleet.admission import limited_key
from tests.fleet.outages import database_away, valkey_away

pytestmark = pytest.mark.timeout(120)


async def test_valkey_may_freeze_die_and_come_back_empty(emulator, fleet_of):
    """No turn of a key with limits fails, and the slowest wait little longer."""
    async with fleet_of(channels(emulator.url)) as fleet, fleet.behind("haproxy") as balancer:
        key = await limited_key(fleet, "generous", Rates(100_000, 1_000_000_000, 1_000))
        outage = await valkey_away(fleet, balancer, key)
    assert [] == outage.work.errors
    assert 100 < len(outage.work.turns)
    assert outage.added < 0.15


async def test_postgresql_may_go_away(emulator, fleet_of, fleet_postgresql):
    """No turn fails meanwhile, and afterwards the log has each of them."""
    async with fleet_of(channels(emulator.url)) as fleet, fleet.behind("haproxy") as balancer:
        outage = await database_away(fleet, balancer, fleet_postgresql, away=4.0)
    assert [] == outage.work.errors
    assert 100 < len(outage.work.turns) == outage.rows
