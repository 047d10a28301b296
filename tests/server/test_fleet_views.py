"""What pages show of the whole fleet: sessions, turns as they end, and how channels fare."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from longwire.core.errors import FleetUnavailable, NotFound
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.rules.health import Cooling, Health, Rest
from longwire.core.rules.routing import Route
from longwire.fleet.fleet import alone
from longwire.fleet.joined import joined
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.state import ChannelState
from longwire.relay.records.journal import Feed
from longwire.server import fleet_sessions, fleet_turns
from longwire.server.fleet_health import Fare, FleetHealth, Trust, worst
from longwire.server.fleet_sessions import FleetSessions
from longwire.server.fleet_turns import FleetTurns
from tests.doubles.valkey import running_valkey, until
from tests.server.admin.conftest import Live
from tests.store.turn_rows import row

pytestmark = pytest.mark.fleet


class Parts:
    """What one node shows."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.live = Live()
        self.feed = Feed()
        self.channels = {}
        self.sessions = FleetSessions(self.live, fleet.asking)
        self.turns = FleetTurns(self.feed, fleet.tidings)
        self.health = FleetHealth(
            lambda each: self.channels.get(each, ()),
            lambda: self.channels,
            self.sessions,
            fleet.asking,
        )

    @asynccontextmanager
    async def running(self):
        async with self.fleet.running(), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(each)
                for each in (self.turns.say_who_watches(), self.turns.pass_on())
            ]
            yield
            for task in tasks:
                task.cancel()


@pytest.fixture
async def server():
    async with running_valkey() as server:
        yield server


@pytest.fixture
async def nodes(server):
    """Two nodes that answer each other."""
    a, b = (Parts(joined(server.url, name)) for name in "ab")

    async def know_each_other():
        found = [await each.fleet.asking.ask("sessions", {}) for each in (a, b)]
        return all(1 == len(each.by_node) for each in found)

    async with a.running(), b.running():
        await until(know_each_other)
        yield a, b


async def ids_at(parts):
    rows, missing = await parts.sessions.all({"id"})
    return sorted(each["id"] for each in rows), missing


async def test_sessions_of_all_nodes_are_seen_and_closed_at_each(nodes):
    """Numbers of connections are those of their node: the id tells which."""
    a, b = nodes
    a.live.put(1)
    b.live.put(1, channel="other")
    b.live.put(2)
    assert (["a/1", "b/1", "b/2"], []) == await ids_at(a)
    assert (["a/1", "b/1", "b/2"], []) == await ids_at(b)
    assert "other" == await a.sessions.close("b/1")
    assert "main" == await a.sessions.close("a/1")
    assert ({}, [2]) == (a.live.held, list(b.live.held))
    with pytest.raises(NotFound):
        await a.sessions.close("b/1")
    with pytest.raises(FleetUnavailable, match="'c' does not answer"):
        await a.sessions.close("c/1")

    async def is_told():
        return ["b/2"] == (await ids_at(a))[0]

    await until(is_told)


async def test_of_many_sessions_those_under_way_are_told(nodes, monkeypatch):
    """An answer is bounded, however many connections another node has."""
    monkeypatch.setattr(fleet_sessions, "_MOST", 3)
    a, b = nodes
    for number in range(10):
        b.live.put(number, state="leased" if number in {4, 9} else "idle")
    assert (["b/0", "b/4", "b/9"], []) == await ids_at(a)
    assert 10 == len((await b.sessions.all({"id"}))[0])


async def test_rows_that_lack_a_field_are_left_out(nodes):
    """A node of another version may tell less of a connection."""
    a, b = nodes
    b.live.put(1)
    b.live.put(2, new="of another version")
    rows, _ = await a.sessions.all({"id", "new"})
    assert ["b/2"] == [each["id"] for each in rows]


