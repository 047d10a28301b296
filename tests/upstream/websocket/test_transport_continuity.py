"""What the model sees is what the client meant, however little of it is sent."""

import asyncio

import pytest

from longwire.core.errors import (
    UpstreamRejected,
)
from longwire.core.rules.lease import PoolLimits
from longwire.emulator import Options, Script
from tests.upstream.websocket.turn_steps import AS_GIVEN, CONTINUED, TITLE, fresh


class TestContinuity:
    @pytest.mark.parametrize("terminal", ["full", "null", "missing", "empty"])
    @pytest.mark.parametrize("route", ["/v1", "/backend-api/codex"])
    async def test_loop(self, gateway, terminal, route):
        """An agent's loop is one handshake, then only what is new, however terminals look."""
        async with gateway(Options(terminal_output=terminal, fragment_bytes=100)) as it:
            object.__setattr__(it.endpoint, "url", it.endpoint.url.replace("/v1", route))
            agent = it.agent()
            answers = [await agent.take() for _ in range(6)]
            expected = [fresh("new_session")] + [CONTINUED] * 5
            assert expected == [answer.continuity for answer in answers]
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
            assert (await agent.take()).continuity == CONTINUED

    @pytest.mark.parametrize("keeps_ids", [False, True])
    async def test_rewritten_history(self, gateway, keeps_ids):
        """A rewritten history goes out in full: on its socket, or on a new one for ids it holds."""
        async with gateway() as it:
            agent = it.agent()
            agent.keeps_ids = keeps_ids
            for _ in range(3):
                await agent.take()
            agent.history[0] = {"role": "user", "content": "hello again"}
            assert (await agent.take()).continuity == fresh("history_rewritten")
            assert (await agent.take()).continuity == CONTINUED
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
            assert (await agent.take()).continuity == fresh("properties_changed")
            assert (await agent.take()).continuity == CONTINUED
            assert it.emulator.violations == []
            await it.settled()

    async def test_repeated_turn(self, gateway):
        """The very same request again has nothing new: it is answered in full."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            await agent.take(agent.history[:1])
            assert (await agent.take(agent.history[:1])).continuity[0] == "fresh"
            assert it.emulator.violations == []

    async def test_side_call(self, gateway):
        """A call with other properties does not disturb the main conversation."""
        async with gateway() as it:
            agent, title = it.agent(), it.agent(**TITLE)
            await agent.take()
            assert (await title.take()).continuity == fresh("new_branch")
            assert (await agent.take()).continuity == CONTINUED
            assert (await title.take()).continuity == CONTINUED
            assert (await agent.take()).continuity == CONTINUED
            assert it.emulator.counters.sockets_opened == 2

    async def test_own_previous_response_id(self, gateway):
        """A client's own id goes out as given, to the connection that holds it."""
        async with gateway() as it:
            agent, other = it.agent(), it.agent(**TITLE)
            first = await agent.take()
            await other.take()
            new = [item for item in agent.history[1:] if item["type"] == "function_call_output"]
            second = await agent.take(new, previous_response_id=first.response["id"])
            assert second.continuity == AS_GIVEN
            assert second.response["previous_response_id"] == first.response["id"]
            seen = agent.seen(second.response["id"])
            assert seen.previous_response_id == first.response["id"]
            assert seen.connection == agent.seen(first.response["id"]).connection
            last = [{"role": "user", "content": "more"}]
            third = await agent.take(last, previous_response_id=second.response["id"])
            assert third.continuity == AS_GIVEN
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
            assert (await agent.take()).continuity == CONTINUED
            await it.settled()

    async def test_identical_openings(self, gateway):
        """Parallel conversations that begin alike each go on with their own."""
        async with gateway() as it:
            agents = [it.agent() for _ in range(6)]
            for _ in range(3):
                async with asyncio.TaskGroup() as group:
                    turns = [group.create_task(agent.take()) for agent in agents]
            assert [turn.result().continuity for turn in turns] == [CONTINUED] * 6
            assert it.emulator.counters.sockets_opened == 6
            assert it.emulator.counters.in_flight_peak == 1
            assert it.emulator.violations == []
            await it.settled()

    @pytest.mark.parametrize("cap", [1, 3])
    async def test_parallel_turns_at_the_cap(self, gateway, cap):
        """More turns of a session than it may have connections all succeed."""
        limits = PoolLimits(connections_per_session=cap)
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
            continuities = [[(await agent.take()).continuity for agent in agents] for _ in range(3)]
            assert continuities == [[fresh("new_session")] * 20, [CONTINUED] * 20, [CONTINUED] * 20]
            assert it.emulator.counters.sockets_opened == 20

    async def test_implicit_session_at_the_cap(self, gateway):
        """The least recently used conversation makes room, and is answered in full again."""
        async with gateway(limits=PoolLimits(connections=2)) as it:
            agents = [it.agent(session="") for _ in range(3)]
            for number, agent in enumerate(agents):
                agent.history[0] = {"role": "user", "content": f"task {number}"}
                await agent.take()
            assert (await agents[2].take()).continuity == CONTINUED
            assert (await agents[1].take()).continuity == CONTINUED
            assert (await agents[0].take()).continuity[0] == "fresh"
            await it.settled()

    async def test_nobody(self, gateway):
        """A caller without a scope shares nothing, not even with itself."""
        async with gateway() as it:
            agent = it.agent(session=None)
            assert [(await agent.take()).continuity for _ in range(3)] == [fresh("new_session")] * 3
            await it.settled()
            assert it.emulator.counters.sockets_opened == 3
            assert it.pool.ledger.live == 0
