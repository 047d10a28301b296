"""The gateway as a process of its own: memory, signals, exit status."""

import asyncio
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conftest import KEY, Gateway
from tests.doubles.canned import COMPLETED, CREATED, answer, canned, sse
from tests.server.conftest import dial, events_of

STREAMED = b'{"model":"m","input":"hi","stream":true}'
DELTA = b'{"type":"response.output_text.delta","delta":"%b"}' % (b"x" * 2000)
MEGABYTE = 1024 * 1024
STREAM = sse(CREATED, COMPLETED)
ENDLESS = [answer(sse(CREATED), size=999), 30.0]
SLOW = [answer(sse(CREATED), size=len(STREAM)), 1.0, sse(COMPLETED)]

CONFIG = """
[server]
port = {port}
shutdown_grace = "{grace}"
[[channels]]
name = "main"
base_url = "{upstream}"
api_key = "sk-upstream"
transport = "http"
[[api_keys]]
name = "dev"
key = "{key}"
"""


class Process:
    """A running gateway with its first line read."""

    def __init__(self, process, gateway):
        self.process = process
        self.gateway = gateway

    def signal(self, *signals):
        for each in signals:
            self.process.send_signal(each)

    async def end(self):
        """Exit status and what was logged."""
        async with asyncio.timeout(10):
            _, logged = await self.process.communicate()
        return self.process.returncode, logged.decode()

    def resident(self):
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


async def start(folder, upstream, *options, port=0, grace="5s"):
    config = folder / "gateway.toml"
    text = CONFIG.format(port=port, grace=grace, upstream=upstream, key=KEY)
    config.write_text(text, encoding="utf-8")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "longwire", "serve", "--config", str(config), *options),
        cwd=folder,
        env={name: value for name, value in os.environ.items() if "LONGWIRE" not in name},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(folder, upstream, *options, **config):
    process = await start(folder, upstream, *options, **config)
    try:
        line = (await process.stdout.readline()).decode()
        url = re.fullmatch(r"Longwire serves (http://\S+)\n", line)
        assert url, (line, await process.stderr.read())
        yield Process(process, Gateway(None, url[1]))
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def between(folder, *answers, options=(), **config):
    """An upstream that says `answers`, a gateway process before it, and a connection to that."""
    async with (
        canned(*answers) as upstream,
        running(folder, upstream.url, *options, **config) as process,
        dial(process.gateway) as wire,
    ):
        yield upstream, process, wire


async def settled(read):
    """Wait until a figure has stood still for a while, and return it."""
    before = -1
    while (now := read()) != before:
        before = now
        await asyncio.sleep(0.3)
    return now


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
async def test_a_client_that_stops_reading_costs_no_memory(tmp_path):
    """A stalled reader stalls the upstream: 60 MB wait there, not here, and then all arrive."""
    piece = sse(*[DELTA] * 100)
    count = 60 * MEGABYTE // len(piece)
    size = len(STREAM) + count * len(piece)
    long = [answer(sse(CREATED), size=size), *[piece] * count, sse(COMPLETED)]
    async with between(tmp_path, answer(), long) as (upstream, process, wire):
        await wire.ask(STREAMED)
        before = process.resident()
        await wire.send(STREAMED)
        sent = await settled(lambda: upstream.sent)
        grown = process.resident() - before
        _, _, body = await wire.receive()
    assert sent < 30 * MEGABYTE
    assert grown < 16 * MEGABYTE
    assert sum(1 for _ in events_of(body)) == 100 * count + 2


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_idle_gateway(tmp_path, told):
    """The exit status is 0 and nothing is logged; idle connections do not hold it up."""
    async with between(tmp_path) as (_, process, wire):
        await wire.ask(STREAMED)
        process.signal(told)
        assert await process.end() == (0, "")


async def test_turns_in_flight_end_whole(tmp_path):
    """After SIGTERM a running turn is served to its end, new callers are not let in."""
    async with between(tmp_path, SLOW) as (_, process, wire):
        await wire.send(STREAMED)
        await wire.reader.readuntil(b"\r\n\r\n")
        process.signal(signal.SIGTERM)
        assert b"response.completed" in await wire.reader.read()
        assert await process.end() == (0, "")
        with pytest.raises(ConnectionRefusedError):
            await dial(process.gateway).__aenter__()


async def test_a_second_signal_ends_at_once(tmp_path):
    """Whoever cannot wait says so twice."""
    async with between(tmp_path, ENDLESS, grace="30s") as (_, process, wire):
        await wire.send(STREAMED)
        await wire.reader.readuntil(b"resp_1")
        process.signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        process.signal(signal.SIGTERM)
        async with asyncio.timeout(2):
            await process.process.wait()


async def test_the_grace_period_ends(tmp_path):
    """A turn that does not end in time is cut, and the log says so in a line, without a trace."""
    async with between(tmp_path, ENDLESS, grace="200ms") as (_, process, wire):
        await wire.send(STREAMED)
        await wire.reader.readuntil(b"resp_1")
        process.signal(signal.SIGTERM)
        status, logged = await process.end()
    assert (status, logged.count("\n")) == (0, 1)
    assert "timeout graceful shutdown exceeded" in logged


async def test_a_busy_port_is_one_line(tmp_path):
    """An address in use is the operator's to mend, and the line says how."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await start(tmp_path, "http://127.0.0.1:1", port=port)
        _, logged = await process.communicate()
    assert process.returncode == 1
    assert logged.decode() == (
        f"longwire: cannot listen on 127.0.0.1:{port} (Address already in use); stop what uses "
        "it, or set another server.host or server.port\n"
    )


async def test_several_workers(tmp_path):
    """Each worker builds itself from the same file; the log warns that connections are its own."""
    async with between(tmp_path, options=("--workers", "2")) as (_, process, wire):
        assert (await wire.ask(STREAMED))[0] == 200
        process.signal(signal.SIGTERM)
        status, logged = await process.end()
    assert status == 0
    (line,) = logged.splitlines()
    assert "each keeps its own warm connections" in line
