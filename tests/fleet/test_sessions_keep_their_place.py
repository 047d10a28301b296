"""Sessions of a fleet whose turns come to any node: their account, their scope, their socket."""

import asyncio

import pytest

from bench.strikes import Witness
from longwire.emulator import Emulator, Options
from tests.doubles.fleet import CHANNEL, channels
from tests.doubles.working import Session
from tests.fleet.admission import limited_key
from tests.fleet.scaling import PLACES, all_step, scaled
from tests.fleet.scenes import WARM, working

pytestmark = pytest.mark.timeout(120)


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
                await all_step(sessions, client)
                begun = work.turns[:]
                await first.start()
                await asyncio.sleep(WARM)
                await all_step(sessions, client)
                for node in fleet.nodes[:2]:
                    await fleet.roll([node])
                    await all_step(sessions, client)
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
        result = await scaled(fleet, balancer, emulator)
    before, _, after = result.places
    assert [] == result.work.errors
    assert {"lw-3"} == set(result.moved.values())
    assert len(result.moved) <= 0.30 * PLACES
    assert before == after
    assert set(result.work.fresh().values()) <= {1, 2}
    assert max(result.seconds) < 10.0


async def test_no_turn_waits_long_for_a_handshake_after_a_crash(emulator, fleet_of):
    """Sixty sessions come to what is left of three nodes at once, five handshakes a second allowed.

    None waits more than two seconds for its own where HTTP may serve it.
    """
    paced = channels(emulator.url, transport="auto") + "handshake_rate = 5\n"
    async with fleet_of(paced) as fleet, fleet.behind("haproxy") as balancer:
        work = working(fleet, balancer.url, script={"delay_ms": 0})
        sessions = [Session(f"session-{number}", work) for number in range(60)]
        async with work.client() as client:
            await all_step(sessions, client)
            await fleet.nodes[0].kill()
            before = len(work.turns)
            await all_step(sessions, client)
    after = work.turns[before:]
    assert [] == [turn.error for turn in after if turn.error]
    assert {"http", "websocket"} == {turn.transport for turn in after}
    assert max(turn.seconds for turn in after) < 2.0 + 3.0  # sixty turns on a busy machine
