"""At the caps: turns wait for a connection, use HTTP where allowed, or hear when to come back."""

import asyncio

import openai
import pytest

from tests.journeys.agent import Agent, scripted, streamed, user, ways, whole
from tests.journeys.conftest import become, leased, settings_of, websocket_channel

SESSION = {"session-id": "s-1"}
SLOW = scripted(first_event_ms=60_000)
CLOCK = 0.01
"""How exact the loop's timers are, in seconds."""


async def together(*turns):
    """Take turns at the same moment."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(turn) for turn in turns]
    return [task.result() for task in running]


def channels(emulator, transport):
    """One channel of a transport."""
    return (websocket_channel(emulator.url, transport=transport),)


@pytest.mark.parametrize("transport", ["websocket", "auto"])
@pytest.mark.parametrize("ask", [streamed, whole])
async def test_64_turns_of_one_session_share_four_connections(
    emulator, serve, client_of, transport, ask
):
    """They diverge, all at once: none fails, each is right, and none takes a fifth connection."""
    sessions = {"max_connections_per_session": 4}
    tables = {"channels": channels(emulator, transport), "sessions": sessions}
    gateway = await serve(settings_of(emulator.url, **tables))
    trunk = Agent(client_of(gateway, headers=SESSION), emulator, ask=ask, tools=[])
    await trunk.turns(2)
    branches = [trunk.fork() for _ in range(64)]
    for _ in range(2):
        told = await together(*(agent.say(user(f"branch {n}")) for n, agent in enumerate(branches)))
        assert {"completed"} == {turn.response.status for turn in told}
        assert {"websocket"} == {turn.transport for turn in told}
    assert 4 == emulator.counters.sockets_peak
    assert 130 == emulator.counters.creates
    assert "waiting=0" in repr(gateway.app.pool)
    assert ["fresh", "continued"] == [way.split()[0] for way in ways(await branches[0].turns(2))]


@pytest.fixture
def busy(emulator, client_of):
    """A function: two sessions that keep the two connections of a gateway busy, as tasks."""

    async def occupy(gateway, group):
        before = emulator.counters.creates
        tasks = [
            group.create_task(
                Agent(client_of(gateway, headers={"session-id": f"busy-{n}"}), emulator).say(
                    user("think"), metadata=SLOW
                )
            )
            for n in range(2)
        ]
        await become(lambda: emulator.counters.creates == before + 2)
        return tasks

    return occupy


@pytest.fixture
async def full(emulator, serve, transport, queue_timeout):
    """A gateway with two connections in all."""
    sessions = {
        "max_connections": 2,
        "max_connections_per_session": 2,
        "queue_timeout": queue_timeout,
    }
    tables = {"channels": channels(emulator, transport), "sessions": sessions}
    return await serve(settings_of(emulator.url, **tables))


async def left_alone(*tasks):
    """Cancel turns and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.parametrize(("transport", "queue_timeout"), [("websocket", "1s")])
async def test_who_waited_for_nothing_is_told_when_to_ask(
    emulator, full, client_of, busy, transport, queue_timeout
):
    """503 with `retry-after`, after `queue_timeout` and not before."""
    agent = Agent(client_of(full, headers=SESSION), emulator)
    async with asyncio.TaskGroup() as group:
        tasks = await busy(full, group)
        began = asyncio.get_running_loop().time()
        with pytest.raises(openai.InternalServerError) as caught:
            await agent.say(user("hi"))
        assert 1 <= asyncio.get_running_loop().time() - began + CLOCK
        error = caught.value
        assert (503, "overloaded", "1") == (
            error.status_code,
            error.code,
            error.response.headers["retry-after"],
        )
        await left_alone(*tasks)
    await become(lambda: leased(full) == 0)
    agent.history = []
    assert ["fresh new_session", "continued"] == ways(await agent.turns(2))


@pytest.mark.parametrize(("transport", "queue_timeout"), [("auto", "1s")])
async def test_who_waited_for_nothing_goes_over_http(
    emulator, full, client_of, busy, transport, queue_timeout
):
    """Where HTTP may be used nobody is turned away; afterwards the WebSocket is back."""
    agent = Agent(client_of(full, headers=SESSION), emulator)
    async with asyncio.TaskGroup() as group:
        tasks = await busy(full, group)
        told = await agent.step()
        assert ("http", "fresh http_transport") == (told.transport, told.way)
        await left_alone(*tasks)
    await become(lambda: leased(full) == 0)
    assert ["fresh new_session", "continued"] == ways(await agent.turns(2))


@pytest.mark.parametrize("transport", ["websocket", "auto"])
@pytest.mark.parametrize("queue_timeout", ["20s"])
async def test_who_waits_gets_what_becomes_free(
    emulator, full, client_of, busy, transport, queue_timeout
):
    """A turn that waited for another session's connection is served, and nothing failed."""
    agent = Agent(client_of(full, headers=SESSION), emulator)
    async with asyncio.TaskGroup() as group:
        first, second = await busy(full, group)
        waiting = group.create_task(agent.step())
        await become(lambda: "waiting=1" in repr(full.app.pool))
        await left_alone(first)
        told = await waiting
        assert ("websocket", "fresh new_session") == (told.transport, told.way)
        await left_alone(second)
    assert ["continued"] * 2 == ways(await agent.turns(2))
