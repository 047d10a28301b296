"""Nodes of a fleet are restarted and killed under load, behind HAProxy and Envoy."""

import pytest

from tests.doubles.balancers import BALANCERS
from tests.doubles.fleet import channels
from tests.fleet.scenes import crash, rolling_restart

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("kind", BALANCERS)
async def test_a_rolling_restart_fails_no_turn(emulator, fleet_of, kind):
    """Twenty sessions, three nodes one after the other: no error, two fresh turns at most each."""
    async with fleet_of(channels(emulator.url)) as fleet, fleet.behind(kind) as balancer:
        restart = await rolling_restart(fleet, balancer)
    assert [] == restart.work.errors
    assert 100 < len(restart.work.turns)
    assert 2 >= restart.most_fresh


async def test_a_crash_fails_what_was_under_way_there_alone(emulator, fleet_of):
    """A node is killed: nothing else fails, and the next turn of each session works."""
    async with fleet_of(channels(emulator.url)) as fleet, fleet.behind("haproxy") as balancer:
        result = await crash(fleet, balancer)
    assert [] == result.late
    assert 0 < len(result.errors)
    assert len(result.seen) <= result.under_way
    assert 100 < len(result.work.turns)
