"""Sessions that move between two nodes, over a real Valkey and real upstream connections."""

from contextlib import suppress

import pytest

from longwire.core.errors import FleetUnavailable
from longwire.core.rules.lease import LeaseOutcome, PoolLimits
from longwire.core.rules.turn import Scope, SessionKey
from longwire.fleet.joined import joined
from longwire.relay.channels.moves import Moves, digest_of
from longwire.upstream.ports import Call
from longwire.upstream.websocket.dialer import Endpoint, dial
from longwire.upstream.websocket.pool import Pool
from tests.doubles.peer import peer
from tests.doubles.valkey import until
from tests.fleet.hearing import hear_each_other
from tests.upstream.conftest import turn_of

LASTS = 1800
SCOPE = Scope("api_key:1")
HISTORY = [{"role": "user", "content": "hello"}]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Node:
    """A pool whose dials are claimed; its channel was started as no other node's was."""

    def __init__(self, fleet, url, start, clock):
        self.pool = Pool(PoolLimits())
        self.fleet = fleet
        self.start = start
        self.url = url
        self.pool.on_dial = Moves(self.pool, fleet.tidings, LASTS, clock).claim

    def key(self, session="s", scope=SCOPE):
        return SessionKey(f"channel@{self.start}", scope, session)

    async def borrow(self, key):
        async def opened(on_closed):
            return await dial(Endpoint(self.url, {}), {}, on_closed)

        return await self.pool.borrow(Call(turn_of(HISTORY), key), opened)

    async def serve(self, key):
        """Have a turn come and go; its connection stays, idle, and its session is claimed."""
        (await self.borrow(key)).settle(LeaseOutcome(keeps_connection=True))
        with suppress(FleetUnavailable):
            await self.fleet.valkey.call("PING")

    @property
    def states(self):
        """The states of all its connections."""
        return sorted(entry.state.value for entry in self.pool.ledger.entries())


@pytest.fixture
async def nodes(valkey_server):
    """Two nodes, and the clock of both."""
    clock = Clock()
    a, b = joined(valkey_server.url, "a"), joined(valkey_server.url, "b")
    async with a.running(), b.running(), peer() as there:
        await hear_each_other(a, b)
        nodes = Node(a, there.url, "1", clock), Node(b, there.url, "2", clock)
        yield *nodes, clock
        for each in nodes:
            each.pool.close()


async def test_the_node_that_a_session_left_closes_its_orphan(nodes, valkey_server):
    """At once where it is idle; another session, and another caller's, stay."""
    a, b, _ = nodes
    await a.serve(a.key())
    await a.serve(a.key("other"))
    await a.serve(a.key(scope=Scope("api_key:2")))
    assert ["idle"] * 3 == a.states
    await b.serve(b.key())
    await until(lambda: a.states == ["idle"] * 2)
    assert ["idle"] == b.states
    at = f"lw:at:{digest_of(a.key())}"
    assert "b" == await valkey_server.ask("GET", at)
    assert LASTS - 60 < int(await valkey_server.ask("TTL", at)) <= LASTS


async def test_a_turn_under_way_is_not_cut(nodes):
    """Its connection goes with the end of the turn."""
    a, b, _ = nodes
    lease = await a.borrow(a.key())
    await a.serve(a.key())
    assert ["idle", "leased"] == a.states
    await b.serve(b.key())
    await until(lambda: a.states == ["leased"])
    lease.settle(LeaseOutcome(keeps_connection=True))
    assert [] == a.states


async def test_a_session_on_two_nodes_is_let_be(nodes):
    """Clients that use one name on two nodes do not have their connections closed in turn."""
    a, b, clock = nodes
    await a.serve(a.key())
    await b.serve(b.key())
    await until(lambda: a.states == [])
    await a.serve(a.key())
    await until(lambda: b.states == [])
    await b.serve(b.key())
    await b.serve(b.key("marks the end"))
    await a.serve(a.key("marks the end"))
    await until(lambda: b.states == ["idle"])
    assert ["idle", "idle"] == a.states
    clock.now = LASTS
    await b.serve(b.key("again"))
    await a.serve(a.key("again"))
    await until(lambda: b.states == ["idle"])


async def test_a_turn_without_a_session_moves_nothing(nodes, valkey_server):
    """What has no name is matched by its history alone, on each node."""
    a, b, _ = nodes
    for node in (a, b):
        await node.serve(node.key(session=""))
        await node.serve(node.key("named"))
    await until(lambda: a.states == ["idle"])
    assert ["idle", "idle"] == b.states
    assert "0" == await valkey_server.ask("EXISTS", f"lw:at:{digest_of(a.key(session=''))}")


async def test_while_valkey_is_away_orphans_age_out(nodes, valkey_server):
    """A dial waits for nobody and fails for nobody."""
    a, b, _ = nodes
    await a.serve(a.key())
    await valkey_server.kill()
    for number in range(5):
        await b.serve(b.key(str(number)))
    assert ["idle"] == a.states
    assert 5 == len(b.states)
