"""Turns over pooled WebSockets: their time, size and dials, and clients that leave."""

import asyncio
import json
from contextlib import suppress
from dataclasses import replace

import pytest

from longwire.core.errors import (
    FrameTooLarge,
    Overloaded,
    ReplaySafety,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamTimeout,
)
from longwire.core.rules.continuity import Fresh, Reason
from longwire.core.rules.lease import PoolLimits
from longwire.emulator import Fault, Script
from longwire.upstream.ports import Timeouts
from longwire.upstream.websocket.dialer import Endpoint
from longwire.upstream.websocket.transport import LARGEST_CREATE, WebSocketStream
from tests.doubles.cancelling import cancelled_at
from tests.doubles.lending import lent
from tests.doubles.peer import TEXT, accept, close_frame, frame, peer
from tests.doubles.responses import completed, created, delta
from tests.upstream.websocket.turn_steps import CONTINUED, collect, fail, fresh


class TestTime:
    PATIENCE = Timeouts(first_event=600, idle_event=300, silence=15)

    @pytest.mark.looptime
    @pytest.mark.parametrize(
        ("at", "phase", "seconds", "silences"),
        [("after_create", "first event", 600, 39), ("mid_delta", "next event", 300, 19)],
    )
    async def test_silence(self, gateway, at, phase, seconds, silences):
        """Silence is told at every span, and ends the turn when patience is over."""
        async with gateway(timeouts=self.PATIENCE) as it:
            agent = it.agent()
            it.emulator.faults.add(Fault(at=at, act="hang"))
            call = agent.call()
            batches = []
            start = asyncio.get_running_loop().time()
            async with it.transport.open(call) as stream:
                with pytest.raises(UpstreamTimeout, match=phase):
                    await collect(stream, batches)
            assert asyncio.get_running_loop().time() - start == pytest.approx(seconds, abs=1)
            assert batches.count(0) == silences
            await it.settled()
            assert (await agent.take()).continuity == fresh("connection_lost")

    @pytest.mark.looptime
    async def test_silence_is_no_sign_of_life(self, gateway):
        """Where no WebSocket of it ever brought a frame, it is given up before the first event."""
        async with gateway(timeouts=replace(self.PATIENCE, first_frame=30)) as it:
            it.emulator.faults.add(Fault(at="after_create", act="hang"))
            start = asyncio.get_running_loop().time()
            async with it.transport.open(it.agent().call()) as stream:
                with pytest.raises(UpstreamTimeout, match="first frame"):
                    await collect(stream, [])
            assert asyncio.get_running_loop().time() - start == pytest.approx(30, abs=1)
            await it.settled()

    @pytest.mark.looptime
    async def test_slow_upstream(self, gateway):
        """A slow response is waited for, with its silence told."""
        async with gateway(timeouts=self.PATIENCE, script=Script(first_event_ms=100_000)) as it:
            answer = await it.agent().take()
            assert answer.silences == 6

    @pytest.mark.looptime
    async def test_chatter_is_no_event(self, gateway):
        """A vendor's notices do not keep a turn waiting for ever."""
        async with gateway() as it, peer() as there, asyncio.TaskGroup() as group:
            timeouts = Timeouts(first_event=60, silence=15)
            transport = it.transport_to(there.url, timeouts)
            agent = it.agent()

            async def chatter(link):
                while True:
                    link.write(frame(TEXT, b'{"type":"codex.rate_limits"}'))
                    await asyncio.sleep(10)

            async with transport.open(agent.call()) as stream:
                chatting = group.create_task(chatter(await there.links.get()))
                start = asyncio.get_running_loop().time()
                with pytest.raises(UpstreamTimeout):
                    await collect(stream, [])
                assert asyncio.get_running_loop().time() - start == pytest.approx(60, abs=1)
            chatting.cancel()

    @pytest.mark.looptime
    async def test_what_is_passed_on_was_heard(self, gateway):
        """Events that never reach the reader keep its patience all the same; the first does."""
        async with gateway() as it, peer() as there, asyncio.TaskGroup() as group:
            timeouts = Timeouts(first_event=60, idle_event=60, silence=15)
            transport = it.transport_to(there.url, timeouts)

            async def drip(link):
                link.write(frame(TEXT, created("resp_1")))
                for _ in range(20):
                    await asyncio.sleep(10)
                    link.write(frame(TEXT, delta()))
                link.write(frame(TEXT, completed()))

            def take(frames):
                plain = [each for each in frames if b"response.completed" not in each]
                passed.extend(plain)
                return len(plain)

            async with transport.open(it.agent().call()) as stream:
                dripping = group.create_task(drip(await there.links.get()))
                passed, batches = [], []
                stream.set_fast_path(take)
                await collect(stream, batches)
            await dripping
            assert (len(passed), batches) == (19, [1, 1, 1])


class TestSize:
    async def test_too_large(self, gateway):
        """A frame that no upstream takes is refused before it is sent, and harms nothing."""
        async with gateway() as it:
            agent = it.agent()
            with pytest.raises(FrameTooLarge):
                await agent.take([{"role": "user", "content": "x" * LARGEST_CREATE}])
            await it.settled()
            await agent.take()
            large = [*agent.history, {"role": "user", "content": "x" * LARGEST_CREATE}]
            with pytest.raises(FrameTooLarge):
                await agent.take(large)
            await it.settled()
            assert (await agent.take()).continuity == CONTINUED
            assert it.emulator.violations == []

    async def test_just_fits(self, gateway):
        """A frame of the largest size is answered."""
        async with gateway() as it:
            agent = it.agent()
            agent.history[0]["content"] = "x" * (LARGEST_CREATE - 1000)
            answer = await agent.take()
            assert answer.delivery.bytes_sent <= LARGEST_CREATE
            assert (await agent.take()).continuity == CONTINUED


