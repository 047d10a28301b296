"""Commands to a real Valkey: answered, posted, and given up in time where it is away."""

import asyncio
import time
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from longwire.core.errors import FleetUnavailable
from longwire.fleet import valkey as module
from longwire.fleet.addresses import connect_to
from longwire.fleet.valkey import Valkey
from tests.doubles.valkey import a_script, until


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


async def test_what_is_not_kept_is_dropped_while_it_is_away(valkey, valkey_server):
    """Posted before its absence was noticed, or since: it would undo what is newer."""
    await valkey_server.kill()
    valkey.post("SET", "hint", "in flight", is_kept=False)
    for _ in range(3):
        with pytest.raises(FleetUnavailable):
            await valkey.call("PING")
    assert valkey.is_away
    valkey.post("SET", "hint", "while away", is_kept=False)
    valkey.post("SET", "kept", "while away")
    await valkey_server.start()
    await until(lambda: not valkey.is_away)
    assert [None, b"while away"] == await valkey.call("MGET", "hint", "kept")


async def test_a_server_that_starts_again_is_found(valkey, valkey_server):
    """A connection that broke is opened anew."""
    await valkey.call("PING")
    await valkey_server.kill()
    with pytest.raises(FleetUnavailable):
        await valkey.call("PING")
    await valkey_server.start()
    await until(lambda: not valkey.is_away)
    assert b"PONG" == await valkey.call("PING")


async def test_a_stranger_is_logged_with_the_mend(valkey_server):
    """Who is refused hears why and what to do, once, and that it is over."""
    await valkey_server.ask("CONFIG", "SET", "requirepass", "right")
    client = Valkey(connect_to(f"valkey://:wrong@127.0.0.1:{valkey_server.port}"))
    with capture_logs() as logged:
        async with client.running():
            assert client.is_away
            await asyncio.sleep(0.6)
    assert [("valkey_away", "WRONGPASS")] == [(each["event"], each["code"]) for each in logged]
    assert "correct the user and password in fleet.url" == logged[0]["mend"]
    assert "wrong" not in logged[0]["reason"].replace("WRONGPASS", "")


REFUSING = {
    "OOM": ("CONFIG", "SET", "maxmemory", "1"),
    "NOREPLICAS": ("CONFIG", "SET", "min-replicas-to-write", "1"),
    "READONLY": ("REPLICAOF", "127.0.0.1", "1"),
}


@pytest.mark.parametrize("code", REFUSING)
async def test_a_server_that_takes_no_writes_is_away(valkey, valkey_server, code):
    """Turns count by themselves, though it answers; one line says why, and one when it is over."""
    with capture_logs() as logged:
        await valkey_server.ask(*REFUSING[code])
        for _ in range(3):
            with pytest.raises(FleetUnavailable):
                await valkey.call("SET", "a", "1")
        assert valkey.is_away
        await asyncio.sleep(1)
        assert valkey.is_away
        for words in (("maxmemory", "0"), ("min-replicas-to-write", "0")):
            await valkey_server.ask("CONFIG", "SET", *words)
        await valkey_server.ask("REPLICAOF", "NO", "ONE")
        await until(lambda: not valkey.is_away)
    said = [(each["event"], each.get("code")) for each in logged]
    assert [("valkey_away", code), ("valkey_back", None)] == said


async def test_a_command_that_is_not_permitted_says_nothing_of_others(valkey_server):
    """It fails by itself, and is logged once with its mend."""
    await valkey_server.ask("ACL", "SETUSER", "few", "on", ">p", "~*", "+@all", "-echo")
    client = Valkey(connect_to(f"valkey://few:p@127.0.0.1:{valkey_server.port}"))
    with capture_logs() as logged:
        async with client.running():
            for _ in range(5):
                with pytest.raises(FleetUnavailable, match="permissions"):
                    await client.call("ECHO", "a")
            assert b"PONG" == await client.call("PING")
    assert [("valkey_refused", "NOPERM")] == [(each["event"], each["code"]) for each in logged]


async def test_while_it_is_away_no_turn_waits_for_a_probe(valkey, valkey_server):
    """One task probes, however many turns would like to know."""
    valkey_server.freeze()
    for _ in range(3):
        with pytest.raises(FleetUnavailable):
            await valkey.call("PING")
    waited = 0.0
    for _ in range(100):
        await asyncio.sleep(0.02)
        begun = time.process_time()
        with pytest.raises(FleetUnavailable):
            await valkey.call("PING")
        waited = max(waited, time.process_time() - begun)
    assert waited < 0.02
    valkey_server.thaw()
    await until(lambda: not valkey.is_away)


