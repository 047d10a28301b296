"""A gateway one of whose tasks fails, as a process of its own: it ends, to be begun anew."""

import asyncio
import json
import signal

import pytest

from tests.server.conftest import dial
from tests.server.test_process import ENDLESS, STREAMED, between, leaves, until

pytestmark = pytest.mark.process

# Python runs a module of this name at its start: the first process to find the file fails.
FAULT = """
from pathlib import Path
from longwire.relay.channels.reconcile import ChannelReconciler

look = ChannelReconciler.look

async def fail_once(self):
    try:
        Path({file!r}).unlink()
    except FileNotFoundError:
        return await look(self)
    raise RuntimeError("a part that fails")

ChannelReconciler.look = fail_once
"""


@pytest.fixture
def fault(tmp_path, monkeypatch):
    """The file that makes a task fail which the gateway stands on, soon after it is there."""
    file, folder = tmp_path / "fault", tmp_path / "python"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FAULT.format(file=str(file)), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return file


def lines(logged, event):
    return [line for line in map(json.loads, logged.splitlines()) if line["event"] == event]


async def test_turns_end_and_then_the_process_does(tmp_path, fault):
    """It leaves as after SIGTERM, but with status 1, and logs the error once."""
    end, lasting = asyncio.Event(), {"lame_duck": "500ms", "grace": "30s"}
    async with between(tmp_path, until(end), **lasting) as (_, process, connection):
        await connection.send(STREAMED)
        await connection.reader.readuntil(b"resp_1")
        fault.touch()
        async with dial(process.gateway) as probe:
            assert (503, "leaving") == await leaves(probe)
            async with asyncio.timeout(20):
                while (await leaves(probe))[1] == "leaving":  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.01)
            assert 503 == (await probe.ask(STREAMED))[0]
        end.set()
        assert b"response.completed" in await connection.reader.read()
        status, logged = await process.end()
    assert (1, ["completed"]) == (status, [each["outcome"] for each in lines(logged, "turn")])
    (failed,) = lines(logged, "gateway_failed")
    assert "RuntimeError: a part that fails" in failed["exception"]
    assert 1 == logged.count("RuntimeError: a part that fails")


async def test_a_turn_without_end_holds_it_for_the_grace_alone(tmp_path, fault):
    """Then it is cut."""
    async with between(tmp_path, ENDLESS, grace="200ms") as (_, process, connection):
        await connection.send(STREAMED)
        await connection.reader.readuntil(b"resp_1")
        fault.touch()
        status, logged = await process.end()
    assert (1, 1) == (status, len(lines(logged, "gateway_failed")))


async def test_a_signal_hurries_it(tmp_path, fault):
    """It is leaving already, so that one is enough."""
    async with between(tmp_path, lame_duck="1m") as (_, process, connection):
        fault.touch()
        assert (503, "leaving") == await leaves(connection)
        process.signal(signal.SIGTERM)
        status, logged = await process.end()
    assert (1, 1) == (status, len(lines(logged, "gateway_failed")))


async def test_a_worker_is_begun_anew(tmp_path, fault):
    """The others serve meanwhile, and the supervisor's exit status stays 0."""
    async with between(tmp_path, options=("--workers", "2")) as (_, process, _connection):
        fault.touch()
        logged = b""
        async with asyncio.timeout(20):
            while b"program_ended" not in logged:
                logged += await process.process.stderr.readline()
        async with dial(process.gateway) as another:
            assert 200 == (await another.ask(STREAMED))[0]
        process.signal(signal.SIGTERM)
        status, _ = await process.end()
    (ended,) = lines(logged.decode(), "program_ended")
    assert (0, 1) == (status, ended["status"])
