"""The pool before a real upstream: whom it dials for, and whom it lends to."""

import asyncio
from contextlib import suppress

import pytest

from longwire.core.errors import UpstreamError, UpstreamUnavailable
from longwire.core.rules.continuity import AsGiven, Continue, Reason
from longwire.core.rules.lease import LeaseOutcome, PoolLimits, State
from longwire.emulator import Fault
from longwire.upstream.websocket.dialer import Endpoint, dial
from longwire.upstream.websocket.pool import Pool
from tests.doubles.lending import lent
from tests.doubles.peer import peer
from tests.upstream.websocket.pool_steps import NO_SWEEP, holding, key
from tests.upstream.websocket.turn_steps import CONTINUED, fresh


class TestDialing:
    @pytest.mark.parametrize("act", ["refuse", "reset"])
    async def test_failure_frees_the_place(self, gateway, until, act):
        """A dial that fails lets a waiting turn dial in its place."""
        async with gateway(limits=PoolLimits(connections=1), times=NO_SWEEP) as it:
            it.emulator.faults.add(Fault(at="handshake", act=act, status=503))
            async with asyncio.TaskGroup() as group:

                async def failing():
                    with pytest.raises(UpstreamError):
                        await it.agent(session="a").take()

                group.create_task(failing())
                waiting = group.create_task(it.agent(session="b").take())
            assert waiting.result().continuity == fresh("new_session")
            await it.settled()

    async def test_one_dial_for_each_turn(self, gateway):
        """First turns of a session dial once each, and no more than the cap."""
        async with gateway(limits=PoolLimits(connections_per_session=3)) as it:
            async with asyncio.TaskGroup() as group:
                for _ in range(10):
                    group.create_task(it.agent().take())
            assert it.emulator.counters.sockets_opened == 3
            await it.settled()

    async def test_closed_right_after_the_handshake(self, gateway):
        """A connection that is closed before it was ever used leaves nothing behind."""
        async with peer() as there:
            pool = Pool(PoolLimits())

            async def dialing(on_closed):
                connection = await dial(Endpoint(there.url, {}), {}, on_closed)
                connection.abort("gone")
                raise UpstreamUnavailable("Gone.")

            async with gateway() as it:
                with pytest.raises(UpstreamUnavailable):
                    async with lent(pool, it.agent().call(), dialing):
                        pass
            assert repr(pool.ledger) == "<Ledger dialing=0 leased=0 idle=0 sessions=0 cap=128>"


class TestAnew:
    """A turn that is sent again says why, and begins on a connection of its own."""

    async def test_new_connection(self, gateway):
        """It travels in full on a new socket, though one that holds its history is idle."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            assert (await agent.take(reason=Reason.REPLAYED)).continuity == fresh("replayed")
            assert it.emulator.counters.sockets_opened == 2
            assert (await agent.take()).continuity == CONTINUED
            assert it.emulator.violations == []
            await it.settled()

    async def test_full_session(self, gateway):
        """In a session at its cap the least recently used connection makes room."""
        async with gateway(limits=PoolLimits(connections_per_session=1)) as it:
            agent = it.agent()
            await agent.take()
            assert (await agent.take(reason=Reason.REPLAYED)).continuity == fresh("replayed")
            assert it.pool.ledger.live == 1
            assert it.pool.ledger.departures == {("main", Reason.CONNECTION_EVICTED): 1}
            await it.settled()

    async def test_busy_session(self, gateway, until):
        """In a session whose connections are all busy it waits for the first, to replace it."""
        limits = PoolLimits(connections_per_session=1)
        async with gateway(limits=limits, times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None) as lease:
                    waiting = group.create_task(agent.take(reason=Reason.REPLAYED))
                    await until(lambda: it.waiting)
                    lease.cancel()
            assert waiting.result().continuity == fresh("replayed")
            assert it.emulator.counters.sockets_opened == 2
            await it.settled()

    async def test_nobodys_turn(self, gateway):
        """A turn that shares nothing tells its reason too."""
        async with gateway() as it:
            agent = it.agent(session=None)
            assert (await agent.take(reason=Reason.REPLAYED)).continuity == fresh("replayed")

    async def test_own_id(self, gateway):
        """A client's own id still goes out as given."""
        async with gateway() as it:
            agent = it.agent()
            with suppress(UpstreamError):
                await agent.take(
                    [{"role": "user", "content": "more"}],
                    reason=Reason.REPLAYED,
                    previous_response_id="resp_x",
                )
            (entry,) = it.pool.ledger.entries()
            assert isinstance(entry.decision, AsGiven)


