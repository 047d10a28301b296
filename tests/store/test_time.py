"""The database's own clock."""

import time

from longwire.cli.fleet_checks import database_ahead


async def test_the_database_tells_its_time(store):
    """On one machine it agrees with this host's clock, on either engine."""
    before = time.time() * 1000
    assert before - 100 <= await store.time() <= time.time() * 1000 + 100
    assert abs(await database_ahead(store)) < 1
