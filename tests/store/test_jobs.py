"""Work that one node does for all, by the clock of the database."""

import asyncio
import time

import pytest

from longwire.store.database import Database
from longwire.store.jobs import UPKEEP, take


@pytest.fixture
async def nodes(database_url):
    """Three nodes, each with a database of its own."""
    nodes = [Database(database_url) for _ in range(3)]
    yield nodes
    for each in nodes:
        await each.close()


async def test_of_many_one_takes_it(nodes):
    """However many ask at once; it is told the database's time."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(take(each, UPKEEP, 60_000)) for each in nodes for _ in range(3)]
    (taken,) = [task.result() for task in tasks if task.result() is not None]
    assert abs(taken - time.time() * 1000) < 5_000
    assert [None] * 3 == [await take(each, UPKEEP, 60_000) for each in nodes]


async def test_another_takes_it_when_the_first_is_gone(nodes):
    """A node that died does not come back to it: it is due again all the same."""
    first, second, _ = nodes
    assert await take(first, UPKEEP, 1) is not None
    await first.close()
    await asyncio.sleep(0.01)
    assert await take(second, UPKEEP, 60_000) is not None


async def test_a_job_that_is_none_is_nobodys(database):
    """A name that no schema has made is never due."""
    assert await take(database, "nothing", 1) is None
