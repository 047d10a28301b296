"""Turns that are cancelled while they borrow: nothing stays leased, nothing leaks."""

import asyncio

import pytest

from longwire.core.rules.lease import PoolLimits
from longwire.emulator import Script
from tests.doubles.cancelling import cancelled_at
from tests.doubles.lending import lent
from tests.upstream.websocket.pool_steps import MOMENTS, NO_SWEEP, holding
from tests.upstream.websocket.turn_steps import CONTINUED, delayed, fresh


class TestCancelling:
    """A turn is cancelled at its first, second, … suspension, until one runs to its end."""

    @MOMENTS
    @pytest.mark.parametrize("delay_ms", [0, 0.2])
    @pytest.mark.parametrize("turns_before", [0, 1])
    async def test_turn(self, gateway, moment, delay_ms, turns_before):
        """Wherever a turn is cancelled, nothing is left of it and the next one is right."""
        async with gateway(script=Script(commentary=False)) as it:
            point, was_cancelled = 1, True
            while was_cancelled:
                agent = it.agent(session=f"s{point}")
                for _ in range(turns_before):
                    await agent.take()
                was_cancelled = await cancelled_at(
                    agent.take(metadata=delayed(delay_ms)), point, moment
                )
                await it.settled()
                await agent.take()
                assert (await agent.take()).continuity == CONTINUED
                await it.settled()
                point += 1
            assert point > 2
            assert it.emulator.violations == []

    @MOMENTS
    @pytest.mark.parametrize("keeps_ids", [False, True])
    async def test_rewritten(self, gateway, moment, keeps_ids):
        """A turn that would replace a connection leaves the old one or none, and never both."""
        async with gateway() as it:
            point, was_cancelled = 1, True
            while was_cancelled:
                agent = it.agent(session=f"s{point}")
                agent.keeps_ids = keeps_ids
                await agent.take()
                agent.history[0] = {"role": "user", "content": "rewritten"}
                was_cancelled = await cancelled_at(agent.take(), point, moment)
                await it.settled()
                await agent.take()
                assert (await agent.take()).continuity == CONTINUED
                await it.settled()
                assert it.pool.ledger.live <= 2 * point
                point += 1
            assert it.emulator.violations == []

    @MOMENTS
    @pytest.mark.parametrize(
        "limits", [PoolLimits(connections_per_session=1), PoolLimits(connections=1)]
    )
    async def test_waiter(self, gateway, moment, limits, until):
        """A waiting turn that is cancelled, even as it is granted, blocks nobody."""
        async with gateway(limits=limits, times=NO_SWEEP) as it:
            point, was_cancelled = 1, True
            while was_cancelled:
                release, held = asyncio.Event(), []
                async with asyncio.TaskGroup() as group:
                    group.create_task(holding(it, it.agent(), release, held))
                    await until(lambda held=held: held)
                    waiting = group.create_task(cancelled_at(it.agent().take(), point, moment))
                    await until(lambda waiting=waiting: it.waiting or waiting.done())
                    last = group.create_task(it.agent(user="last").take())
                    await until(lambda waiting=waiting: waiting.done() or it.waiting > 1)
                    release.set()
                    await last
                was_cancelled = waiting.result()
                await it.settled()
                await it.agent().take()
                point += 1
            assert point > 2

    async def test_granted_as_it_gives_up(self, gateway, until):
        """A connection that is granted to a cancelled turn goes to the next in line."""
        async with gateway(limits=PoolLimits(connections_per_session=1), times=NO_SWEEP) as it:
            first = it.agent()
            await first.take()
            async with asyncio.TaskGroup() as group:
                async with lent(it.pool, first.call(), None) as lease:
                    lost = group.create_task(it.agent().take())
                    await until(lambda: it.waiting == 1)
                    next_one = group.create_task(first.take())
                    await until(lambda: it.waiting == 2)
                    lease.cancel()
                    lost.cancel()
                assert (await next_one).continuity == CONTINUED
            await it.settled()

    async def test_granted_and_lost(self, gateway, until):
        """A connection that is lost after it was granted, before the turn wakes, is replaced."""
        async with gateway(limits=PoolLimits(connections_per_session=1), times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            async with asyncio.TaskGroup() as group:
                async with lent(it.pool, agent.call(), None) as lease:
                    waiting = group.create_task(agent.take())
                    await until(lambda: it.waiting)
                    lease.cancel()
                    lease.connection.abort("lost")
                assert (await waiting).continuity == fresh("connection_lost")
            await it.settled()

    async def test_granted_and_drained(self, gateway, until):
        """A connection that retires while a turn that gave up held its grant is closed."""
        async with gateway(limits=PoolLimits(connections_per_session=1), times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None) as lease:
                    lost = group.create_task(agent.take())
                    await until(lambda: it.waiting)
                    lease.cancel()
                    it.pool.drain()
                    lost.cancel()
            assert it.pool.ledger.live == 0
            await it.settled()

    async def test_many_at_once(self, gateway):
        """Many turns, cancelled at random points, leave a pool that works."""
        limits = PoolLimits(connections=5, connections_per_session=2)
        async with gateway(limits=limits, script=Script(delay_ms=0.1, commentary=False)) as it:
            agents = [it.agent(session=f"s{n % 4}", user=str(n)) for n in range(12)]
            for number, agent in enumerate(agents):
                agent.history[0] = {"role": "user", "content": f"task {number}"}
            for turn in range(6):
                async with asyncio.TaskGroup() as group:
                    for number, agent in enumerate(agents):
                        point = (turn * 7 + number * 5) % 23 + 1
                        moment = ("asleep", "waking")[(turn + number) % 2]
                        group.create_task(cancelled_at(agent.take(), point, moment))
                await it.settled()
            for agent in agents:
                await agent.take()
                await agent.take()
            await it.settled()
            assert it.emulator.counters.in_flight_peak == 1
            assert it.emulator.violations == []
