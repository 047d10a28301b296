"""The gateway as a process of its own: memory, signals, exit status."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import KEY, Gateway
from tests.doubles.canned import COMPLETED, CREATED, DELTA, answer, canned, sse
from tests.server.conftest import dial, events_of, is_envelope

pytestmark = pytest.mark.process

STREAMED = b'{"model":"m","input":"hi","stream":true}'
LONG = b'{"type":"response.output_text.delta","delta":"%b"}' % (b"x" * 2000)
MEGABYTE = 1024 * 1024
STREAM = sse(CREATED, DELTA, COMPLETED)
STARTED = {"limits_counted", "several_workers"}
ENDLESS = [answer(sse(CREATED, DELTA), size=999), 90.0]

CONFIG = """
[server]
port = {port}
lame_duck = "{lame_duck}"
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
            # asyncio's own way asks first whether it has ended, and so takes its exit status away.
            os.kill(self.process.pid, each)

    async def end(self):
        """Exit status and what was logged."""
        async with asyncio.timeout(25):
            _, logged = await self.process.communicate()
        return self.process.returncode, logged.decode()

    def resident(self):
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


async def start(folder, upstream, *options, **server):
    config = folder / "gateway.toml"
    values = {"port": 0, "grace": "5s", "lame_duck": "0s", **server}
    text = CONFIG.format(**values, upstream=upstream, key=KEY)
    config.write_text(text, encoding="utf-8")
    hidden = ("LONGWIRE", "XDG_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "longwire", "serve", "--config", str(config), *options),
        cwd=folder,
        env={**inherited, "HOME": str(folder)},
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
        dial(process.gateway) as connection,
    ):
        yield upstream, process, connection


