"""Connections that expire, retire or are drained."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

from longwire.core.errors import UpstreamError, UpstreamUnavailable
from longwire.core.rules.continuity import Reason
from longwire.core.rules.lease import LeaseOutcome, PoolLimits, State
from longwire.emulator import Fault, Options, Script
from longwire.upstream.ports import Call
from longwire.upstream.websocket.dialer import Endpoint, dial
from longwire.upstream.websocket.pool import Pool, PoolTimes
from tests.doubles.lending import lent
from tests.doubles.peer import peer
from tests.upstream.websocket.pool_steps import key
from tests.upstream.websocket.turn_steps import CONTINUED, fresh


class TestTime:
    @pytest.mark.looptime
    @pytest.mark.parametrize(("jitter", "life"), [(0.0, 3000), (0.5, 2925), (1.0, 2850)])
    async def test_lifetime(self, gateway, jitter, life):
        """A connection is closed at the end of its life, up to five percent early."""
        times, limits = PoolTimes(max_lifetime=3000), PoolLimits(idle_ttl=9000)
        async with gateway(times=times, limits=limits, jitter=lambda: jitter) as it:
            agent = it.agent()
            await agent.take()
            await asyncio.sleep(life - 20)
            assert (await agent.take()).continuity == CONTINUED
            await asyncio.sleep(30)
            assert it.pool.ledger.live == 0
            assert (await agent.take()).continuity == fresh("connection_expired")

    @pytest.mark.looptime
    async def test_idle_ttl(self, gateway):
        """A connection that was idle too long is closed, one in use is not."""
        async with gateway(
            limits=PoolLimits(idle_ttl=600), times=PoolTimes(max_lifetime=9000)
        ) as it:
            agent = it.agent()
            for _ in range(3):
                await agent.take()
                await asyncio.sleep(590)
            assert it.emulator.counters.sockets_opened == 1
            await asyncio.sleep(20)
            assert it.pool.ledger.live == 0
            await it.settled()

    @pytest.mark.looptime
    async def test_expired_is_never_lent(self, gateway):
        """A connection past its time is not lent even before the sweep has come."""
        times = PoolTimes(max_lifetime=100, sweep_interval=1e6)
        async with gateway(times=times) as it:
            agent = it.agent()
            await agent.take()
            await asyncio.sleep(101)
            assert it.pool.ledger.live == 1
            assert (await agent.take()).continuity == fresh("connection_expired")
            assert it.pool.ledger.live == 1
            await it.settled()

    @pytest.mark.looptime
    async def test_expires_in_use(self, gateway):
        """A turn that outlives its connection's life ends in peace, and the connection with it."""
        times = PoolTimes(max_lifetime=100)
        async with gateway(times=times, script=Script(delay_ms=20_000)) as it:
            agent = it.agent()
            await agent.take()
            assert it.pool.ledger.live == 0
            it.emulator.script = Script()
            assert (await agent.take()).continuity == fresh("connection_expired")

    @pytest.mark.looptime
    async def test_idle_for_an_hour(self, gateway):
        """Pings keep an idle connection for as long as it may live."""
        options = Options(lifetime=1e9)
        limits, times = PoolLimits(idle_ttl=1e6), PoolTimes(max_lifetime=1e6)
        async with gateway(options, limits=limits, times=times) as it:
            agent = it.agent()
            await agent.take()
            await asyncio.sleep(3600)
            assert (await agent.take()).continuity == CONTINUED


