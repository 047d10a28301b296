"""A client that leaves early: the rest of its response is read, and its chain is kept."""

import asyncio
import json

import pytest

from longwire.core.rules.lease import PoolLimits, State
from longwire.emulator import Fault, Script
from longwire.upstream.ports import Timeouts
from tests.doubles.cancelling import cancelled_at
from tests.doubles.peer import BINARY, CONTINUATION, TEXT, close_frame, frame, peer
from tests.doubles.responses import completed, created, delta, error, failed, item
from tests.upstream.websocket.connection_steps import queued
from tests.upstream.websocket.pool_steps import NO_SWEEP
from tests.upstream.websocket.turn_steps import CONTINUED, delayed, fresh

DRAINS = Timeouts(drain=30)
SLOW = Script(delay_ms=1)


def states(it):
    """Where the connections are."""
    return [entry.state for entry in it.pool.ledger.entries()]


async def leave(it, agent, batches=1):
    """Open a turn, read so many batches, leave; return what was left behind."""
    async with it.transport.open(agent.call()) as stream:
        for _ in range(batches):
            await anext(stream)
    return stream


def output(stream):
    """The finished items of a response, decoded."""
    return [json.loads(raw) for raw in stream.aggregate.output]


class TestChain:
    @pytest.mark.parametrize("batches", [0, 1, 3])
    @pytest.mark.parametrize("turns_before", [0, 2])
    async def test_continues(self, gateway, until, batches, turns_before):
        """The turn after a client that left goes on where the response ended."""
        async with gateway(script=SLOW, timeouts=DRAINS) as it:
            agent = it.agent()
            for _ in range(turns_before):
                await agent.take()
            stream = await leave(it, agent, batches)
            assert states(it) == [State.LEASED]
            await until(lambda: states(it) == [State.IDLE])
            agent.append(output(stream))
            assert (await agent.take()).continuity == CONTINUED
            assert it.emulator.counters.sockets_opened == 1
            assert it.emulator.violations == []
            await it.settled()

    async def test_without_drain(self, gateway):
        """Where it is not asked for, a client that leaves takes its connection with it."""
        async with gateway(script=SLOW) as it:
            await leave(it, it.agent())
            assert it.pool.ledger.live == 0
            await it.settled()

    async def test_failing_reader(self, gateway, until):
        """It does not matter why the reader left."""
        async with gateway(script=SLOW, timeouts=DRAINS) as it:
            agent = it.agent()
            with pytest.raises(ZeroDivisionError):
                async with it.transport.open(agent.call()) as stream:
                    raise ZeroDivisionError
            await until(lambda: states(it) == [State.IDLE])
            agent.append(output(stream))
            assert (await agent.take()).continuity == CONTINUED

    @pytest.mark.parametrize("point", [1, 2, 4])
    async def test_left_while_digesting(self, gateway, until, point):
        """A client that leaves while its long history is digested leaves a chain as well."""
        async with gateway(timeouts=DRAINS) as it:
            agent = it.agent()
            agent.keeps_ids = False
            await agent.take()
            agent.history = [{"role": "user", "content": f"{n}"} for n in range(300)]
            assert await cancelled_at(leave(it, agent), point)
            await until(lambda: states(it) == [State.IDLE])
            (entry,) = it.pool.ledger.entries()
            assert entry.chain.response_id == it.emulator.turns[-1].response_id
            assert entry.chain.sent == 300
            await it.settled()


ENDINGS = [
    ([completed()], True, "resp_1"),
    ([failed()], True, None),
    ([error()], True, None),
    ([error(401, "token_expired")], False, None),
    ([b"no JSON"], False, None),
    ([created("resp_2")], False, None),
    ([completed(), delta()], False, None),
    ([completed(), b"no JSON"], False, None),
    ([completed(), b'{"type":"codex.x"}'], True, "resp_1"),
]
NAMES = [
    *("completed", "failed", "error", "expulsion", "malformed", "foreign", "late", "garbage"),
    "notice",
]