async def settled(read):
    """Wait until a figure has stood still for a while, and return it."""
    before = -1
    while (now := read()) != before:
        before = now
        await asyncio.sleep(0.3)
    return now


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
async def test_localhost_is_both_families(tmp_path, options):
    """Programs that prefer IPv6 find it at the same port as all others."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    chosen = ("--host", "localhost", *options)
    async with canned() as upstream, running(tmp_path, upstream.url, *chosen) as process:
        for host in ("127.0.0.1", "[::1]"):
            url = process.gateway.url.replace("127.0.0.1", host)
            async with dial(Gateway(None, url)) as connection:
                assert 200 == (await connection.ask(STREAMED))[0]
        process.signal(signal.SIGTERM)
        await process.end()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
async def test_a_client_that_stops_reading_costs_no_memory(tmp_path):
    """A stalled reader stalls the upstream: 60 MB wait there, not here, and then all arrive."""
    piece = sse(*[LONG] * 100)
    count = 60 * MEGABYTE // len(piece)
    size = len(STREAM) + count * len(piece)
    long = [answer(sse(CREATED, DELTA), size=size), *[piece] * count, sse(COMPLETED)]
    async with between(tmp_path, answer(), long) as (upstream, process, connection):
        await connection.ask(STREAMED)
        before = process.resident()
        await connection.send(STREAMED)
        sent = await settled(lambda: upstream.sent)
        grown = process.resident() - before
        _, _, body = await connection.receive()
    assert sent < 30 * MEGABYTE
    assert grown < 16 * MEGABYTE
    assert sum(1 for _ in events_of(body)) == 100 * count + 3


def turns(logged):
    """How the turns in a log ended, which has nothing else but what a start says."""
    lines = [json.loads(line) for line in logged.splitlines()]
    lines = [line for line in lines if line["event"] not in STARTED]
    assert {line["event"] for line in lines} <= {"turn"}
    return [line["outcome"] for line in lines]


async def drains(gateway):
    """Wait until a gateway says so, and return how it answers new turns meanwhile.

    Of several workers one without a turn ends at once; what it had accepted comes to another.
    """
    async with asyncio.timeout(20):
        while True:
            with suppress(ConnectionResetError, asyncio.IncompleteReadError):
                async with dial(gateway) as connection:
                    return await asked_while_draining(connection)


async def asked_while_draining(connection):
    ready = {"method": "GET", "path": "/ready"}
    while (await connection.ask(b"", **ready))[0] == 200:  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(0.01)
    assert (await connection.ask(b"", method="GET", path="/health"))[0] == 200
    return await connection.ask(STREAMED)


def until(end):
    """An answer that ends when `end` is set."""
    return [answer(sse(CREATED, DELTA), size=len(STREAM)), end, sse(COMPLETED)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_idle_gateway(tmp_path, number):
    """The exit status is 0 and no error is logged; idle connections do not hold it up."""
    async with between(tmp_path) as (_, process, connection):
        await connection.ask(STREAMED)
        process.signal(number)
        status, logged = await process.end()
    assert (status, turns(logged)) == (0, ["completed"])


async def test_turns_in_flight_end_whole(tmp_path):
    """After SIGTERM running turns are served to their end; new ones hear when to come again."""
    end = asyncio.Event()
    async with (
        between(tmp_path, until(end), grace="30s") as (_, process, connection),
        AsyncExitStack() as stack,
    ):
        connections = [connection]
        connections += [await stack.enter_async_context(dial(process.gateway)) for _ in range(49)]
        for each in connections:
            await each.send(STREAMED)
            await each.reader.readuntil(b"resp_1")
        process.signal(signal.SIGTERM)
        status, headers, body = await drains(process.gateway)
        assert (status, headers["retry-after"], is_envelope(body)) == (503, "5", True)
        end.set()
        for each in connections:
            assert b"response.completed" in await each.reader.read()
        status, logged = await process.end()
        with pytest.raises(ConnectionRefusedError):
            await dial(process.gateway).__aenter__()
    assert (status, turns(logged)) == (0, ["completed"] * 50)


async def leaves(connection):
    """Wait until a gateway is ready no more, and return what it says then."""
    async with asyncio.timeout(20):
        while True:
            status, _, body = await connection.ask(b"", method="GET", path="/ready")
            if status != 200:
                return status, json.loads(body)["status"]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
async def test_a_lame_duck_serves_on(tmp_path, options):
    """After SIGTERM it is not ready at once, and serves turns until its time is over."""
    lasting = {"options": options, "lame_duck": "1s", "grace": "30s"}
    async with between(tmp_path, **lasting) as (_, process, connection):
        await connection.ask(STREAMED)
        began = time.monotonic()
        process.signal(signal.SIGTERM)
        assert (503, "leaving") == await leaves(connection)
        async with dial(process.gateway) as another:
            for each in (connection, another):
                status, _, body = await each.ask(STREAMED)
                assert (200, True) == (status, b"response.completed" in body)
        status, logged = await process.end()
        assert time.monotonic() - began >= 1
    assert (status, turns(logged)) == (0, ["completed"] * 3)


async def test_after_the_lame_duck_turns_end_within_the_grace(tmp_path):
    """A turn that began before, or meanwhile, is served to its end; a new one is refused then."""
    end, lasting = asyncio.Event(), {"lame_duck": "500ms", "grace": "30s"}
    async with between(tmp_path, until(end), **lasting) as (_, process, connection):
        process.signal(signal.SIGTERM)
        async with dial(process.gateway) as probe:
            assert (503, "leaving") == await leaves(probe)
            await connection.send(STREAMED)
            await connection.reader.readuntil(b"resp_1")
            async with asyncio.timeout(20):
                while (await leaves(probe))[1] == "leaving":  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.01)
            assert 503 == (await probe.ask(STREAMED))[0]
        end.set()
        assert b"response.completed" in await connection.reader.read()
        status, logged = await process.end()
    assert (status, turns(logged)) == (0, ["completed"])


async def test_nobody_waits_at_a_keyboard_for_a_lame_duck(tmp_path):
    """Ctrl-C stops an idle gateway at once."""
    async with between(tmp_path, lame_duck="1m") as (_, process, connection):
        await connection.ask(STREAMED)
        process.signal(signal.SIGINT)
        async with asyncio.timeout(10):
            status, logged = await process.end()
    assert (status, turns(logged)) == (0, ["completed"])


async def test_a_second_signal_ends_a_lame_duck_at_once(tmp_path):
    """Whoever cannot wait for the balancers says so twice."""
    async with between(tmp_path, lame_duck="1m") as (_, process, connection):
        process.signal(signal.SIGTERM)
        assert (503, "leaving") == await leaves(connection)
        process.signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            status, logged = await process.end()
    assert (0, False) == (status, "Traceback" in logged)


async def test_a_second_signal_ends_at_once(tmp_path):
    """Whoever cannot wait says so twice."""
    async with between(tmp_path, ENDLESS, grace="30s") as (_, process, connection):
        await connection.send(STREAMED)
        await connection.reader.readuntil(b"resp_1")
        process.signal(signal.SIGTERM)
        await drains(process.gateway)
        process.signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            status, logged = await process.end()
    assert status == 0
    assert "Traceback" not in logged


async def test_the_grace_period_ends(tmp_path):
    """A turn that does not end in time is cut, and the log says so without a trace."""
    async with between(tmp_path, ENDLESS, grace="200ms") as (_, process, connection):
        await connection.send(STREAMED)
        await connection.reader.readuntil(b"resp_1")
        began = time.monotonic()
        process.signal(signal.SIGTERM)
        status, logged = await process.end()
        assert time.monotonic() - began < 20
    lines = [line for line in logged.splitlines() if json.loads(line)["event"] not in STARTED]
    cut, turn = sorted(lines, key=lambda line: "turn" in json.loads(line)["event"])
    assert status == 0
    assert "timeout graceful shutdown exceeded" in cut
    assert turns(turn) == ["abandoned"]


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


async def test_several_workers_drain(tmp_path):
    """They, too, serve running turns to their end and answer new ones with 503."""
    options, end = ("--workers", "2"), asyncio.Event()
    async with (
        between(tmp_path, until(end), options=options, grace="30s") as (_, process, connection),
        dial(process.gateway) as other,
    ):
        for each in (connection, other):
            await each.send(STREAMED)
            await each.reader.readuntil(b"resp_1")
        process.signal(signal.SIGTERM)
        assert (await drains(process.gateway))[0] == 503
        end.set()
        for each in (connection, other):
            assert b"response.completed" in await each.reader.read()
        status, logged = await process.end()
    assert (status, turns(logged)) == (0, ["completed"] * 2)


async def test_a_second_signal_ends_several_workers_at_once(tmp_path):
    """Their supervisor, too, waits for nobody when it is signalled twice."""
    options = ("--workers", "2")
    async with between(tmp_path, ENDLESS, options=options, grace="30s") as (_, process, connection):
        await connection.send(STREAMED)
        await connection.reader.readuntil(b"resp_1")
        process.signal(signal.SIGTERM)
        await drains(process.gateway)
        process.signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            status, _ = await process.end()
    assert status == 0


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_a_flood_of_reloads_ends_nothing(tmp_path, options):
    """SIGHUP while it starts, serves and stops: the file is read, and the exit status is 0."""
    async with between(tmp_path, options=options) as (_, process, connection):
        for _ in range(300):
            process.signal(signal.SIGHUP)
            await asyncio.sleep(0.001)
        assert 200 == (await connection.ask(STREAMED))[0]
        process.signal(signal.SIGTERM)
        while process.process.returncode is None:
            with suppress(ProcessLookupError):
                process.signal(signal.SIGHUP)
            await asyncio.sleep(0.001)
        status, logged = await process.end()
    assert (0, True) == (status, "configuration_reloaded" in logged)