class TestEnds:
    async def test_drain(self, gateway, until):
        """Draining closes idle connections now and leased ones at their turn's end, with 1001."""
        async with peer() as there, gateway() as it:
            pool, turn = Pool(PoolLimits()), it.agent().turn()

            def dialing(on_closed):
                return dial(Endpoint(there.url, {}), {}, on_closed)

            async with lent(pool, Call(turn, key("idle")), dialing) as lease:
                lease.settle(LeaseOutcome(keeps_connection=True))
            idle = await there.links.get()
            async with lent(pool, Call(turn, key("busy")), dialing) as lease:
                busy = await there.links.get()
                pool.drain()
                assert await idle.close_code() == 1001
                assert not lease.connection.is_closed
                lease.settle(LeaseOutcome(keeps_connection=True))
            assert await busy.close_code() in (1000, 1001)
            assert pool.ledger.live == 0
            idle.hang_up()
            busy.hang_up()
            assert await there.is_left()

    async def test_drained_pool_serves_on(self, gateway):
        """A turn after a drain gets a new connection, and is told why."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            it.pool.drain()
            assert (await agent.take()).continuity == fresh("connection_evicted")
            assert (await agent.take()).continuity == CONTINUED
            await it.settled()

    async def test_retired_with_its_lease(self, gateway, until):
        """A connection that retires in use is closed after its turn, which is remembered."""
        async with gateway(script=Script(delay_ms=0.2)) as it:
            agent = it.agent()
            async with asyncio.TaskGroup() as group:
                turn = group.create_task(agent.take())
                await until(lambda: it.emulator.counters.creates)
                it.pool.drain()
            assert turn.result().response["status"] == "completed"
            assert it.pool.ledger.live == 0
            assert (await agent.take()).continuity == fresh("connection_evicted")

    async def test_close(self, gateway, until):
        """Closing the pool ends everything, leased or idle, and fails the turns."""
        async with gateway() as it:
            await it.agent(session="idle").take()
            it.emulator.faults.add(Fault(at="mid_delta", act="hang"))
            async with asyncio.TaskGroup() as group:

                async def failing():
                    with suppress(UpstreamError):
                        await it.agent(session="busy").take()

                busy = group.create_task(failing())
                await until(lambda: it.emulator.faults.struck)
                it.pool.close()
                await busy
            assert it.pool.ledger.live == 0
            await it.settled()

    async def test_lost_while_idle(self, gateway, until):
        """An idle connection that the network takes away is dropped quietly, never lent."""
        async with gateway() as it:
            agents = [it.agent(session=name) for name in "abc"]
            for agent in agents:
                await agent.take()
            it.emulator.drop_connections()
            await until(lambda: not it.pool.ledger.live)
            for agent in agents:
                assert (await agent.take()).continuity == fresh("connection_lost")
                assert (await agent.take()).continuity == CONTINUED
            await it.settled()

    async def test_restarted_upstream(self, gateway, until):
        """While the upstream is away turns fail, and work again when it is back."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            await it.emulator.stop()
            await until(lambda: not it.pool.ledger.live)
            with pytest.raises(UpstreamUnavailable):
                await agent.take()
            await it.emulator.start()
            assert (await agent.take()).continuity[0] == "fresh"
            await it.settled()

    async def test_lost_while_leased(self, gateway, until):
        """A connection that is lost in use leaves the ledger at once, and its lease harmlessly."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            async with lent(it.pool, agent.call(), None) as lease:
                assert [State.LEASED] == [entry.state for entry in it.pool.ledger.entries()]
                it.emulator.drop_connections()
                await until(lambda: lease.connection.is_closed)
                assert it.pool.ledger.live == 0
                lease.settle(LeaseOutcome(keeps_connection=True, cause=Reason.TURN_FAILED))
                lease.settle(LeaseOutcome(keeps_connection=False))
            assert (await agent.take()).continuity == fresh("connection_lost")

    async def test_error_inside_a_lease(self, gateway):
        """Whatever is raised inside a lease closes its connection, for it may be half read."""
        async with gateway() as it:
            agent = it.agent()
            with pytest.raises(ZeroDivisionError):
                async with it.transport.open(agent.call()):
                    raise ZeroDivisionError
            await it.settled()
            assert it.pool.ledger.live == 0

    async def test_repr(self, gateway):
        """The whole state stands in one line."""
        async with gateway() as it, AsyncExitStack() as stack:
            agent = it.agent()
            await stack.enter_async_context(it.transport.open(agent.call()))
            assert repr(it.pool) == (
                "<Pool <Ledger dialing=0 leased=1 idle=0 sessions=1 cap=128> waiting=0>"
            )
