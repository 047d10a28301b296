"""The pace of dials that nodes share over a real Valkey."""

import asyncio

import pytest

from longwire.fleet.addresses import connect_to
from longwire.fleet.paces import SharedPaces
from longwire.fleet.valkey import Valkey


@pytest.fixture
async def paces(valkey_server):
    """The paces of three nodes."""
    async with asyncio.TaskGroup() as group:
        nodes = [Valkey(connect_to(valkey_server.url)) for _ in range(3)]
        ends = asyncio.Event()
        ready = [asyncio.Event() for _ in nodes]

        async def run(node, is_ready):
            async with node.running():
                is_ready.set()
                await ends.wait()

        for node, is_ready in zip(nodes, ready, strict=True):
            group.create_task(run(node, is_ready))
        for each in ready:
            await each.wait()
        yield [SharedPaces(node, lambda: 3) for node in nodes]
        ends.set()


async def reserved(pacers, count, longest=60.0):
    """Have places reserved by all in turn, as fast as they can."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(pacers[number % len(pacers)].reserve(longest))
            for number in range(count)
        ]
    return sorted(task.result() for task in tasks)


async def test_all_nodes_together_keep_one_pace(paces):
    """Burst and rate are those of the route, however many nodes dial it."""
    waits = await reserved([each.of("route", rate=2.0, burst=3) for each in paces], 12)
    assert [0, 0, 0, *(each / 2 for each in range(1, 10))] == pytest.approx(waits, abs=0.3)


async def test_routes_have_paces_of_their_own(paces):
    """One that is crowded delays no other."""
    await reserved([paces[0].of("crowded", 1.0)], 5)
    assert 0.0 == await paces[1].of("other", 1.0).reserve()


async def test_sixty_sessions_after_a_crash(paces):
    """None is let wait longer than it wants, and who goes another way takes no place."""
    pacers = [each.of("route", rate=5.0) for each in paces]
    waits = await reserved(pacers, 60, longest=2.0)
    taken = [each for each in waits if each <= 2.0]
    assert len(taken) in (11, 12)
    assert waits[-1] < 2.5


async def test_a_pace_lasts_as_long_as_it_is_ahead(paces, valkey_server):
    """A route that rests leaves nothing behind, and the burst is earned anew."""
    pacer = paces[0].of("route", rate=10.0, burst=2)
    assert [0.0, 0.0] == [await pacer.reserve() for _ in range(2)]
    assert 0 < int(await valkey_server.ask("PTTL", "lw:pace:{route}")) <= 200
    await asyncio.sleep(0.25)
    assert "0" == await valkey_server.ask("EXISTS", "lw:pace:{route}")
    assert [0.0, 0.0] == [await pacer.reserve() for _ in range(2)]


async def test_while_valkey_is_away_each_node_keeps_to_its_share(paces, valkey_server):
    """Three nodes by themselves are together as fast as the route allows."""
    await valkey_server.kill()
    pacers = [each.of("route", rate=3.0, burst=3) for each in paces]
    waits = await reserved(pacers, 9)
    assert [0, 0, 0, 1, 1, 1, 2, 2, 2] == pytest.approx(waits, abs=0.3)
