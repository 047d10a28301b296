"""SIGTERM while clients are connected over WebSocket: at rest, or with a turn under way."""

import asyncio
import json
import signal

import pytest

from tests.doubles.sockets import socket, user
from tests.journeys.agent import scripted
from tests.journeys.conftest import become
from tests.journeys.process import served

pytestmark = pytest.mark.process


async def test_clients_at_rest_are_sent_away_and_turns_end_first(emulator, tmp_path):
    """1001 at once for who rests, after its response for who does not, and exit status 0."""
    async with (
        served(tmp_path, emulator.url) as command,
        socket(command.url) as idle,
        socket(command.url) as rested,
        socket(command.url, metadata=scripted(delay_ms=30)) as busy,
    ):
        await rested.ask(user("hi"))
        began = emulator.counters.creates
        await busy.create(user("hi"), stream_id="a")
        await busy.create(user("hi"), stream_id="b")
        await become(lambda: emulator.counters.creates == began + 2)
        command.process.send_signal(signal.SIGTERM)
        for client in (idle, rested):
            assert (1001, "the gateway is shutting down") == await client.closed()
        assert ["completed"] * 2 == [(await busy.answer(lane))["status"] for lane in ("b", "a")]
        assert 1001 == (await busy.closed())[0]
        async with asyncio.timeout(10):
            assert 0 == await command.process.wait()
        lines = [json.loads(line) async for line in command.process.stderr]
        logged = [line for line in lines if line["event"] != "limits_counted"]
        assert [("turn", "completed")] * 3 == [(line["event"], line["outcome"]) for line in logged]
    await become(lambda: emulator.counters.sockets_open == 0)


async def test_a_client_that_reads_nothing_does_not_hold_up_the_end(emulator, tmp_path):
    """Its close is waited for a second, not for the 30 s of grace; then the gateway ends."""
    async with served(tmp_path, emulator.url) as command, socket(command.url) as deaf:
        await deaf.ask(user("hi"))
        deaf.connection.transport.pause_reading()
        command.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert 0 == await command.process.wait()
