"""Turns that wait for a connection."""

import asyncio

import pytest

from longwire.core.errors import Overloaded
from longwire.core.rules.lease import PoolLimits
from longwire.fleet.local import LocalPacer
from longwire.upstream.websocket.pool import PoolTimes
from tests.doubles.lending import lent
from tests.upstream.websocket.pool_steps import NO_SWEEP
from tests.upstream.websocket.turn_steps import CONTINUED


class TestWaiting:
    @pytest.mark.looptime
    async def test_queued(self, gateway, until):
        """A turn is told how long it waited for a connection; a dial is no such wait."""
        endpoint_pace = LocalPacer(0.1)
        async with gateway(limits=PoolLimits(connections_per_session=1), times=NO_SWEEP) as it:
            object.__setattr__(it.endpoint, "pace", endpoint_pace)
            await endpoint_pace.reserve()
            agent = it.agent()
            assert (await agent.take()).delivery.queued == 0
            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None) as lease:
                    assert lease.queued == 0
                    waiting = group.create_task(agent.take())
                    await asyncio.sleep(7)
                    lease.cancel()
            assert waiting.result().delivery.queued == pytest.approx(7, abs=0.5)

    @pytest.mark.looptime
    async def test_timeout(self, gateway, until):
        """A turn that waited in vain is told so, and leaves the queue."""
        times = PoolTimes(queue_timeout=7)
        async with gateway(limits=PoolLimits(connections=1), times=times) as it:
            agent = it.agent()
            await agent.take()
            async with lent(it.pool, agent.call(), None) as lease:
                start = asyncio.get_running_loop().time()
                with pytest.raises(Overloaded) as error:
                    await it.agent(session="other").take()
                assert error.value.retry_after == 1
                assert asyncio.get_running_loop().time() - start == pytest.approx(7, abs=0.5)
                lease.cancel()
            await it.settled()
            assert (await agent.take()).continuity == CONTINUED

    async def test_first_come(self, gateway, until):
        """Who waits longest is served first."""
        async with gateway(limits=PoolLimits(connections_per_session=1), times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            served = []

            async def take(number):
                await it.agent(user=str(number)).take()
                served.append(number)

            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None):
                    for number in range(6):
                        group.create_task(take(number))
                        await until(lambda number=number: it.waiting > number)
            assert served == list(range(6))
            await it.settled()

    async def test_own_id_waits_for_its_holder(self, gateway, until):
        """A turn with a client's own id waits for the busy connection that holds it."""
        async with gateway() as it:
            agent = it.agent()
            first = await agent.take()
            new = [item for item in agent.history[1:] if item["type"] == "function_call_output"]
            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None) as lease:
                    second = group.create_task(
                        agent.take(new, previous_response_id=first.response["id"])
                    )
                    await until(lambda: it.waiting)
                    lease.cancel()
            assert second.result().continuity == ("as-given", None)
            assert it.emulator.counters.sockets_opened == 1
