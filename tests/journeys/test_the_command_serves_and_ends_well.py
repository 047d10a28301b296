"""`longwire serve` from its first line to its exit code."""

import asyncio
import json
import signal

import pytest

from tests.conftest import Gateway
from tests.journeys.agent import Agent, scripted, streamed, user, ways
from tests.journeys.conftest import become
from tests.journeys.process import served

pytestmark = pytest.mark.process

SESSION = {"session-id": "s-1"}


async def test_it_serves_and_lets_streams_end_at_a_signal(emulator, client_of, tmp_path):
    """It prints its URL, serves, and at SIGTERM ends with 0 after the streams in flight."""
    async with served(tmp_path, emulator.url) as command:
        assert f"Longwire serves {command.url}" == command.announced
        gateway = Gateway(None, command.url)
        agents = [
            Agent(client_of(gateway, headers={"session-id": f"s-{n}"}), emulator, ask=streamed)
            for n in range(3)
        ]
        for agent in agents:
            assert ["fresh new_session", "continued"] == ways(await agent.turns(2))
        began = emulator.counters.creates
        async with asyncio.TaskGroup() as group:
            slow = scripted(delay_ms=15)
            running = [group.create_task(agent.step(metadata=slow)) for agent in agents]
            await become(lambda: emulator.counters.creates == began + 3)
            command.process.send_signal(signal.SIGTERM)
        assert [("completed", "continued")] * 3 == [
            (task.result().response.status, task.result().way) for task in running
        ]
        async with asyncio.timeout(10):
            assert 0 == await command.process.wait()
        lines = [json.loads(line) async for line in command.process.stderr]
        logged = [line for line in lines if line["event"] != "limits_counted"]
        assert [("turn", "completed")] * 9 == [(line["event"], line["outcome"]) for line in logged]
    await become(lambda: emulator.counters.sockets_open == 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_at_once_when_nothing_runs(emulator, client_of, tmp_path, number):
    """Idle upstream connections hold nobody up."""
    async with served(tmp_path, emulator.url) as command:
        client = client_of(Gateway(None, command.url), headers=SESSION)
        await Agent(client, emulator).say(user("hi"))
        command.process.send_signal(number)
        async with asyncio.timeout(5):
            assert 0 == await command.process.wait()
    await become(lambda: emulator.counters.sockets_open == 0)
