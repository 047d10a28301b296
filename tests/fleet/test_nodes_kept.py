"""Nodes that start while Valkey is away know of each other by the database."""

from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from sqlalchemy import update

from longwire.app import App, opening
from longwire.core.errors import LimitReached
from longwire.core.nouns.access import Rates
from longwire.core.rules.limits import Subject
from longwire.fleet.joined import joined
from longwire.server.nodes_kept import NodesKept
from longwire.store.database import Database
from longwire.store.nodes import count_with
from longwire.store.tables import jobs
from tests.conftest import settings_for
from tests.doubles.valkey import is_away, until

SUBJECT = Subject("key:1", "ci", Rates(requests_per_minute=60))


def app_of(valkey_server, database_url, name):
    fleet = {"url": valkey_server.url, "node": name}
    settings = settings_for("http://127.0.0.1:9/v1", fleet=fleet, database={"url": database_url})
    return App(settings, opening(settings))


@asynccontextmanager
async def running(valkey_server, database_url):
    """Run three nodes, one after another."""
    async with AsyncExitStack() as stack:
        apps = [app_of(valkey_server, database_url, name) for name in "abc"]
        for app in apps:
            await stack.enter_async_context(app.running())
        yield apps


async def admissions(app):
    """How many of many turns one node admits."""
    number = 0
    for _ in range(100):
        try:
            await app.limits.enter(SUBJECT)
        except LimitReached:
            return number
        number += 1
    return number


@pytest.mark.timeout(120)
async def test_nodes_restarted_while_valkey_is_away_have_their_shares(valkey_server, database_url):
    """None takes the whole limit: together they admit it once."""
    async with running(valkey_server, database_url):
        pass
    valkey_server.freeze()
    async with running(valkey_server, database_url) as apps:
        counts = [app.fleet.nodes.count for app in apps]
        number = sum([await admissions(app) for app in apps])
    valkey_server.thaw()
    assert ([3, 3, 3], 60) == (counts, number)


async def test_valkey_knows_better_while_it_is_there(valkey_server, database):
    """A node that has gone is out of its count at once; cut off, the database's counts."""
    fleet = joined(valkey_server.url, "a")
    kept = NodesKept(database, fleet.nodes)
    await count_with(database, "gone")
    async with fleet.running():
        await until(fleet.nodes.announce)
        await kept.recount()
        assert 1 == fleet.nodes.count
        valkey_server.freeze()
        await until(lambda: is_away(fleet.valkey))
        await kept.recount()
        assert 2 == fleet.nodes.count
        valkey_server.thaw()
        await until(fleet.nodes.announce)
        assert 1 == fleet.nodes.count


async def test_a_node_counts_until_its_next_word_is_long_due(database):
    """However often it speaks it counts once; other work of the table is no node."""
    assert [1, 2, 2] == [await count_with(database, each) for each in ("a", "b", "b")]
    async with database.write() as connection:
        await connection.execute(
            update(jobs).where(jobs.c.name == "node:a").values(due_at=jobs.c.due_at - 90_000)
        )
    assert [1, 2] == [await count_with(database, each) for each in ("b", "a")]


async def test_workers_know_how_many_they_are_at_the_least(valkey_server, database):
    """The first one to start is alone in the database, and does not take the whole limit."""
    fleet = joined(valkey_server.url, "a", least=3)
    valkey_server.freeze()
    async with fleet.running():
        await until(lambda: is_away(fleet.valkey))
        await NodesKept(database, fleet.nodes).recount()
        assert 3 == fleet.nodes.count
    valkey_server.thaw()


async def test_a_database_that_is_away_changes_nothing(valkey_server, tmp_path):
    """The number last known stays, and nothing fails."""
    fleet = joined(valkey_server.url, "a")
    fleet.nodes.count = 3
    database = Database(f"sqlite:///{tmp_path}/nowhere/longwire.db")
    await NodesKept(database, fleet.nodes).recount()
    await database.close()
    assert 3 == fleet.nodes.count
