"""Turns over pooled WebSockets: what the model sees is what the client meant, however they end."""

import asyncio
import json
from contextlib import suppress

import pytest

from longwire.core.errors import (
    FrameTooLarge,
    Overloaded,
    ReplaySafety,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
)
from longwire.core.events import Kind
from longwire.core.rules.continuity import Fresh, Reason
from longwire.core.rules.exchange import FOREIGN, Exchange
from longwire.core.rules.lease import Limits, State
from longwire.emulator import Fault, Options, Script
from longwire.upstream.event_reader import EventReader
from longwire.upstream.ports import Timeouts
from longwire.upstream.websocket.dialer import Endpoint
from longwire.upstream.websocket.transport import LARGEST_CREATE, WebSocketStream
from tests.doubles.cancelling import cancelled_at
from tests.doubles.lending import lent
from tests.doubles.peer import TEXT, accept, close_frame, frame, peer
from tests.doubles.responses import completed, created, delta, error, failed

CONTINUED = ("continued", None)
AS_GIVEN = ("as-given", None)
TITLE = {"instructions": "Name it.", "tools": None}


def fresh(reason):
    """How a turn travels in full."""
    return ("fresh", reason)


class TestContinuity:
    @pytest.mark.parametrize("terminal", ["full", "null", "missing", "empty"])
    @pytest.mark.parametrize("route", ["/v1", "/backend-api/codex"])
    async def test_loop(self, gateway, terminal, route):
        """An agent's loop is one handshake, then only what is new, however terminals look."""
        async with gateway(Options(terminal_output=terminal, fragment_bytes=100)) as it:
            object.__setattr__(it.endpoint, "url", it.endpoint.url.replace("/v1", route))
            agent = it.agent()
            answers = [await agent.take() for _ in range(6)]
            assert [answer.tunnel for answer in answers] == [fresh("new_session")] + [CONTINUED] * 5
            assert it.emulator.counters.sockets_opened == 1
            assert it.emulator.counters.creates_continued == 5
            assert it.emulator.violations == []
            notices = [each for answer in answers for each in answer.names if each[:6] == "codex."]
            assert notices == ["codex.rate_limits"] * (6 if "codex" in route else 0)

    async def test_bytes_do_not_grow(self, gateway):
        """A continued turn sends its new items, not its history."""
        async with gateway() as it:
            agent = it.agent()
            sizes = [(await agent.take()).delivery.bytes_sent for _ in range(12)]
            assert max(sizes[1:]) < 700
            assert [turn.bytes_in for turn in it.emulator.turns] == sizes

    async def test_text_input(self, gateway):
        """A conversation that began with a text goes on as one with items."""
        async with gateway() as it:
            agent = it.agent()
            first = await agent.take("hello")
            agent.append(first.response["output"])
            assert (await agent.take()).tunnel == CONTINUED

    @pytest.mark.parametrize("keeps_ids", [False, True])
    async def test_rewritten_history(self, gateway, keeps_ids):
        """A rewritten history goes out in full: on its socket, or on a new one for ids it holds."""
        async with gateway() as it:
            agent = it.agent()
            agent.keeps_ids = keeps_ids
            for _ in range(3):
                await agent.take()
            agent.history[0] = {"role": "user", "content": "hello again"}
            assert (await agent.take()).tunnel == fresh("history_rewritten")
            assert (await agent.take()).tunnel == CONTINUED
            assert it.emulator.counters.sockets_opened == (2 if keeps_ids else 1)
            await it.settled()
            assert it.pool.ledger.live == 1
            assert it.emulator.violations == []

    @pytest.mark.parametrize("keeps_ids", [False, True])
    async def test_changed_properties(self, gateway, keeps_ids):
        """Changed properties send the whole history, and the new chain continues."""
        async with gateway() as it:
            agent = it.agent()
            agent.keeps_ids = keeps_ids
            await agent.take()
            agent.properties["reasoning"] = {"effort": "low"}
            assert (await agent.take()).tunnel == fresh("properties_changed")
            assert (await agent.take()).tunnel == CONTINUED
            assert it.emulator.violations == []
            await it.settled()

    async def test_repeated_turn(self, gateway):
        """The very same request again has nothing new: it is answered in full."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            await agent.take(agent.history[:1])
            assert (await agent.take(agent.history[:1])).tunnel[0] == "fresh"
            assert it.emulator.violations == []

    async def test_side_call(self, gateway):
        """A call with other properties does not disturb the main conversation."""
        async with gateway() as it:
            agent, title = it.agent(), it.agent(**TITLE)
            await agent.take()
            assert (await title.take()).tunnel == fresh("new_branch")
            assert (await agent.take()).tunnel == CONTINUED
            assert (await title.take()).tunnel == CONTINUED
            assert (await agent.take()).tunnel == CONTINUED
            assert it.emulator.counters.sockets_opened == 2

    async def test_own_previous_response_id(self, gateway):
        """A client's own id goes out as given, to the connection that holds it."""
        async with gateway() as it:
            agent, other = it.agent(), it.agent(**TITLE)
            first = await agent.take()
            await other.take()
            new = [item for item in agent.history[1:] if item["type"] == "function_call_output"]
            second = await agent.take(new, previous_response_id=first.response["id"])
            assert second.tunnel == AS_GIVEN
            assert second.response["previous_response_id"] == first.response["id"]
            seen = agent.seen(second.response["id"])
            assert seen.previous_response_id == first.response["id"]
            assert seen.connection == agent.seen(first.response["id"]).connection
            last = [{"role": "user", "content": "more"}]
            third = await agent.take(last, previous_response_id=second.response["id"])
            assert third.tunnel == AS_GIVEN
            assert it.emulator.violations == []

    async def test_foreign_previous_response_id(self, gateway):
        """An id that nobody holds goes out as given, and the upstream's error comes back."""
        async with gateway() as it:
            agent, other = it.agent(), it.agent(session="t")
            first = await other.take()
            await agent.take()
            new = [{"role": "user", "content": "more"}]
            with pytest.raises(UpstreamRejected) as refusal:
                await agent.take(new, previous_response_id=first.response["id"])
            assert refusal.value.status == 400
            assert refusal.value.code == "previous_response_not_found"
            assert (await agent.take()).tunnel == CONTINUED
            await it.settled()

    async def test_identical_openings(self, gateway):
        """Parallel conversations that begin alike each go on with their own."""
        async with gateway() as it:
            agents = [it.agent() for _ in range(6)]
            for _ in range(3):
                async with asyncio.TaskGroup() as group:
                    turns = [group.create_task(agent.take()) for agent in agents]
            assert [turn.result().tunnel for turn in turns] == [CONTINUED] * 6
            assert it.emulator.counters.sockets_opened == 6
            assert it.emulator.counters.in_flight_peak == 1
            assert it.emulator.violations == []
            await it.settled()

    @pytest.mark.parametrize("cap", [1, 3])
    async def test_parallel_turns_at_the_cap(self, gateway, cap):
        """More turns of a session than it may have connections all succeed."""
        limits = Limits(connections_per_session=cap)
        async with gateway(limits=limits, script=Script(delay_ms=0.1)) as it:
            agents = [it.agent(user=str(n)) for n in range(7)]
            for number, agent in enumerate(agents):
                agent.history[0] = {"role": "user", "content": f"task {number}"}
            for _ in range(3):
                async with asyncio.TaskGroup() as group:
                    for agent in agents:
                        group.create_task(agent.take())
            assert it.emulator.counters.sockets_peak <= cap + 1
            assert it.emulator.counters.in_flight_peak == 1
            assert it.emulator.violations == []
            await it.settled()

    async def test_implicit_session(self, gateway):
        """Callers who name no session still continue, each their own of many conversations."""
        async with gateway() as it:
            agents = [it.agent(session="") for _ in range(20)]
            for number, agent in enumerate(agents):
                agent.history[0] = {"role": "user", "content": f"task {number}"}
            ways = [[(await agent.take()).tunnel for agent in agents] for _ in range(3)]
            assert ways == [[fresh("new_session")] * 20, [CONTINUED] * 20, [CONTINUED] * 20]
            assert it.emulator.counters.sockets_opened == 20

    async def test_implicit_session_at_the_cap(self, gateway):
        """The least recently used conversation makes room, and is answered in full again."""
        async with gateway(limits=Limits(connections=2)) as it:
            agents = [it.agent(session="") for _ in range(3)]
            for number, agent in enumerate(agents):
                agent.history[0] = {"role": "user", "content": f"task {number}"}
                await agent.take()
            assert (await agents[2].take()).tunnel == CONTINUED
            assert (await agents[1].take()).tunnel == CONTINUED
            assert (await agents[0].take()).tunnel[0] == "fresh"
            await it.settled()

    async def test_nobody(self, gateway):
        """A caller without a scope shares nothing, not even with itself."""
        async with gateway() as it:
            agent = it.agent(session=None)
            assert [(await agent.take()).tunnel for _ in range(3)] == [fresh("new_session")] * 3
            await it.settled()
            assert it.emulator.counters.sockets_opened == 3
            assert it.pool.ledger.live == 0


