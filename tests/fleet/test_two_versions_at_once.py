"""A fleet is upgraded node by node under load, from the schema of the release before."""

import asyncio

import pytest

from longwire.store.database import Database
from longwire.store.migrate import head, schema_of
from tests.doubles.balancers import SEES_A_RETURN
from tests.doubles.fleet import channels
from tests.doubles.history import before_schema
from tests.fleet.outages import logged
from tests.fleet.scenes import WARM, working

FIRST_UNRELEASED = "0014"
"""The first schema since the last release: those behind it may still change."""


async def _schema(url: str) -> str | None:
    database = Database(url)
    try:
        return await schema_of(database)
    finally:
        await database.close()


@pytest.mark.timeout(180)
async def test_an_upgrade_from_the_schema_before_fails_no_turn(emulator, fleet_of, tmp_path):
    """The first new node migrates while two old ones serve; each turn is answered, and logged."""
    old = {"PYTHONPATH": str(before_schema(FIRST_UNRELEASED, tmp_path / "before"))}
    fleets = fleet_of(channels(emulator.url), environment=old, template="template0")
    async with fleets as fleet, fleet.behind("haproxy") as balancer:
        assert head() > await _schema(fleet.database)
        work = working(fleet, balancer.url)
        async with work.running(20):
            await asyncio.sleep(WARM)
            for node in fleet.nodes:
                assert 0 == await node.stop(), node.log[-2_000:]
                node.environment.clear()
                await node.start()
                await asyncio.sleep(SEES_A_RETURN)
                assert head() == await _schema(fleet.database)
        rows = await logged(fleet, len(work.turns))
    assert [] == work.errors
    assert 100 < len(work.turns) == rows