async def test_scripts_are_loaded_anew_by_a_server_that_forgot_them(valkey, valkey_server):
    """Asked or posted, each runs once."""
    count = a_script(b"return redis.call('INCR', KEYS[1])")
    for expected in (1, 2):
        assert expected == await valkey.run(count, ["n"])
    await valkey_server.ask("SCRIPT", "FLUSH")
    valkey.post_run(count, ["n"])
    assert 4 == await valkey.run(count, ["n"])


async def test_what_is_posted_is_bounded(valkey_server, monkeypatch):
    """A Valkey that is away for long costs no memory without end."""
    monkeypatch.setattr(module, "_MOST_POSTED", 10)
    client = Valkey(connect_to(valkey_server.url))
    for number in range(100):
        client.post("RPUSH", "posted", number)
    assert "<Valkey <Breaker failures=0 is_open=False> waiting=10>" == repr(client)
    async with client.running():
        assert [b"%d" % each for each in range(10)] == await client.call("LRANGE", "posted", 0, -1)


async def test_half_an_answer_spoils_no_other_one():
    """A connection that stopped in the middle of an answer is not read on."""
    connections = []

    async def serve(reader, writer):
        connections.append(writer)
        has_half = len(connections) == 2
        while words := await reader.read(4096):
            writer.write(b"$5\r\nha" if has_half else b"+OK\r\n" * words.count(b"*"))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = Valkey(connect_to(f"valkey://127.0.0.1:{port}?db=0"))
        async with client.running():
            connections[0].close()
            with pytest.raises(FleetUnavailable):
                await client.call("PING")
            with pytest.raises(FleetUnavailable):
                await client.call("PING")
            assert b"OK" == await client.call("PING")
        for each in connections:
            each.close()
            with suppress(OSError):
                await each.wait_closed()


async def test_a_server_that_is_too_slow_stays_away(valkey_server):
    """It is not found anew by each probe, and sent again all that was posted."""

    async def pass_on_late(reader, writer):
        while data := await reader.read(65536):
            await asyncio.sleep(0.1)
            writer.write(data)
        writer.close()

    async def serve(reader, writer):
        inside = await asyncio.open_connection("127.0.0.1", valkey_server.port)
        async with asyncio.TaskGroup() as group:
            group.create_task(pass_on_late(reader, inside[1]))
            group.create_task(pass_on_late(inside[0], writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = Valkey(connect_to(f"valkey://127.0.0.1:{port}"))
        with capture_logs() as logged:
            async with client.running():
                client.post("INCR", "n")
                for _ in range(30):
                    await asyncio.sleep(0.1)
                    assert client.is_away
    assert ["valkey_away"] == [each["event"] for each in logged]
    assert "0" == await valkey_server.ask("EXISTS", "n")


async def test_who_asks_when_it_ends_is_not_left_waiting(valkey_server):
    """Nobody waits for an answer that no task will bring."""
    client = Valkey(connect_to(valkey_server.url))
    async with client.running():
        client.post("SET", "last", "words")
    with pytest.raises(FleetUnavailable):
        await client.call("PING")
    assert "words" == await valkey_server.ask("GET", "last")


async def test_a_loop_that_was_held_up_takes_the_answers_that_have_come(valkey):
    """It was not Valkey that was late."""
    for _ in range(5):
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(valkey.call("ECHO", "here"))
            for _ in range(3):
                await asyncio.sleep(0)
            time.sleep(2 * module.TIMEOUT)  # noqa: ASYNC251 - as a long turn does
        assert b"here" == answer.result()


async def test_two_links_to_one_server_say_once_that_it_is_away(valkey_server):
    """And once that it is back."""
    one = Valkey(connect_to(valkey_server.url))
    other = Valkey(connect_to(valkey_server.url), complaints=one.complaints)
    with capture_logs() as logged:
        async with one.running(), other.running():
            await valkey_server.kill()
            for link in (one, other):
                for _ in range(3):
                    with pytest.raises(FleetUnavailable):
                        await link.call("PING")
            await valkey_server.start()
            await until(lambda: not (one.is_away or other.is_away))
    assert ["valkey_away", "valkey_back"] == [each["event"] for each in logged]
