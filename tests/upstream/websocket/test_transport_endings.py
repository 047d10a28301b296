"""How turns end, and what becomes of their connections."""

import asyncio
import json

import pytest

from longwire.core.errors import (
    ReplaySafety,
    UpstreamDisconnected,
    UpstreamRejected,
)
from longwire.core.events import Kind
from longwire.core.rules.continuity import Reason
from longwire.core.rules.exchange import FOREIGN, Exchange
from longwire.core.rules.lease import State
from longwire.emulator import Fault, Options, Script
from longwire.upstream.event_reader import EventReader
from tests.doubles.peer import TEXT, frame, peer
from tests.doubles.responses import completed, created, error, failed
from tests.upstream.websocket.turn_steps import CONTINUED, collect, fail, fresh


class TestEndings:
    async def ends(self, it, continuity, sockets):
        """Take the turn after the ending: how it travels, and on which number of sockets."""
        await it.settled()
        assert it.pool.ledger.live == (1 if sockets == 1 else 0)
        agent = it.last
        assert (await agent.take()).continuity == continuity
        assert (await agent.take()).continuity == CONTINUED
        assert it.emulator.counters.sockets_opened == sockets
        await it.settled()

    async def begun(self, it):
        """Return an agent that has already taken a turn."""
        it.last = it.agent()
        it.last.keeps_ids = False
        await it.last.take()
        return it.last

    @pytest.mark.parametrize("finish", ["completed", "incomplete"])
    async def test_complete(self, gateway, finish):
        """A completed or incomplete response is remembered, and its connection kept."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.script = Script(finish=finish)
            answer = await agent.take()
            assert answer.response["status"] == finish
            assert answer.names[-1] == f"response.{finish}"
            it.emulator.script = Script()
            if finish == "incomplete":
                agent.history[-2]["status"] = "incomplete"
            await self.ends(it, CONTINUED, 1)

    @pytest.mark.parametrize("finish", ["failed:server_error", "cancelled"])
    async def test_failed(self, gateway, finish):
        """A failed or cancelled response is passed on, its connection kept, its chain forgotten."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.script = Script(finish=finish)
            before = [*agent.history]
            answer = await agent.take()
            assert answer.response["status"] == finish.partition(":")[0]
            agent.history = before
            it.emulator.script = Script()
            await self.ends(it, fresh("turn_failed"), 1)

    @pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
    async def test_alias(self, gateway, status):
        """`response.done` reaches the client as the terminal that it means."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.script = Script(finish="failed:x" if status == "failed" else status)
            it.emulator.faults.add(Fault(at="before_terminal", act="done_alias"))
            assert (await agent.take()).names[-1] == f"response.{status}"
            await it.settled()

    @pytest.mark.parametrize("shape", list("abcdefhijk"))
    @pytest.mark.parametrize("at", ["before_create", "after_create", "after_created", "mid_delta"])
    async def test_error_frame(self, gateway, shape, at):
        """An error frame ends the turn, not its connection, in whatever shape it comes."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(
                Fault(at=at, act="error", shape=shape, status=429, code="slow", message="Slow.")
            )
            refusal = await fail(agent, UpstreamRejected)
            assert json.loads(refusal.body)["error"]["message"] == "Slow."
            assert refusal.headers.get("retry-after") == ("1" if shape == "c" else None)
            await self.ends(it, fresh("turn_failed"), 1)

    async def test_failed_by_fault(self, gateway):
        """A `response.failed` out of the blue belongs to another response: the turn fails."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at="after_created", act="error", shape="g"))
            await fail(agent, UpstreamDisconnected)
            await self.ends(it, fresh("connection_lost"), 2)

    @pytest.mark.parametrize(
        ("status", "code", "reason"),
        [
            (401, "token_expired", "connection_lost"),
            (403, "forbidden", "connection_lost"),
            (400, "websocket_connection_limit_reached", "connection_expired"),
        ],
    )
    @pytest.mark.parametrize("at", ["after_create", "mid_delta"])
    async def test_expulsion(self, gateway, at, status, code, reason):
        """An error that speaks of the connection closes it."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at=at, act="error", status=status, code=code))
            refusal = await fail(agent, UpstreamRejected)
            assert (refusal.status, refusal.code) == (status, code)
            await self.ends(it, fresh(reason), 2)

    @pytest.mark.looptime
    @pytest.mark.parametrize("announced", ["next_create", "idle"])
    async def test_end_of_life(self, gateway, announced):
        """The upstream's sixty minutes end one turn at most, the next begins anew."""
        options = Options(lifetime=60, announce_limit=announced)
        async with gateway(options) as it:
            agent = await self.begun(it)
            await asyncio.sleep(61)
            if announced == "next_create":
                refusal = await fail(agent, UpstreamRejected)
                assert refusal.code == "websocket_connection_limit_reached"
            await it.settled()
            assert (await agent.take()).continuity == fresh("connection_expired")
            assert (await agent.take()).continuity == CONTINUED
            assert it.emulator.counters.sockets_opened == 2
            assert it.pool.ledger.departures == {("main", Reason.CONNECTION_EXPIRED): 1}

    async def test_upstream_forgot(self, gateway):
        """An id that the upstream no longer knows fails one turn; the next goes out in full."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(
                Fault(
                    at="after_create", act="error", status=400, code="previous_response_not_found"
                )
            )
            assert (await fail(agent, UpstreamRejected)).code == "previous_response_not_found"
            await self.ends(it, fresh("upstream_forgot"), 1)

    @pytest.mark.looptime
    async def test_upstream_forgot_while_idle(self, gateway):
        """A real eviction is noticed, and mended by the next turn on the same socket."""
        async with gateway(Options(idle_eviction=300)) as it:
            agent = await self.begun(it)
            await asyncio.sleep(400)
            assert (await fail(agent, UpstreamRejected)).code == "previous_response_not_found"
            await self.ends(it, fresh("upstream_forgot"), 1)

    @pytest.mark.parametrize("act", ["close", "reset", "half", "binary"])
    @pytest.mark.parametrize(
        "at",
        [
            "before_create",
            "after_create",
            "after_created",
            "mid_delta",
            "after_item",
            "before_terminal",
        ],
    )
    async def test_lost(self, gateway, at, act):
        """A connection that breaks before the terminal fails the turn, never completes it."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at=at, act=act, code=1011 if act == "close" else None))
            await fail(agent, UpstreamDisconnected)
            await self.ends(it, fresh("connection_lost"), 2)

    @pytest.mark.parametrize("code", [None, 1000, 1001, 1009, 1011, 1012, 1013])
    async def test_closed_after_the_terminal(self, gateway, code, until):
        """A turn that got its terminal is complete; its connection is dropped quietly."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at="after_terminal", act="close", code=code))
            assert (await agent.take()).response["status"] == "completed"
            await until(lambda: not it.pool.ledger.live)
            await self.ends(it, fresh("connection_lost"), 2)

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "response.output_text.delta", "delta": "late"},
            {"type": "response.completed", "response": {"id": "resp_x"}},
            {"type": "error", "status": 400, "error": {"code": "late", "message": "Late."}},
        ],
        ids=["delta", "terminal", "error"],
    )
    @pytest.mark.parametrize("together", [True, False])
    async def test_frame_after_the_terminal(self, gateway, until, event, together):
        """Nothing follows a terminal: a frame that does closes the connection, undelivered."""
        async with gateway() as it:
            agent = await self.begun(it)
            wait = 0 if together else 5
            it.emulator.faults.add(
                Fault(at="after_terminal", act="extra_event", event=event, after_ms=wait)
            )
            answer = await agent.take()
            assert answer.names[-1] == "response.completed"
            assert answer.names.count("response.completed") == 1
            await until(lambda: not it.pool.ledger.live)
            await self.ends(it, fresh("connection_lost"), 2)

    @pytest.mark.parametrize("late", [b"garbage", b'{"type":"error"}', b'{"type":"response.x"}'])
    @pytest.mark.parametrize(
        ("last", "fails"),
        [
            (b'{"type":"response.completed","response":{"id":"r"}}', False),
            (b'{"type":"error","status":429,"error":{"code":"slow"}}', True),
        ],
    )
    def test_frame_in_the_batch_of_the_ending(self, last, fails, late):
        """What arrives together with an ending closes the connection, and changes nothing else."""
        event_reader = EventReader(Exchange())
        event_reader.exchange.step(Kind.SENT)
        event_reader.read(b'{"type":"response.created","response":{"id":"r"}}')
        assert (event_reader.read(last) is None) == fails
        failure = event_reader.failure
        assert (failure is not None) == fails
        assert event_reader.read(late) is None
        assert event_reader.failure is failure
        assert event_reader.exchange.ending == FOREIGN

    @pytest.mark.parametrize("at", ["after_create", "mid_delta", "after_terminal"])
    async def test_vendor_frame(self, gateway, at):
        """A vendor's frame passes while the turn is under way, and never disturbs."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at=at, act="extra_event"))
            passes = "codex.emulator.extra" in (await agent.take()).names
            assert passes == (at != "after_terminal")
            await self.ends(it, CONTINUED, 1)

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "response.in_progress", "response": {"id": "resp_other"}},
            {"type": "response.completed", "response": {"id": "resp_other", "output": []}},
            {"type": "response.output_text.delta", "delta": "x", "stream_id": "lane"},
            {"type": "response.output_item.done", "output_index": 0},
        ],
        ids=["opening", "terminal", "lane", "no item"],
    )
    async def test_foreign_event(self, gateway, event):
        """An event of another response, or none at all, fails the turn and is not delivered."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at="mid_delta", act="extra_event", event=event))
            await fail(agent, UpstreamDisconnected)
            await self.ends(it, fresh("connection_lost"), 2)

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "response.output_text.delta", "delta": "late"},
            {"type": "response.output_item.done", "output_index": 0, "item": {"type": "x"}},
            {"type": "response.unheard_of"},
        ],
        ids=["delta", "item", "unknown"],
    )
    async def test_output_before_the_response_has_a_name(self, gateway, event):
        """It may be the tail of another turn: the turn fails, the connection goes, unread."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at="after_create", act="extra_event", event=event))
            failure = await fail(agent, UpstreamDisconnected)
            assert failure.safety is ReplaySafety.AMBIGUOUS
            await self.ends(it, fresh("connection_lost"), 2)

    @pytest.mark.parametrize("between", [[], [error()]], ids=["at once", "after a refusal"])
    @pytest.mark.parametrize("late", [created(), completed(), failed()])
    async def test_late_event_of_the_response_before(self, gateway, late, between):
        """What comes late of a response that was over is not taken for the next one's."""
        async with gateway() as it, peer() as there:
            opening = it.transport_to(there.url)
            call = it.agent().call()
            async with opening.open(call) as stream:
                link = await there.links.get()
                link.write(frame(TEXT, created()), frame(TEXT, completed()))
                await collect(stream, [])
            for refusal in between:
                async with opening.open(call) as stream:
                    link.write(frame(TEXT, refusal))
                    with pytest.raises(UpstreamRejected):
                        await anext(stream)
            async with opening.open(call) as stream:
                link.write(frame(TEXT, late))
                with pytest.raises(UpstreamDisconnected):
                    await anext(stream)
            assert it.pool.ledger.live == 0

    async def test_unknown_event(self, gateway):
        """An event of a kind that nobody knew yet passes."""
        async with gateway(script=Script(unknown_events=True)) as it:
            assert "response.emulator.unknown" in (await it.agent().take()).names

    async def test_no_id(self, gateway):
        """A response without an id is passed on whole; its connection is kept, and forgets."""
        nameless = b'{"type":"response.completed","response":{"status":"completed"}}'
        async with gateway() as it, peer() as there:
            transport = it.transport_to(there.url)
            agent = it.agent()
            async with transport.open(agent.call()) as stream:
                (await there.links.get()).write(frame(TEXT, nameless))
                names = [event.name async for batch in stream for event in batch]
            assert names == ["response.completed"]
            (entry,) = it.pool.ledger.entries()
            assert (entry.state, entry.chain) == (State.IDLE, None)
            it.pool.close()

    async def test_huge_event(self, gateway):
        """An event of 20 MiB passes."""
        async with gateway() as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at="mid_delta", act="huge_event"))
            assert "response.emulator.padding" in (await agent.take()).names
            await self.ends(it, CONTINUED, 1)

    async def test_many_large_events(self, gateway):
        """A response of many megabytes arrives whole and in order."""
        async with gateway(script=Script(text_bytes=8 * 1024 * 1024, deltas=500)) as it:
            agent = await self.begun(it)
            await agent.take()
            await self.ends(it, CONTINUED, 1)

    async def test_drip(self, gateway):
        """A response that arrives byte by byte is the same response."""
        async with gateway(script=Script(reasoning=False, commentary=False, deltas=1)) as it:
            agent = await self.begun(it)
            it.emulator.faults.add(Fault(at="after_item", act="slow_drip"))
            await agent.take()
            await self.ends(it, CONTINUED, 1)
