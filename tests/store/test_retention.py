import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.retention import Retention
from longwire.store.clock import database_now
from longwire.store.database import Database
from longwire.store.log_tables import turn_bodies, turn_details, turns
from longwire.store.retention import Swept, keep_swept, sweep
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from longwire.store.usage import DAY, HOUR, Usage
from tests.store.turn_rows import NOON, bodies, details, row

MIDNIGHT = NOON - NOON % DAY
RETENTION = Retention(turn_days=30, body_days=3)


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)))


async def _count(database, table):
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(table))


async def test_what_is_old_goes_and_the_rest_stays(log, database):
    """Turns by their days, bodies by theirs; hourly sums after five weeks, by day never."""
    ages = [0, 2, 3, 4, 29, 30, 31, 400]
    rows = [row(number, MIDNIGHT - age * DAY - 1) for number, age in enumerate(ages)]
    await log.add(rows, [bodies(each) for each in rows])
    assert Swept(3, 6, 1) == await sweep(database, RETENTION, MIDNIGHT)
    assert rows[:5] == list((await log.page()).items)
    assert [True, True, False] == [await log.bodies(each.id) is not None for each in rows[:3]]
    figures, long_ago = Usage(database), MIDNIGHT - 500 * DAY
    assert 8 == (await figures.totals(long_ago, MIDNIGHT)).turns
    assert 7 == (await figures.totals(long_ago, MIDNIGHT, "h")).turns
    assert Swept(0, 0, 0) == await sweep(database, RETENTION, MIDNIGHT)


async def test_bodies_never_outlive_their_turns(log, database):
    """Whatever the settings say of bodies."""
    old = row(1, NOON - 5 * DAY)
    await log.add([old], [bodies(old)])
    await sweep(database, Retention(turn_days=2, body_days=99), NOON)
    assert 0 == await _count(database, turn_bodies)


async def test_details_stay_as_long_as_their_turns(log, database):
    """They go with them, whatever the days of bodies."""
    rows = [row(number, MIDNIGHT - age * DAY - 1) for number, age in enumerate([0, 29, 30])]
    await log.add(rows, [details(each) for each in rows])
    await sweep(database, RETENTION, MIDNIGHT)
    assert {row.id for row in rows[:2]} == set(await log.details([each.id for each in rows]))
    assert 2 == await _count(database, turn_details)


async def test_much_is_deleted_while_others_write(log, database):
    """However many turns are old, a writer gets through between two chunks of them."""
    await log.add([row(number, NOON - 40 * DAY) for number in range(3_500)])
    async with database.read(), database.read():  # neither waits for a connection then
        pass
    left = []

    async def write():
        for number in range(3):
            await log.add([row(number)])
            left.append(await _count(database, turns))

    async with asyncio.TaskGroup() as group:
        swept = group.create_task(sweep(database, RETENTION, NOON))
        group.create_task(write())
    assert 3_500 == swept.result().turns
    assert left[0] > 3
    assert 3 == await _count(database, turns)


async def test_it_goes_on_and_asks_each_time(log, database):
    """New settings count from the next sweep on, and a database that is away for once is no end."""
    now = await _now(database)
    await log.add([row(0, now - 10 * DAY), row(1, now - HOUR)])
    asked = []
    done = asyncio.Event()

    async def retention():
        asked.append(None)
        if len(asked) == 2:
            raise StoreUnavailable("gone")
        if len(asked) == 4:
            done.set()
        return Retention(turn_days=5) if len(asked) > 2 else RETENTION

    with capture_logs() as lines:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            sweeping = group.create_task(keep_swept(database, retention, 0.001, 1))
            await done.wait()
            sweeping.cancel()
    assert (row(1, now - HOUR),) == (await log.page()).items
    assert ["retention_waits", "retention"] == [line["event"] for line in lines]
    assert 1 == lines[-1]["turns"]


async def test_one_node_of_many_sweeps(database, database_url):
    """Each hour one that finds it due; while it is not, nobody is asked for the settings."""
    asked = []

    async def retention():
        asked.append(None)
        return RETENTION

    others = [Database(database_url) for _ in range(3)]
    with suppress(TimeoutError):
        async with asyncio.timeout(1), asyncio.TaskGroup() as group:
            for each in others:
                group.create_task(keep_swept(each, retention, 0.05))
    for each in others:
        await each.close()
    assert 1 == len(asked)


async def _now(database):
    """The database's time in ms."""
    async with database.read() as connection:
        return await connection.scalar(select(database_now(database)))