class TestLeaving:
    async def test_early(self, gateway):
        """A client that leaves before the terminal takes its connection with it."""
        async with gateway(script=Script(delay_ms=1)) as it:
            agent = it.agent()
            await agent.take()
            async with it.transport.open(agent.call()) as stream:
                async for _ in stream:
                    break
            await it.settled()
            assert it.pool.ledger.live == 0
            assert (await agent.take()).continuity == fresh("connection_lost")

    async def test_at_the_terminal(self, gateway):
        """A client that leaves the instant it has the terminal leaves a whole conversation."""
        async with gateway() as it:
            agent = it.agent()
            async with it.transport.open(agent.call()) as stream:
                async for batch in stream:
                    if batch and batch[-1].name == "response.completed":
                        break
                output = [json.loads(item) for item in stream.aggregate.output]
            agent.append(output)
            assert (await agent.take()).continuity == CONTINUED

    @pytest.mark.looptime
    async def test_overloaded(self, gateway):
        """A session whose connections are all busy is told when to come again."""
        limits = PoolLimits(connections_per_session=1)
        async with gateway(limits=limits) as it:
            agent = it.agent()
            call = agent.call()
            async with it.transport.open(call):
                start = asyncio.get_running_loop().time()
                error = await fail(it.agent(), Overloaded)
                assert error.retry_after == 1
                assert asyncio.get_running_loop().time() - start == pytest.approx(30, abs=1)


class TestDials:
    @pytest.mark.parametrize(
        ("answer", "result"),
        [
            (accept, "opened"),
            (lambda _: b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n", "refused"),
            (lambda _: b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n", "unreachable"),
            (lambda head: accept(head) + close_frame(1013), "unreachable"),
            (lambda _: None, "timeout"),
        ],
        ids=["opened", "refused", "no websocket", "closed at once", "silent"],
    )
    async def test_counted(self, gateway, answer, result):
        """Each handshake is counted once, by how it ended."""
        async with gateway() as it, peer(answer) as there:
            patient = Endpoint(there.url, {}, handshake_timeout=0.05)
            with suppress(UpstreamError):
                async with it.transport_to(patient).open(it.agent().call()):
                    pass
            assert it.dials == {result: 1}

    async def test_nobody_there(self, gateway):
        """A connection that is refused is an unreachable upstream."""
        async with gateway() as it:
            with pytest.raises(UpstreamError):
                async with it.transport_to("ws://127.0.0.1:9/").open(it.agent().call()):
                    pass
            assert it.dials == {"unreachable": 1}

    async def test_reuse_is_no_dial(self, gateway):
        """Turns on an open connection count none, nor does a dial that was given up."""
        async with gateway() as it:
            agent = it.agent()
            for _ in range(3):
                await agent.take()
            assert await cancelled_at(it.agent(session="t").take(), 1)
            assert it.dials == {"opened": 1}


class TestDigesting:
    @pytest.mark.parametrize(("items", "turns"), [(10, 0), (64, 0), (65, 1), (640, 9)])
    async def test_in_pieces(self, gateway, items, turns):
        """A long history that is new is digested in pieces, between which others get their turn."""
        history = [{"role": "user", "content": f"line {n}"} for n in range(items)]
        async with gateway() as it:
            agent = it.agent(tools=None)
            agent.keeps_ids = False
            await agent.take()
            async with lent(it.pool, agent.call(), None) as lease:
                lease.decision = Fresh(Reason.NEW_BRANCH)
                call = replace(agent.call(), turn=agent.turn_of(history))
                stream = WebSocketStream(Lending(lease), call, Timeouts())
                assert suspensions(stream.__aenter__()) == turns
                answer = [event.name async for batch in stream for event in batch]
            assert answer[-1] == "response.completed"
            (entry,) = it.pool.ledger.entries()
            expected = agent.turn_of(history).history
            assert (entry.chain.sent, entry.chain.digest) == (items, expected.digest(items))

    async def test_continues_after(self, gateway):
        """A conversation that began with a long history continues."""
        async with gateway() as it:
            agent = it.agent()
            agent.history = [{"role": "user", "content": f"line {n}"} for n in range(300)]
            assert (await agent.take()).continuity == fresh("new_session")
            assert (await agent.take()).continuity == CONTINUED

    async def test_lost_meanwhile(self, gateway):
        """A connection that breaks while the history is digested is told to the reader."""
        async with gateway() as it:
            agent = it.agent()
            agent.history = [{"role": "user", "content": f"line {n}"} for n in range(3000)]
            it.emulator.faults.add(Fault(at="before_create", act="reset"))
            assert (await fail(agent, UpstreamDisconnected)).safety is ReplaySafety.AMBIGUOUS
            await it.settled()


class Lending:
    """A transport that has one lease to lend."""

    has_answered = True

    def __init__(self, lease) -> None:
        self._lease = lease

    async def borrow(self, _call):
        """Lend it."""
        return self._lease

    def patience(self, _call):
        """Wait a while."""
        return 60.0, "first event"


def suspensions(coroutine) -> int:
    """Run a coroutine that waits for nothing, and count how often it lets others run."""
    count = 0
    try:
        while True:
            assert coroutine.send(None) is None
            count += 1
    except StopIteration:
        return count
