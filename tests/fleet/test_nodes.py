"""Nodes that share a Valkey know, and hear, each other."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from longwire.fleet import nodes as module
from longwire.fleet.fleet import alone
from longwire.fleet.joined import joined
from longwire.fleet.local import LocalLimits
from tests.doubles.valkey import until


def know(*fleets):
    """Whether each knows them all."""

    async def do():
        seen = [{node.epoch for node in (await each.nodes.presence()).nodes} for each in fleets]
        return all(seen[0] == each and len(each) == len(fleets) for each in seen)

    return do


async def heard(fleet, number):
    """Whether a node hears of so many."""
    return number == len((await fleet.nodes.presence()).nodes)


async def announced_by(dead, living):
    """Announce a node as if it were killed after that."""
    dead.nodes._valkey = living.valkey
    await dead.nodes.announce()


@pytest.fixture
async def nodes(valkey_server):
    a, b = joined(valkey_server.url, "a"), joined(valkey_server.url, "b")
    async with a.running(), b.running():
        await until(know(a, b))
        yield a, b


async def test_each_knows_the_other(nodes):
    """All are there by their names, as they are now."""
    a, _ = nodes
    a.nodes.stage, a.nodes.figures = lambda: "ready", lambda: {"sessions": 3}
    own, other = (await a.nodes.presence()).nodes
    assert ("a", "ready", {"sessions": 3}) == (own.name, own.stage, own.figures)
    assert ("b", "starting") == (other.name, other.stage)
    assert 0 <= other.age < module.BEAT + 1


async def test_a_stage_is_announced_at_once(nodes):
    """Nobody waits for the next heartbeat to learn that a node leaves."""
    a, b = nodes
    b.nodes.stage = lambda: "leaving"
    b.nodes.announce_soon()

    async def is_known():
        return "leaving" == (await a.nodes.presence()).nodes[1].stage

    async with asyncio.timeout(module.BEAT / 2):
        await until(is_known)


async def test_they_are_counted(nodes):
    """What a node counts by itself while it is cut off, it counts as one of so many."""
    a, b = nodes
    for each in nodes:
        await each.nodes.announce()
    assert (2, 2) == (a.nodes.count, b.nodes.count)
    assert 1 == alone().nodes.count


async def test_who_leaves_is_gone_and_who_dies_is_silent(valkey_server, monkeypatch):
    """A node that ends says so; one that is not heard any more is named."""
    monkeypatch.setattr(module, "_LASTS", 1)
    monkeypatch.setattr(module, "BEAT", 0.1)
    a, gone, dead = (joined(valkey_server.url, name) for name in ("a", "gone", "dead"))
    async with a.running():
        async with gone.running():
            await announced_by(dead, a)
            await until(lambda: heard(a, 3))

        async def is_told():
            presence = await a.nodes.presence()
            return ["a"] == [each.name for each in presence.nodes] and presence.silent

        await until(is_told)
        assert {"dead"} == set((await a.nodes.presence()).silent)


async def test_a_name_that_is_taken_is_noticed_by_both(valkey_server, monkeypatch):
    """Two processes of one name are both there, and each warns, once."""
    monkeypatch.setattr(module, "BEAT", 0.05)
    one, two = joined(valkey_server.url, "a"), joined(valkey_server.url, "a")
    with capture_logs() as lines:
        async with one.running(), two.running():
            await until(know(one, two))
            assert {"a"} == (await one.nodes.presence()).taken_names
            await until(lambda: 2 <= len(lines))
            for _ in range(3):
                await one.nodes.announce()
                await two.nodes.announce()
    taken = [line for line in lines if "node_name_taken" == line["event"]]
    epochs = [[two.nodes.own.epoch], [one.nodes.own.epoch]]
    assert sorted(epochs) == sorted(line["epochs"] for line in taken)


async def test_a_node_that_starts_again_takes_nobodys_name(valkey_server):
    """What a process that was killed had announced is neither a node nor a twin."""
    with capture_logs() as lines:
        dead, again = joined(valkey_server.url, "a"), joined(valkey_server.url, "a")
        async with again.valkey.running():
            await announced_by(dead, again)
            for _ in range(2):
                await again.nodes.announce()
            presence = await again.nodes.presence()
    assert [] == [line for line in lines if "node_name_taken" == line["event"]]
    assert [again.nodes.own.epoch] == [node.epoch for node in presence.nodes]


async def test_what_another_hand_wrote_is_passed_over(nodes):
    """A name, a life or an announcement that cannot be read takes no node down, and no page."""
    a, _ = nodes
    for name in (b"\xff\xfe", "c", "a"):
        await a.valkey.call("ZADD", "lw:nodes", round(time.time() * 1000), name)
    for key in ("lw:node:c", "lw:node:a"):
        await a.valkey.call("HSET", key, b"\xff", "garbage", "two", "1 x {}", "three", b"1 1 \xff")
    for each in nodes:
        assert await each.nodes.announce()
    assert {"a", "b"} == {node.name for node in (await a.nodes.presence()).nodes}


async def test_only_who_is_known_not_to_be_there_has_gone(nodes, valkey_server):
    """Who cannot ask knows nothing, from the first question on that is not answered."""
    a, _ = nodes
    assert [False, False, True] == [await a.nodes.has_gone(each) for each in ("a", "b", "c")]
    valkey_server.freeze()
    assert not await a.nodes.has_gone("c")
    valkey_server.thaw()


async def test_who_was_there_is_told_while_valkey_is_away(nodes, valkey_server):
    """Their ages grow, and this one says that it counts by itself."""
    a, _ = nodes
    valkey_server.freeze()
    while not a.nodes.is_cut_off:
        own, other = (await a.nodes.presence()).nodes
    own, other = (await a.nodes.presence()).nodes
    assert ("a", "b") == (own.name, other.name)
    assert {"process"} == set(own.counts.values())
    valkey_server.thaw()


async def test_what_one_tells_the_other_hears(nodes):
    """And who tells it does not."""
    heard = asyncio.Queue()
    a, b = nodes
    a.tidings.hear("cooling", lambda node, facts: heard.put_nowait(("a", node, facts)))
    b.tidings.hear("cooling", lambda node, facts: heard.put_nowait(("b", node, facts)))

    def is_heard():
        a.tidings.tell("cooling", {"route": "x"})
        return not heard.empty()

    await until(is_heard)
    assert ("b", "a", {"route": "x"}) == heard.get_nowait()


def test_what_is_shared_says_so():
    """A node tells where its limits count, as they do: by itself until it has reached Valkey."""
    fleet = joined("valkey://localhost:1/0", "a")
    assert not isinstance(fleet.limits, LocalLimits)
    assert {"process"} == {*fleet.nodes.now().counts.values()}