class TestRest:
    """What the upstream does after the client has left, byte for byte."""

    @pytest.mark.parametrize("is_queued", [True, False], ids=["queued", "later"])
    @pytest.mark.parametrize(("rest", "keeps", "remembers"), ENDINGS, ids=NAMES)
    async def test_endings(self, gateway, until, rest, keeps, remembers, is_queued):
        """The rest is judged as if it were read, whether it waits already or comes later."""
        frames = [frame(TEXT, event) for event in (delta(), item(), *rest)]
        async with gateway() as it, peer() as there:
            it.transport = it.transport_to(there.url, DRAINS)
            agent = it.agent()
            async with it.transport.open(agent.call()) as stream:
                link = await there.links.get()
                link.write(frame(TEXT, created()))
                await anext(stream)
                if is_queued:
                    link.write(*frames)
                    size = sum(map(len, (delta(), item(), *rest)))
                    await until(lambda: queued(stream._lease.connection) == size)
            if not is_queued:
                assert states(it) == [State.LEASED]
                link.write(*frames)
            await until(lambda: State.LEASED not in states(it))
            await until(lambda: it.pool.ledger.live == keeps)
            chains = [entry.chain for entry in it.pool.ledger.entries()]
            assert [chain and chain.response_id for chain in chains] == [remembers] * keeps
            assert len(it.pool._connections) == keeps
            it.pool.close()

    @pytest.mark.parametrize(
        "end", [close_frame(1011), frame(BINARY, b"x"), None], ids=["close", "binary", "hang up"]
    )
    @pytest.mark.parametrize("before", [[], [delta()]], ids=["at once", "after events"])
    async def test_upstream_ends(self, gateway, until, end, before):
        """An upstream that ends the connection meanwhile ends the lease; nothing is kept of it."""
        async with gateway() as it, peer() as there:
            it.transport = it.transport_to(there.url, DRAINS)
            agent = it.agent()
            async with it.transport.open(agent.call()) as stream:
                link = await there.links.get()
                connection = stream._lease.connection
            assert repr(it.pool.ledger) == ("<Ledger dialing=0 leased=1 idle=0 sessions=1 cap=128>")
            link.write(frame(TEXT, created()), *(frame(TEXT, event) for event in before))
            link.write(end) if end else link.hang_up()
            await until(lambda: it.pool.ledger.live == 0)
            assert it.pool._connections == {}
            assert repr(connection).startswith("<Connection closed queued=0")

    @pytest.mark.parametrize("has_terminal", [True, False])
    async def test_ended_before_the_client_left(self, gateway, until, has_terminal):
        """A connection that died unnoticed leaves nothing leased when its client goes."""
        async with gateway() as it, peer() as there:
            it.transport = it.transport_to(there.url, DRAINS)
            async with it.transport.open(it.agent().call()) as stream:
                link = await there.links.get()
                rest = [frame(TEXT, completed())] * has_terminal
                link.write(frame(TEXT, created()), *rest, close_frame(1000))
                await until(lambda: stream._lease.connection.is_closed)
            assert it.pool.ledger.live == 0
            assert repr(stream._lease.connection).startswith("<Connection closed queued=0")

    async def test_half_a_message(self, gateway, until):
        """A message of which the client saw half is read whole."""
        first, second = item()[:20], item()[20:]
        async with gateway() as it, peer() as there:
            it.transport = it.transport_to(there.url, DRAINS)
            async with it.transport.open(it.agent().call()) as stream:
                link = await there.links.get()
                link.write(frame(TEXT, created()), frame(TEXT, first, final=False))
                await until(lambda: "joining" in repr(stream._lease.connection))
            link.write(frame(CONTINUATION, second), frame(TEXT, completed()))
            await until(lambda: states(it) == [State.IDLE])
            (entry,) = it.pool.ledger.entries()
            assert len(entry.chain.replies) == 1
            it.pool.close()

    async def test_slow_reader_resumes(self, gateway, until):
        """A response that was held back by its slow client comes to its end without one."""
        async with gateway() as it, peer() as there:
            it.transport = it.transport_to(there.url, DRAINS)
            async with it.transport.open(it.agent().call()) as stream:
                link = await there.links.get()
                link.write(frame(TEXT, created()), *[frame(TEXT, delta("x" * 1000))] * 20_000)
                link.write(frame(TEXT, item()), frame(TEXT, completed()))
                await until(lambda: "paused" in repr(stream._lease.connection))
            assert states(it) == [State.LEASED]
            await until(lambda: states(it) == [State.IDLE])
            assert repr(stream._lease.connection) == "<Connection idle queued=0>"
            it.pool.close()


