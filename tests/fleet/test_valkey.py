"""Commands to a real Valkey: answered, posted, and given up in time where it is away."""

import asyncio
import time

import pytest

from longwire.core.errors import FleetUnavailable
from longwire.fleet.addresses import connect_to
from longwire.fleet.valkey import Valkey
from tests.doubles.valkey import until


@pytest.fixture
async def valkey(valkey_server):
    client = Valkey(connect_to(valkey_server.url))
    async with client.running():
        yield client


async def test_commands_are_answered_in_their_order(valkey):
    """Who asks at once gets the answer to its own command."""
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(valkey.call("ECHO", str(each))) for each in range(1000)]
    assert [str(each).encode() for each in range(1000)] == [each.result() for each in asked]


async def test_what_is_posted_arrives(valkey):
    """Nobody waits for it, and it comes in its place."""
    for _ in range(3):
        valkey.post("INCR", "n")
    assert b"3" == await valkey.call("GET", "n")


async def test_who_is_cancelled_spoils_nobody_elses_answer(valkey):
    """A turn that ends while it waits leaves no answer behind for others."""
    for number in range(50):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await valkey.call("ECHO", f"gone {number}")
        assert b"here" == await valkey.call("ECHO", "here")


async def test_a_frozen_server_is_given_up_in_time(valkey, valkey_server):
    """Three wait for the time-out, the next ones not at all; and it is found again."""
    assert b"PONG" == await valkey.call("PING")
    valkey_server.freeze()
    for _ in range(3):
        begun = time.monotonic()
        with pytest.raises(FleetUnavailable):
            await valkey.call("PING")
        assert time.monotonic() - begun < 1
    assert valkey.is_away
    valkey.post("SET", "posted", "meanwhile")
    valkey_server.thaw()
    await until(lambda: not valkey.is_away)
    assert b"meanwhile" == await valkey.call("GET", "posted")


async def test_a_server_that_starts_again_is_found(valkey, valkey_server):
    """A connection that broke is opened anew."""
    await valkey.call("PING")
    await valkey_server.kill()
    with pytest.raises(FleetUnavailable):
        await valkey.call("PING")
    await valkey_server.start()
    await until(lambda: not valkey.is_away)
    assert b"PONG" == await valkey.call("PING")
