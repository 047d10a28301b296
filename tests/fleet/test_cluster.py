"""A Valkey Cluster: each command goes to the master that has its key, wherever that moves."""

import asyncio

import pytest
from redis.crc import key_slot

from longwire.core.errors import FleetUnavailable, LimitReached
from longwire.core.nouns.access import Budgets, Rates
from longwire.core.rules.homes import session_home_key
from longwire.core.rules.limits import Spent, Subject
from longwire.core.rules.turn import Scope
from longwire.fleet.addresses import connect_to
from longwire.fleet.joined import joined
from longwire.fleet.limits import SharedLimits
from longwire.fleet.nodes import Nodes
from longwire.fleet.valkey import Valkey
from tests.doubles.valkey import a_script, running_cluster, until

pytestmark = pytest.mark.fleet

MOVED = "moved"


@pytest.fixture
async def servers(tmp_path):
    async with running_cluster(tmp_path) as servers:
        yield servers


def url_of(servers):
    return "valkey+cluster://127.0.0.1:1," + ",".join(f"127.0.0.1:{each.port}" for each in servers)


@pytest.fixture
async def valkey(servers):
    client = Valkey(connect_to(url_of(servers)))
    async with client.running():
        yield client


async def test_commands_of_one_batch_go_to_all_masters(valkey):
    """Each is answered in its place, though they went three ways."""
    names = [f"lw:{{key:{each}}}:w" for each in range(300)]
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(valkey.call("SET", name, name))
    async with asyncio.TaskGroup() as group:
        found = [group.create_task(valkey.call("GET", name)) for name in names]
    assert [name.encode() for name in names] == [each.result() for each in found]


async def test_a_script_goes_by_its_first_key(valkey):
    """It is loaded where it is not known yet."""
    one = a_script(b"return redis.call('INCR', KEYS[1])")
    for number in range(20):
        assert 1 == await valkey.run(one, [f"{{{number}}}:n"])


async def test_limits_of_all_subjects_hold_in_a_cluster(valkey):
    """Each subject's keys are on one master, and those of several are looked at together."""
    budgets, rates = Budgets(tokens_per_day=100), Rates(requests_per_minute=9, concurrent_turns=1)
    limits, subjects = (
        SharedLimits(valkey, Nodes("a", valkey)),
        [Subject(f"key:{each}", "", rates, budgets) for each in range(30)],
    )
    permits = [await limits.enter(each, Spent(1)) for each in subjects]
    assert {each.id: 1 for each in subjects} == await limits.waits(subjects)
    for permit in permits:
        limits.leave(permit, Spent(5))
    assert {} == await limits.waits(subjects)


async def moved_to(servers, slot, key):
    """Move one slot with its key from its master to the next one, as an operator does."""
    ids = [await each.ask("CLUSTER", "MYID") for each in servers]
    at = min(slot * len(servers) // 16384, len(servers) - 1)
    here, there = at, (at + 1) % len(servers)
    await servers[there].ask("CLUSTER", "SETSLOT", str(slot), "IMPORTING", ids[here])
    await servers[here].ask("CLUSTER", "SETSLOT", str(slot), "MIGRATING", ids[there])
    port = str(servers[there].port)
    await servers[here].ask("MIGRATE", "127.0.0.1", port, key, "0", "1000")

    async def finish():
        for server in (servers[there], servers[here]):
            await server.ask("CLUSTER", "SETSLOT", str(slot), "NODE", ids[there])

    return finish


async def test_a_key_that_moves_is_found_on_its_way_and_after(valkey, servers):
    """While its slot moves the old master says ASK, afterwards MOVED."""
    await valkey.call("SET", MOVED, "1")
    finish = await moved_to(servers, key_slot(MOVED.encode()), MOVED)
    assert b"1" == await valkey.call("GET", MOVED)
    await finish()
    for _ in range(3):
        assert b"1" == await valkey.call("GET", MOVED)


async def test_a_master_that_is_gone_makes_turns_wait_no_longer(valkey, servers):
    """The cluster is away as one server would be, and found again as it is."""
    await valkey.call("SET", "here", "1")
    await servers[1].kill()

    async def is_away():
        try:
            async with asyncio.TaskGroup() as group:
                for each in range(30):
                    group.create_task(valkey.call("SET", str(each), "1"))
        except* FleetUnavailable:
            pass
        return valkey.is_away

    await until(is_away)
    await servers[1].start()
    await until(lambda: not valkey.is_away)


async def test_tidings_cross_the_cluster(servers):
    """What is told to one server is heard by who listens at another."""
    heard = asyncio.Event()
    a = joined(url_of(servers), "a")
    b = joined(url_of(servers[::-1]), "b")
    b.tidings.hear("cooling", lambda *_: heard.set())
    async with a.running(), b.running():

        def is_heard():
            a.tidings.tell("cooling", {})
            return heard.is_set()

        await until(is_heard)


async def test_all_that_nodes_share_works_in_a_cluster(servers):
    """Each script has the keys of one subject alone, wherever they lie."""
    a, b = joined(url_of(servers), "a"), joined(url_of(servers), "b")
    async with a.running(), b.running():

        async def know_each_other():
            return 4 == len((await a.nodes.presence()).nodes) + len(
                (await b.nodes.presence()).nodes
            )

        await until(know_each_other)
        for number in range(5):
            one = Subject(f"key:{number}", "one", Rates(requests_per_minute=2, concurrent_turns=2))
            for node in (a, b):
                await node.limits.enter(one)
            with pytest.raises(LimitReached):
                await a.limits.enter(one)
            waits = [await node.paces.of(f"route {number}", 1.0).reserve() for node in (a, b)]
            assert [0.0, 1.0] == pytest.approx(waits, abs=0.2)
            key = session_home_key(Scope("s"), str(number))
            a.homes.keep(key, "home", has_moved=False)
            a.tidings.pin("cooling", str(number), {"number": number}, 60)
            a.tidings.claim(str(number), 60)
            await until(lambda key=key: is_home(b, key))
        recalled = []
        b.tidings.hear("cooling", lambda _, facts: recalled.append(facts["number"]))
        await b.tidings.recall("cooling", [str(each) for each in range(6)])
        assert [*range(5)] == recalled[-5:]


async def is_home(node, key):
    return "home" == await node.homes.find(key)