async def test_a_node_that_is_gone_is_named(nodes, server):
    """What it had is not told, and the page comes all the same."""
    a, b = nodes
    a.live.put(1)
    b.live.put(1)
    server.freeze()

    async def is_missing():
        return (["a/1"], ["b"]) == await ids_at(a)

    await until(is_missing)
    server.thaw()


async def test_turns_of_all_nodes_reach_who_watches(nodes):
    """Each once, whatever node they ended at; nothing is passed on while nobody watches."""
    a, b = nodes
    b.feed.write(row(1))
    with a.feed.subscribe() as watching:
        await until(lambda: b.feed._passed_on)
        b.feed.write(row(2, node="b"))
        assert row(2, node="b") == await anext(watching)
        a.feed.write(row(3))
        assert row(3) == await anext(watching)
        with b.feed.subscribe() as other:
            await until(lambda: a.feed._passed_on)
            a.feed.write(row(4))
            assert [row(4), row(4)] == [await anext(watching), await anext(other)]


async def test_turns_that_come_too_fast_are_left_out(nodes, monkeypatch):
    """Who watches sees the newest, and a hundred at once at most."""
    monkeypatch.setattr(fleet_turns, "_MOST_AT_ONCE", 3)
    a, b = nodes
    with a.feed.subscribe() as watching:
        await until(lambda: b.feed._passed_on)
        for number in range(10):
            b.feed.write(row(number))
        assert [row(7), row(8), row(9)] == [await anext(watching) for _ in range(3)]


async def test_passing_on_ends_with_the_watching(nodes, monkeypatch):
    """Turns then cost nothing again."""
    monkeypatch.setattr(fleet_turns, "_LASTS", 0.2)
    monkeypatch.setattr(fleet_turns, "_SAID_EVERY", 0.1)
    a, b = nodes
    with a.feed.subscribe():
        await until(lambda: b.feed._passed_on)
    await until(lambda: not b.feed._passed_on)


async def test_rows_of_another_version_are_passed_over(nodes):
    """One with other columns spoils none of the others."""
    a, b = nodes
    with a.feed.subscribe() as watching:
        rows = [{"id": 1}, {**row(2)._asdict(), "status": "?"}, {**row(3)._asdict(), "new": 1}]

        def is_heard():
            b.fleet.tidings.tell("turns", {"rows": rows})
            return watching._rows

        await until(is_heard)
        assert row(3) == await anext(watching)


def channel(name="c"):
    state = ChannelState(Health(Cooling(failures=1, base=1e9)), Health(Cooling(base=1e9)))
    spec = ChannelSpec(name, name)
    return Channel(Route(name, ("*",), 1.0), "e", websocket=object(), spec=spec, state=state)


async def test_how_a_channel_fares_at_each_node(nodes):
    """A channel that rests at one node is seen at the other, and all connections are added."""
    a, b = nodes
    a.channels["c"], b.channels["c"] = (channel(),), (channel(),)
    b.channels["c"][0].state.health.fail(1e12, problem="refused")
    a.live.put(1, channel_id="c")
    b.live.put(1, channel_id="c")
    b.live.put(2, channel_id="d")
    fares = await a.health.of("c")
    sound = Fare(Trust.SOUND, Trust.SOUND, 1)
    resting = fares["b"].resting
    assert Rest.FAILURES is resting.why
    failing = Fare(Trust.RESTING, Trust.SOUND, 1, "refused", resting)
    assert {"a": sound, "b": failing} == fares
    assert replace(failing, connections=2) == worst(fares.values())
    assert {"a": Fare(), "b": Fare()} == await a.health.of("unknown")


async def test_who_is_alone_shows_its_own():
    """One gateway without a fleet shows what it has."""
    one = Parts(alone("a"))
    one.live.put(1, channel_id="c")
    one.channels["c"] = (channel(),)
    async with one.running():
        assert (["a/1"], ()) == await ids_at(one)
        assert {"a": Fare(Trust.SOUND, Trust.SOUND, 1)} == await one.health.of("c")
        assert "main" == await one.sessions.close("a/1")
