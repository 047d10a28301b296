"""Sessions of a fleet whose turns come to any node: their account, their scope, their socket."""

import asyncio
from collections import Counter

import aiohttp
import pytest

from bench.strikes import Witness
from longwire.emulator import Emulator, Options
from tests.doubles.fleet import CHANNEL, channels
from tests.doubles.valkey import until
from tests.doubles.working import Session
from tests.fleet.admission import limited_key
from tests.fleet.scenes import WARM, working

pytestmark = pytest.mark.timeout(120)
MOVED_AT_MOST = 0.30


async def test_sealed_reasoning_finds_its_account_from_any_node(fleet_of):
    """Sessions begin while one of two accounts is away; moved and restarted, none is refused.

    By rule half of them would go to the other account, which cannot read their reasoning.
    """
    async with Emulator(Options()) as first, Emulator(Options()) as second:
        tables = "".join(
            CHANNEL.format(name=name, upstream=each.url, transport="websocket")
            for name, each in {"first": first, "second": second}.items()
        )
        async with fleet_of(tables) as fleet, fleet.behind("haproxy", random=True) as balancer:
            await first.stop()
            work = working(fleet, balancer.url)
            sessions = [Session(f"session-{number}", work) for number in range(20)]
            async with work.client() as client:
                await _all_step(sessions, client)
                begun = work.turns[:]
                await first.start()
                await asyncio.sleep(WARM)
                await _all_step(sessions, client)
                for node in fleet.nodes[:2]:
                    await fleet.roll([node])
                    await _all_step(sessions, client)
    refused = [t.status for each in (first, second) for t in each.turns if "encrypted" in t.status]
    assert [] == [turn.error for turn in begun if turn.error]
    assert [] == work.errors
    assert [] == refused
    assert 20 * 4 == len(work.turns)


async def test_a_session_of_two_keys_is_two_sessions_on_every_node(emulator, fleet_of):
    """Two keys use the same session ids at random nodes: no connection carries both."""
    witness = Witness(emulator)
    async with (
        fleet_of(channels(emulator.url)) as fleet,
        fleet.behind("haproxy", random=True) as balancer,
    ):
        other = await limited_key(fleet, "other")
        ours = working(fleet, balancer.url, owner="ours", pause=0.0)
        theirs = working(fleet, balancer.url, owner="theirs", pause=0.0, key=other)
        async with ours.running(6), theirs.running(6):
            await asyncio.sleep(6.0)
    turns = [*ours.turns, *theirs.turns]
    assert [] == ours.errors + theirs.errors
    assert [] == witness.leaks
    assert 2 == len({own.split()[0] for owners in witness.owners.values() for own in owners})
    assert 100 < len(turns)
    assert 3 == len({turn.node for turn in turns})


async def test_a_node_more_moves_its_share_and_leaves_no_socket(emulator, fleet_of):
    """Three nodes, four, three: at most thirty in a hundred sessions move, their sockets close."""
    async with fleet_of(channels(emulator.url)) as fleet, fleet.behind("haproxy") as balancer:
        three = fleet.nodes[:]
        work = working(fleet, balancer.url)
        sessions = [Session(f"session-{number}", work) for number in range(40)]
        seen = [await _places(balancer.url, 1_000)]
        async with work.client() as client:
            await _all_step(sessions, client)
            for nodes in ([*three, fleet.node("lw-3")], three):
                if len(nodes) > len(three):
                    await nodes[-1].start()
                await balancer.place(nodes)
                await asyncio.sleep(WARM)
                seen.append(await _places(balancer.url, 1_000))
                await _all_step(sessions, client)
                async with asyncio.timeout(10):
                    await until(lambda: emulator.counters.sockets_open <= len(sessions))
    assert [] == work.errors
    before, between, after = seen
    moved = Counter(between[name] for name in before if before[name] != between[name])
    assert {"lw-3"} == set(moved)
    assert 0 < moved.total() <= MOVED_AT_MOST * len(before)
    assert before == after
    assert set(work.fresh().values()) <= {1, 2}


async def _all_step(sessions, client):
    async with asyncio.TaskGroup() as group:
        for each in sessions:
            group.create_task(each.step(client))


async def _places(url: str, count: int) -> dict[str, str]:
    """At which node each of many sessions is, as a request that costs nothing finds it."""
    places = {}
    async with aiohttp.ClientSession() as client:
        for number in range(count):
            headers = {"session-id": f"place-{number}"}
            async with client.get(f"{url}/health", headers=headers) as answer:
                places[f"place-{number}"] = answer.headers["x-served-by"]
    return places


async def test_no_turn_waits_long_for_a_handshake_after_a_crash(emulator, fleet_of):
    """Sixty sessions come to what is left of three nodes at once, five handshakes a second allowed.

    None waits more than two seconds for its own where HTTP may serve it.
    """
    paced = channels(emulator.url, transport="auto") + "handshake_rate = 5\n"
    async with fleet_of(paced) as fleet, fleet.behind("haproxy") as balancer:
        work = working(fleet, balancer.url, script={"delay_ms": 0})
        sessions = [Session(f"session-{number}", work) for number in range(60)]
        async with work.client() as client:
            await _all_step(sessions, client)
            await fleet.nodes[0].kill()
            before = len(work.turns)
            await _all_step(sessions, client)
    after = work.turns[before:]
    assert [] == [turn.error for turn in after if turn.error]
    assert {"http", "websocket"} == {turn.transport for turn in after}
    assert max(turn.seconds for turn in after) < 2.0 + 3.0  # sixty turns on a busy machine
