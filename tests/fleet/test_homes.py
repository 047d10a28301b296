"""Homes of sessions that two nodes share over a real Valkey."""

import pytest

from longwire.core.rules.homes import SESSION_LASTS, held_key, session_home_key
from longwire.core.rules.turn import Scope
from longwire.fleet.joined import joined
from longwire.relay.homes import LocalHomes
from tests.doubles.valkey import is_away, until
from tests.fleet.hearing import hear_each_other

ONE, OTHER = Scope("api_key:1"), Scope("api_key:2")
KEY = session_home_key(ONE, "session")


class Stored:
    """A database that counts how often it is asked."""

    def __init__(self):
        self.kept = {}
        self.reads = 0

    async def find(self, key):
        self.reads += 1
        return self.kept.get(key)

    async def keep(self, changed):
        self.kept |= changed


@pytest.fixture
def fleets(valkey_server):
    return {name: joined(valkey_server.url, name) for name in "ab"}


@pytest.fixture
async def nodes(fleets):
    """The homes of two nodes that hear each other."""
    homes = [LocalHomes(shared=each.homes) for each in fleets.values()]
    async with fleets["a"].running(), fleets["b"].running():
        await hear_each_other(*fleets.values())
        yield homes


async def test_a_session_that_moves_finds_its_home(nodes, valkey_server):
    """At once, without the database; another caller's session of the same name does not."""
    a, b = nodes
    a.put(KEY, "channel/account")

    async def is_found():
        return await b.get(KEY) == "channel/account"

    await until(is_found)
    assert await b.get(session_home_key(OTHER, "session")) is None
    name = f"lw:home:{KEY.digest.hex()}"
    assert SESSION_LASTS - 60 < int(await valkey_server.ask("TTL", name)) <= SESSION_LASTS


async def test_who_holds_the_home_before_hears_of_the_new_one(nodes):
    """A session that comes back after its home has moved goes to the new one."""
    a, b = nodes
    a.put(KEY, "old")

    async def is_there(home, homes):
        return await homes.get(KEY) == home

    await until(lambda: is_there("old", b))
    b.put(KEY, "new")
    await until(lambda: is_there("new", a))


async def test_what_is_at_home_is_asked_once(nodes):
    """In steady state a turn costs no read and no write."""
    a, b = nodes
    stored = Stored()
    async with b.kept_in(stored):
        a.put(KEY, "home")

        async def is_found():
            return await b.get(KEY) == "home"

        await until(is_found)
        reads = stored.reads
        for _ in range(5):
            assert "home" == await b.get(KEY)
        assert reads == stored.reads


async def test_what_a_response_was_held_by_stays_out_of_valkey(nodes, valkey_server):
    """One key a turn for a month would fill its memory; the database has them."""
    a, _ = nodes
    a.put(held_key(ONE, "resp_1"), "home")
    a.put(KEY, "home")

    async def is_written():
        return "1" == await valkey_server.ask("EXISTS", f"lw:home:{KEY.digest.hex()}")

    await until(is_written)
    name = f"lw:home:{held_key(ONE, 'resp_1').digest.hex()}"
    assert "0" == await valkey_server.ask("EXISTS", name)


async def test_a_home_that_cannot_be_read_is_not_known(nodes, fleets):
    """A turn of that session is served, and writes where it is at home."""
    a, _ = nodes
    await fleets["a"].valkey.call("SET", f"lw:home:{KEY.digest.hex()}", b"\xff\xfe")
    assert await a.get(KEY) is None


async def test_while_valkey_is_away_the_database_knows(nodes, valkey_server):
    """And so it does for what a Valkey that began anew has lost."""
    _, b = nodes
    stored = Stored()
    stored.kept[KEY] = "home"
    await valkey_server.kill()
    async with b.kept_in(stored):
        assert "home" == await b.get(KEY)
        other = session_home_key(ONE, "other")
        b.put(other, "there")
        await until(lambda: "there" == stored.kept.get(other))


async def test_a_home_that_is_new_while_valkey_is_away_undoes_none_that_is_newer(
    nodes, valkey_server, fleets
):
    """Valkey forgets what it had, so that the database answers; it is not asked first."""
    a, b = nodes
    name = f"lw:home:{KEY.digest.hex()}"
    a.put(KEY, "oldest")

    async def is_written():
        return "oldest" == await valkey_server.ask("GET", name)

    await until(is_written)
    valkey_server.freeze()
    await until(lambda: is_away(fleets["a"].valkey))
    a.put(KEY, "meanwhile")
    valkey_server.thaw()

    async def is_forgotten():
        return "0" == await valkey_server.ask("EXISTS", name)

    await until(is_forgotten)
    stored = Stored()
    stored.kept[KEY] = "meanwhile"
    async with b.kept_in(stored):
        assert "meanwhile" == await b.get(KEY)
