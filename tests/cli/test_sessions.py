"""`longwire sessions`: what running gateways tell, as a table, as JSON, live."""

import asyncio
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from longwire.core.rules.lease import PoolLimits, State
from longwire.core.rules.ledger import Ledger
from longwire.emulator import Emulator
from longwire.server.live_sessions import serving_sessions
from tests.conftest import KEY
from tests.core.turns import key, turn, user
from tests.journeys.process import served

pytestmark = pytest.mark.process

COMMAND = (sys.executable, "-m", "longwire", "sessions")
NONE = (
    "longwire: no gateway of this user runs{}; start one with longwire serve, with the same "
    "XDG_RUNTIME_DIR as here\n"
)


@pytest.fixture
def runtime(monkeypatch):
    """A folder with a short name: the path of a Unix socket has a limit."""
    with tempfile.TemporaryDirectory(prefix="lw") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        (Path(short) / "longwire").mkdir(mode=0o700)
        yield Path(short)


@asynccontextmanager
async def gateway(port, *sessions):
    """What a gateway tells whose connections have these sessions, the first one idle."""
    ledger = Ledger(PoolLimits())
    now = asyncio.get_running_loop().time()
    for name in sessions:
        ledger.opened(ledger.acquire(key(name), turn(user("hi")), now).connection, 1e9)
    first, *_ = ledger.entries()
    first.state = State.IDLE
    first.continued, first.bytes_saved = 41, 1_250_000
    async with serving_sessions(port, ledger, lambda: {"e": "main"}):
        yield


async def run(*options):
    """Exit status, output and complaints of the command."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complaints = await process.communicate()
    return process.returncode, output.decode(), complaints.decode()


async def test_no_gateway(runtime):
    """One line says so, and what to do."""
    assert await run() == (1, "", NONE.format(""))
    assert await run("--once", "--port", "80") == (1, "", NONE.format(" at port 80"))
    (runtime / "longwire").rmdir()
    assert await run("--json") == (1, "", NONE.format(""))


async def test_a_table_in_plain_lines(runtime):
    """In a pipe it has 80 columns; what a terminal would obey is shown as a question mark."""
    long = "0198c9f4-7e5a-7cc3-98c4-dc0c0c07398f"
    async with gateway(8090, long, "\x1b[31mred", ""):
        status, output, complaints = await run()
    lines = [line.rstrip() for line in output.splitlines()]
    assert (status, complaints) == (0, "")
    assert max(map(len, output.splitlines())) <= 80
    assert "\x1b" not in output
    assert [
        ["channel", "session", "state", "age", "turns", "cont.", "saved", "last"],
        ["main", "0198c9…7398f", "idle", "0s", "1", "41", "1.2", "MB", "new_session"],
        ["main", "?[31mred", "leased", "0s", "1", "0", "0", "B", "new_session"],
        ["main", "–", "leased", "0s", "1", "0", "0", "B", "new_session"],
    ] == [re.sub(r"\b\ds\b", "0s", line).split() for line in lines[:-1]]
    assert lines[-1] == "live 3, leased 2; turns 3, continued 41; saved 1.2 MB"


async def test_several_gateways_are_merged(runtime):
    """JSON tells everything of all of them, and of which; --port picks."""
    async with gateway(8090, "a", "b"), gateway(8091, "c"):
        _, every, _ = await run("--json")
        _, one, _ = await run("--json", "--port", "8091")
    rows = json.loads(every)
    assert [(8090, "a"), (8090, "b"), (8091, "c")] == [(r["port"], r["session"]) for r in rows]
    assert {os.getpid()} == {row["process"] for row in rows}
    assert rows[0]["bytes_saved"] == 1_250_000
    assert ["c"] == [row["session"] for row in json.loads(one)]


async def test_a_gateway_without_connections(runtime):
    """It runs, and has nothing to tell."""
    async with serving_sessions(8090, Ledger(PoolLimits()), dict):
        status, output, _ = await run("--once")
        assert (0, "[]\n", "") == await run("--json")
    assert status == 0
    assert output.endswith("live 0, leased 0; turns 0, continued 0; saved 0 B\n")


def dead():
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        return ended.pid


async def test_stale_sockets(runtime):
    """The socket of a dead process is removed without a word; other files are left alone."""
    place = runtime / "longwire"
    stale = place / f"8090-{dead()}.sock"
    starting = place / f"8091-{os.getpid()}.sock"
    for path in (stale, starting):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    for name in ("a-1.sock", "8090-x.sock", "8090-1.txt"):
        (place / name).touch()
    async with gateway(8092, "a"):
        status, _, complaints = await run()
    assert (status, complaints) == (0, "")
    assert {starting.name, "a-1.sock", "8090-x.sock", "8090-1.txt"} == {
        path.name for path in place.iterdir()
    }


async def test_a_folder_that_somebody_else_laid_out(runtime):
    """A link leads who knows where."""
    (runtime / "longwire").rmdir()
    (runtime / "longwire").symlink_to(runtime)
    status, _, complaints = await run()
    assert status == 1
    assert "is not a folder of this user; name another folder of yours" in complaints
    assert complaints.count("\n") == 1


def _obey_interrupts() -> None:
    """Undo what a shell does to what it starts in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


async def test_a_terminal_sees_it_live(runtime):
    """The table changes while one looks; Ctrl-C ends it well."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(gateway(8090, "first"))
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=_obey_interrupts
        )
        os.close(theirs)
        seen = bytearray()
        asyncio.get_running_loop().add_reader(ours, lambda: seen.extend(os.read(ours, 65536)))
        async with asyncio.timeout(20):
            while b"first" not in seen:  # noqa: ASYNC110 - a terminal tells nobody
                await asyncio.sleep(0.02)
            await stack.enter_async_context(gateway(8091, "second"))
            while b"second" not in seen:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            status = await process.wait()
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)
    assert status == 0
    assert b"Traceback" not in seen


async def test_a_gateway_that_serves(tmp_path, monkeypatch):
    """`longwire serve` tells its own connections."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    async with Emulator() as upstream, served(tmp_path, upstream.url) as running:
        headers = {"authorization": f"Bearer {KEY}", "session_id": "one"}
        async with aiohttp.ClientSession(headers=headers) as client:
            body = {"model": "m", "input": [{"role": "user", "content": "hi"}]}
            async with client.post(f"{running.url}/v1/responses", json=body) as answer:
                assert answer.status == 200
        _, output, complaints = await run("--json", "--port", running.url.rpartition(":")[2])
    (row,) = json.loads(output)
    assert complaints == ""
    assert ("main", "one", "idle", 1) == tuple(
        row[name] for name in ("channel", "session", "state", "turns")
    )
