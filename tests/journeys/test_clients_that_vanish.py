"""Clients that go away in the middle, at the very end, or stop reading without going."""

import asyncio
import json

import pytest

from tests.conftest import Gateway
from tests.journeys.agent import Agent, scripted, streamed, user, ways
from tests.journeys.conftest import become, leased
from tests.journeys.process import served
from tests.journeys.wire import event_of, wire

SESSION = {"session-id": "s-1"}


def body_of(agent, *items, **members):
    """The next turn of an agent, as its client would send it over a stream."""
    history = [item if isinstance(item, dict) else item.to_dict() for item in agent.history]
    return {**agent.members, "input": [*history, *items], "stream": True, **members}


@pytest.mark.parametrize("moment", ["response.created", "response.output_text.delta"])
async def test_who_vanishes_in_the_middle_leaves_nothing_behind(emulator, gateway, hire, moment):
    """The upstream connection is closed, nothing stays leased, and the next turn is right."""
    agent = hire(headers=SESSION, tools=[])
    await agent.turns(2)
    async with wire(gateway.url) as client:
        client.post(body_of(agent, user("hi"), metadata=scripted(delay_ms=5)), session_id="s-1")
        await client.until(event_of(moment))
        assert 1 == leased(gateway)
        client.vanish()
        await become(lambda: emulator.counters.sockets_open == 0)
    await become(lambda: gateway.app.pool.ledger.live == 0)
    assert "cancelled" == emulator.turns[-1].status
    assert ["fresh connection_lost", "continued"] == ways(await agent.turns(2))
    assert 2 == emulator.counters.sockets_opened


async def test_who_vanishes_before_the_first_event_leaves_nothing_behind(emulator, gateway, hire):
    """Also a turn that only waits for its upstream ends with its client."""
    agent = hire(headers=SESSION, tools=[])
    await agent.turns(2)
    async with wire(gateway.url) as client:
        slow = scripted(first_event_ms=60_000)
        client.post(body_of(agent, user("hi"), metadata=slow, stream=False), session_id="s-1")
        await become(lambda: emulator.counters.creates == 3)
        client.vanish()
        await become(lambda: gateway.app.pool.ledger.live == 0)
    await become(lambda: emulator.counters.sockets_open == 0)
    assert ["fresh connection_lost", "continued"] == ways(await agent.turns(2))


@pytest.mark.parametrize("tables", [{"sessions": {"max_connections_per_session": 1}}])
async def test_who_vanishes_while_waiting_takes_no_place(emulator, gateway, hire):
    """A turn that waits for a connection and loses its client never gets one."""
    agent = hire(headers=SESSION, tools=[])
    async with wire(gateway.url) as client, wire(gateway.url) as waiting:
        slow = scripted(first_event_ms=60_000)
        client.post(body_of(agent, user("first"), metadata=slow), session_id="s-1")
        await become(lambda: emulator.counters.creates == 1)
        waiting.post(body_of(agent, user("second")), session_id="s-1")
        await become(lambda: "waiting=1" in repr(gateway.app.pool))
        waiting.vanish()
        await become(lambda: "waiting=0" in repr(gateway.app.pool))
        client.vanish()
        await become(lambda: gateway.app.pool.ledger.live == 0)
    assert 1 == emulator.counters.creates
    assert ["fresh", "continued"] == [way.split()[0] for way in ways(await agent.turns(2))]


async def test_who_leaves_at_the_terminal_keeps_the_chain(emulator, gateway, hire):
    """Some clients hang up the instant they have read it: the next turn continues."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    await agent.turns(1)
    for number in range(4):
        async with wire(gateway.url) as client:
            client.post(body_of(agent, user(f"hi {number}")), session_id="s-1")
            await client.until(event_of("response.completed"))
            terminal = json.loads(await client.until(b"\n\n"))
            client.vanish()
        agent.history += [user(f"hi {number}"), *terminal["response"]["output"]]
        await become(lambda: leased(gateway) == 0)
    assert ["continued"] * 2 == ways(await agent.turns(2))
    assert (1, 6) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)


@pytest.mark.process
async def test_a_slow_reader_costs_no_memory_and_holds_nobody_up(emulator, client_of, tmp_path):
    """A client reads one byte of 200 MB and stops: the gateway waits with it, not for it."""
    async with served(tmp_path, emulator.url) as command:
        client = client_of(Gateway(None, command.url), headers=SESSION)
        agent = Agent(client, emulator, tools=[])
        await agent.turns(3)
        before = command.resident_kib()
        async with wire(command.url, limit=1, kernel=65_536) as slow:
            long = scripted(text_bytes=50_000_000, item_bytes=500_000, deltas=8, reasoning=False)
            request = {"model": "gpt-5.5", "input": "tell me all", "stream": True, "store": False}
            slow.post({**request, "metadata": long}, session_id="slow")
            assert b"H" == await slow.reader.readexactly(1)
            await settled(lambda: emulator.counters.bytes_out)
            assert "in_progress" == emulator.turns[-1].status
            assert ["continued"] * 10 == ways(await agent.turns(10))
            assert 16 * 1024 > command.resident_kib() - before
            slow.vanish()
            await become(lambda: emulator.counters.sockets_open == 1)
        assert "continued" == (await agent.step()).way


async def settled(figure):
    """Wait until a figure has not changed for a while."""
    last, unchanged = figure(), 0
    while unchanged < 60:
        await asyncio.sleep(0.005)
        last, unchanged = figure(), unchanged + 1 if figure() == last else 0
