"""Homes in the database: found by one caller's key, within their time, of a bounded number."""

import pytest
from sqlalchemy import func, select, text

from longwire.core.rules.homes import HELD_LASTS, SESSION_LASTS, held_key, session_home_key
from longwire.core.rules.turn import Scope
from longwire.store.homes import StoredHomes, sweep_homes
from longwire.store.tables import homes

ONE, OTHER = Scope("api_key:1"), Scope("api_key:2")


@pytest.fixture
def stored(database, clock):
    return StoredHomes(database, clock)


async def count(database):
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(homes))


async def test_the_last_one_written_is_found(stored, database):
    """A home that changes has one row; another caller's has its own."""
    await stored.keep({session_home_key(ONE, "s"): "a", session_home_key(OTHER, "s"): "c/acc"})
    await stored.keep({session_home_key(ONE, "s"): "b"})
    await stored.keep({})
    keys = session_home_key(ONE, "s"), session_home_key(OTHER, "s"), held_key(ONE, "s")
    assert ["b", "c/acc", None] == [await stored.find(key) for key in keys]
    assert 2 == await count(database)


async def test_each_lasts_its_time(stored, database, clock):
    """Sessions last a week from when they were written last, responses a month."""
    session, response = session_home_key(ONE, "s"), held_key(ONE, "resp_1")
    await stored.keep({session: "a", response: "a"})
    clock.now += SESSION_LASTS * 1000 - 1
    assert ["a", "a"] == [await stored.find(key) for key in (session, response)]
    assert 0 == await sweep_homes(database, clock.now)
    clock.now += 1
    assert [None, "a"] == [await stored.find(key) for key in (session, response)]
    assert 1 == await sweep_homes(database, clock.now)
    clock.now += (HELD_LASTS - SESSION_LASTS) * 1000
    assert 1 == await sweep_homes(database, clock.now)
    assert 0 == await count(database)


async def test_of_too_many_the_newest_stay(stored, database, clock):
    """A flood of responses costs the oldest homes, and no disk without an end."""
    for number in range(10):
        clock.now += 1
        await stored.keep({session_home_key(ONE, str(number)): "a"})
    assert 6 == await sweep_homes(database, clock.now, most=4)
    found = [await stored.find(session_home_key(ONE, str(number))) for number in range(10)]
    assert [None] * 6 + ["a"] * 4 == found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_no_text_is_no_home(stored, database):
    """SQLite keeps what it is told to; a turn would look for a channel of that name."""
    await stored.keep({session_home_key(ONE, "s"): "a"})
    async with database.write() as connection:
        await connection.execute(text("UPDATE homes SET home = x'fffe'"))
    assert await stored.find(session_home_key(ONE, "s")) is None
