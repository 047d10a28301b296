"""A Valkey whose master Sentinels name, and move."""

import asyncio

import pytest

from longwire.core.errors import FleetUnavailable
from longwire.fleet.addresses import connect_to
from longwire.fleet.joined import joined
from longwire.fleet.valkey import Valkey
from tests.doubles.valkey import running_sentinel, until

pytestmark = pytest.mark.fleet


def url_of(sentinel):
    return f"valkey+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/mymaster"


async def answers(valkey, *words):
    try:
        return await valkey.call(*words)
    except FleetUnavailable:
        return None


async def test_a_failover_is_followed(tmp_path):
    """The new master takes what is written next, though a Sentinel of the list is gone."""
    async with running_sentinel(tmp_path) as (sentinel, master, replica):
        valkey = Valkey(connect_to(url_of(sentinel)))
        async with valkey.running():
            assert b"OK" == await valkey.call("SET", "before", "1")
            await master.kill()
            await until(lambda: answers(valkey, "SET", "after", "2"))
        assert "2" == await replica.ask("GET", "after")
        assert "master" in await replica.ask("INFO", "replication")


async def test_a_master_that_became_a_replica_is_left(tmp_path):
    """A refusal to write means that the master moved, though the old one still answers."""
    async with running_sentinel(tmp_path) as (sentinel, master, replica):
        valkey = Valkey(connect_to(url_of(sentinel)))
        async with valkey.running():
            assert b"OK" == await valkey.call("SET", "before", "1")
            await sentinel.ask("SENTINEL", "FAILOVER", "mymaster")
            await until(lambda: answers(valkey, "SET", "after", "2"))
            await until(lambda: _is_set(replica))
        assert "" == (await master.ask("CONFIG", "SET", "maxmemory", "0")).removeprefix("OK")


async def _is_set(server):
    return "2" == await server.ask("GET", "after")


async def test_tidings_come_from_the_new_master(tmp_path):
    """Who listens finds it as who writes does."""
    heard = asyncio.Event()
    async with running_sentinel(tmp_path) as (sentinel, master, _):
        a, b = joined(url_of(sentinel), "a"), joined(url_of(sentinel), "b")
        b.tidings.hear("cooling", lambda *_: heard.set())
        async with a.running(), b.running():
            await master.kill()

            def is_heard():
                a.tidings.tell("cooling", {})
                return heard.is_set()

            await until(is_heard)