class TestLease:
    async def test_counts_until_settled(self, gateway, until):
        """A drained connection counts as leased: a session at its cap waits for it."""
        limits = PoolLimits(connections_per_session=1)
        async with gateway(script=SLOW, timeouts=DRAINS, limits=limits, times=NO_SWEEP) as it:
            agent = it.agent()
            await leave(it, agent)
            assert states(it) == [State.LEASED]
            async with asyncio.TaskGroup() as group:
                waiting = group.create_task(it.agent(user="2").take())
                await until(lambda: it.waiting)
                assert states(it) == [State.LEASED]
            assert waiting.result().delivery.queued > 0
            assert it.emulator.counters.sockets_opened == 1
            await it.settled()

    async def test_next_turn_does_not_wait(self, gateway, until):
        """Below the cap a turn that comes too early takes a connection of its own."""
        async with gateway(script=SLOW, timeouts=DRAINS) as it:
            agent = it.agent()
            await leave(it, agent)
            assert (await it.agent().take()).continuity == fresh("new_branch")
            await until(lambda: states(it) == [State.IDLE] * 2)
            await it.settled()

    async def test_own_id(self, gateway, until):
        """A turn that names the drained response itself goes to the connection that holds it."""
        async with gateway(script=SLOW, timeouts=DRAINS) as it:
            agent = it.agent()
            stream = await leave(it, agent)
            await until(lambda: states(it) == [State.IDLE])
            (entry,) = it.pool.ledger.entries()
            calls = [part for part in output(stream) if part["type"] == "function_call"]
            answers = [
                {"type": "function_call_output", "call_id": call["call_id"], "output": "done"}
                for call in calls
            ]
            answer = await agent.take(answers, previous_response_id=entry.chain.response_id)
            assert answer.continuity == ("as-given", None)
            assert it.emulator.counters.sockets_opened == 1
            await it.settled()

    async def test_retires(self, gateway, until):
        """A pool that is drained meanwhile closes the connection at the response's end."""
        async with gateway(script=SLOW, timeouts=DRAINS) as it:
            agent = it.agent()
            stream = await leave(it, agent)
            it.pool.drain()
            assert states(it) == [State.LEASED]
            await until(lambda: it.pool.ledger.live == 0)
            agent.append(output(stream))
            assert (await agent.take()).continuity == fresh("connection_evicted")
            await it.settled()

    async def test_pool_closes(self, gateway, until):
        """Closing the pool does not wait for what nobody reads."""
        async with gateway(timeouts=DRAINS) as it:
            it.emulator.faults.add(Fault(at="mid_delta", act="hang"))
            await leave(it, it.agent())
            it.pool.close()
            assert it.pool.ledger.live == 0
            await it.settled()

    async def test_nothing_sent(self, gateway, until):
        """A turn that is given up before it was sent is no response to wait for."""
        async with gateway() as it, peer() as there:
            it.transport = it.transport_to(there.url, DRAINS)
            agent = it.agent()
            agent.history[0]["content"] = "x" * 15_000_000
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(leave(it, agent))
                (await there.links.get()).pause()
                await until(lambda: states(it) == [State.LEASED])
                await until(lambda: self.is_sending(it))
                sending.cancel()
            assert it.pool.ledger.live == 0

    @staticmethod
    def is_sending(it):
        """Whether a connection waits for its socket to take a message."""
        return any("blocked" in repr(each) for each in it.pool._connections.values())


class TestTime:
    @pytest.mark.looptime
    async def test_timeout(self, gateway, until):
        """A response that does not end in time is given up with its connection."""
        async with gateway(timeouts=DRAINS, times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            it.emulator.faults.add(Fault(at="mid_delta", act="hang"))
            await leave(it, agent)
            await asyncio.sleep(29)
            assert states(it) == [State.LEASED]
            await asyncio.sleep(2)
            assert it.pool.ledger.live == 0
            await it.settled()
            assert (await agent.take()).continuity == fresh("connection_lost")

    @pytest.mark.looptime
    async def test_slow_response(self, gateway):
        """A response that ends in time is waited for, however silent it is."""
        timeouts = Timeouts(first_event=5, idle_event=5, silence=1, drain=30)
        async with gateway(timeouts=timeouts, script=Script(first_event_ms=25_000)) as it:
            agent = it.agent()
            stream = await leave(it, agent, 0)
            await asyncio.sleep(26)
            assert states(it) == [State.IDLE]
            it.emulator.script = Script()
            agent.append(output(stream))
            assert (await agent.take()).continuity == CONTINUED

    @pytest.mark.looptime
    async def test_the_end_of_a_drain_is_its_own(self, gateway):
        """The timer of a response that came to its end does not strike the next one."""
        async with gateway(timeouts=DRAINS, script=Script(first_event_ms=1000)) as it:
            agent = it.agent()
            stream = await leave(it, agent, 0)
            await asyncio.sleep(2)
            agent.append(output(stream))
            it.emulator.script = Script(first_event_ms=60_000)
            assert (await agent.take()).continuity == CONTINUED
            assert it.emulator.counters.sockets_opened == 1


class TestCancelling:
    @pytest.mark.parametrize("moment", ["asleep", "waking"])
    @pytest.mark.parametrize("delay_ms", [0, 0.2])
    @pytest.mark.parametrize("turns_before", [0, 1])
    async def test_turn(self, gateway, until, moment, delay_ms, turns_before):
        """Wherever a turn is cancelled, once it is drained nothing is leased and nothing leaked."""
        async with gateway(script=Script(commentary=False), timeouts=DRAINS) as it:
            point, was_cancelled, kept = 1, True, 0
            while was_cancelled:
                agent = it.agent(session=f"s{point}")
                for _ in range(turns_before):
                    await agent.take()
                creates = it.emulator.counters.creates
                turn = agent.take(metadata=delayed(delay_ms))
                was_cancelled = await cancelled_at(turn, point, moment)
                await until(lambda: {State.IDLE} >= set(states(it)))
                kept += was_cancelled and it.emulator.counters.creates > creates
                await it.settled()
                await agent.take()
                assert (await agent.take()).continuity == CONTINUED
                await it.settled()
                point += 1
            assert kept > 0
            assert it.emulator.violations == []