class TestBook:
    """What the ledger tells of connections, for the operator."""

    @pytest.mark.looptime
    async def test_entry(self, gateway):
        """An entry tells when it was opened, how often it continued, and what that spared."""
        async with gateway() as it:
            agent = it.agent()
            born = asyncio.get_running_loop().time()
            spared = []
            for _ in range(4):
                size = agent.turn().source.body_size
                spared.append(size - (await agent.take()).delivery.bytes_sent)
                await asyncio.sleep(100)
            (entry,) = it.pool.ledger.entries()
            assert entry.born == pytest.approx(born, abs=1)
            assert (entry.exchanges, entry.continued) == (4, 3)
            assert isinstance(entry.decision, Continue)
            assert entry.bytes_saved == sum(spared)

    async def test_departures(self, gateway, until):
        """Ended connections are counted by endpoint and cause."""
        async with gateway(limits=PoolLimits(connections=2)) as it:
            for name in "abc":
                await it.agent(session=name).take()
            other = it.agent(session="d")
            other.key = key("d", endpoint="other")
            await other.take()
            it.emulator.drop_connections()
            await until(lambda: not it.pool.ledger.live)
            assert it.pool.ledger.departures == {
                ("main", Reason.CONNECTION_EVICTED): 2,
                ("main", Reason.CONNECTION_LOST): 1,
                ("other", Reason.CONNECTION_LOST): 1,
            }

    async def test_holds(self, gateway):
        """A session that has a connection holds its turns; another, or an unknown id, does not."""
        async with gateway() as it:
            agent, stranger = it.agent(), it.agent(session="t")
            assert not it.pool.ledger.holds(agent.key, agent.turn())
            answer = await agent.take()
            assert it.pool.ledger.holds(agent.key, agent.turn())
            assert not it.pool.ledger.holds(stranger.key, agent.turn())
            for response_id, is_held in ((answer.response["id"], True), ("resp_x", False)):
                named = agent.turn_of("more", previous_response_id=response_id)
                assert it.pool.ledger.holds(agent.key, named) == is_held

    async def test_settled_once(self, gateway):
        """A lease is leased until it is settled, and only the first settlement counts."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            lease = await it.pool.borrow(agent.call(), None)
            assert [State.LEASED] == [entry.state for entry in it.pool.ledger.entries()]
            lease.settle(LeaseOutcome(keeps_connection=True))
            assert [State.IDLE] == [entry.state for entry in it.pool.ledger.entries()]
            lease.settle(LeaseOutcome(keeps_connection=False))
            await it.settled()
            assert it.pool.ledger.live == 1


class TestWalls:
    async def test_keys_never_share(self, gateway):
        """No connection ever carries two endpoints, scopes, sessions or identities."""
        keys = [
            key(),
            key(session="t"),
            key(session=""),
            key(scope="user:1"),
            key(endpoint="other"),
            key(identity="org"),
            None,
        ]
        async with gateway() as it:
            carried = {}
            for _ in range(3):
                for each in keys:
                    agent = it.agent()
                    agent.key = each
                    answer = await agent.take()
                    connection = agent.seen(answer.response["id"]).connection
                    carried.setdefault(connection, []).append(each)
            assert all(len(set(each)) == 1 for each in carried.values())
            assert [each for each in carried.values() if None in each] == [[None]] * 3
            await it.settled()

    async def test_evicts_before_it_dials(self, gateway):
        """At the cap the least recently used idle connection goes before a new one is opened."""
        async with gateway(limits=PoolLimits(connections=2)) as it:
            first, second, third = (it.agent(session=name) for name in "abc")
            for agent in (first, second, first):
                await agent.take()
            at_dial = []

            async def dialing(on_closed):
                at_dial.append((it.pool.ledger.live, len(it.pool._connections)))
                return await dial(it.endpoint, {}, on_closed)

            async with lent(it.pool, third.call(), dialing) as lease:
                lease.settle(LeaseOutcome(keeps_connection=True))
            assert at_dial == [(2, 1)]
            assert (await first.take()).continuity == CONTINUED
            assert (await second.take()).continuity == fresh("connection_evicted")
            await it.settled()

    async def test_all_busy(self, gateway, until):
        """At the cap with all busy a turn of another session waits for the first to end."""
        async with gateway(limits=PoolLimits(connections=2)) as it:
            release, held = asyncio.Event(), []
            async with asyncio.TaskGroup() as group:
                for name in "ab":
                    group.create_task(holding(it, it.agent(session=name), release, held))
                await until(lambda: len(held) == 2)
                waiting = group.create_task(it.agent(session="c").take())
                await until(lambda: it.waiting)
                release.set()
            assert waiting.result().continuity == fresh("new_session")
            await it.settled()