async def collect(stream, batches):
    """Add the size of every batch to `batches`."""
    async for batch in stream:
        batches.append(len(batch))


async def fail(agent, error):
    """Take a turn that is to fail, and return its error."""
    with pytest.raises(error) as failure:
        await agent.take()
    return failure.value


class TestEndings:
    async def ends(self, it, tunnel, sockets):
        """Take the turn after the ending: how it travels, and on which number of sockets."""
        await it.settled()
        assert it.pool.ledger.live == (1 if sockets == 1 else 0)
        agent = it.last
        assert (await agent.take()).tunnel == tunnel
        assert (await agent.take()).tunnel == CONTINUED
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
            assert (await agent.take()).tunnel == fresh("connection_expired")
            assert (await agent.take()).tunnel == CONTINUED
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
            assert (await agent.take()).tunnel == fresh("connection_lost")

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
        """Events that never reach the reader keep its patience all the same."""
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
            assert (len(passed), batches) == (20, [1, 1])


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
            assert (await agent.take()).tunnel == CONTINUED
            assert it.emulator.violations == []

    async def test_just_fits(self, gateway):
        """A frame of the largest size is answered."""
        async with gateway() as it:
            agent = it.agent()
            agent.history[0]["content"] = "x" * (LARGEST_CREATE - 1000)
            answer = await agent.take()
            assert answer.delivery.bytes_sent <= LARGEST_CREATE
            assert (await agent.take()).tunnel == CONTINUED


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
            assert (await agent.take()).tunnel == fresh("connection_lost")

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
            assert (await agent.take()).tunnel == CONTINUED

    @pytest.mark.looptime
    async def test_overloaded(self, gateway):
        """A session whose connections are all busy is told when to come again."""
        limits = Limits(connections_per_session=1)
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
                stream = WebSocketStream(lease, agent.turn_of(history), Timeouts())
                lease.decision = Fresh(Reason.NEW_BRANCH)
                assert suspensions(stream.send()) == turns
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
            assert (await agent.take()).tunnel == fresh("new_session")
            assert (await agent.take()).tunnel == CONTINUED

    async def test_lost_meanwhile(self, gateway):
        """A connection that breaks while the history is digested is told to the reader."""
        async with gateway() as it:
            agent = it.agent()
            agent.history = [{"role": "user", "content": f"line {n}"} for n in range(3000)]
            it.emulator.faults.add(Fault(at="before_create", act="reset"))
            assert (await fail(agent, UpstreamDisconnected)).safety is ReplaySafety.AMBIGUOUS
            await it.settled()


def suspensions(coroutine) -> int:
    """Run a coroutine that waits for nothing, and count how often it lets others run."""
    count = 0
    try:
        while True:
            assert coroutine.send(None) is None
            count += 1
    except StopIteration:
        return count
