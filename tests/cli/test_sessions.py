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

from longwire.core.nouns.run import run_id
from longwire.core.nouns.secret import Secret
from longwire.core.rules.lease import PoolLimits, State
from longwire.core.rules.ledger import Ledger
from longwire.emulator import Emulator
from longwire.server.live_sessions import serving_sessions
from longwire.settings import load
from longwire.store.store import open_store
from tests.conftest import KEY
from tests.core.turns import key, turn, user
from tests.journeys.process import served
from tests.store.turn_rows import NOON, row

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
async def gateway(port, *sessions, about=lambda _: {}):
    """What a gateway tells whose connections have these sessions, the first one idle."""
    ledger = Ledger(PoolLimits())
    now = asyncio.get_running_loop().time()
    for name in sessions:
        ledger.opened(ledger.acquire(key(name), turn(user("hi")), now).connection, 1e9)
    first, *_ = ledger.entries()
    first.state = State.IDLE
    first.continued, first.bytes_saved = 41, 1_250_000
    async with serving_sessions(port, ledger, lambda: {"e": "main"}, about):
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


async def test_gateways_are_told_apart_and_keys_named(runtime):
    """The port where several run; a key's name and the model where they are known."""
    about = {"key_name": "dev", "model": "gpt-5.5"}
    async with gateway(8090, "a"), gateway(8091, "b"):
        _, both, _ = await run("--once")
        _, one, _ = await run("--once", "--port", "8090")
    assert ["port", "channel"] == both.split()[:2]
    assert [["8090", "main", "a"], ["8091", "main", "b"]] == [
        line.split()[:3] for line in both.splitlines()[1:3]
    ]
    assert "channel" == one.split()[0]
    async with gateway(8090, "a", about=lambda _: about):
        _, known, _ = await run("--once")
    assert ["key", "model", "channel"] == known.split()[:3]
    assert ["dev", "gpt-5.5", "main", "a"] == known.splitlines()[1].split()[:4]


async def test_sessions_that_ended_are_listed_and_shown(runtime, tmp_path):
    """From the database, without a gateway: sums, and the turns of one, the oldest first."""
    place = tmp_path / "longwire.toml"
    place.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/longwire.db"\n')
    config = ("--config", str(place))
    settings = load(place)
    store = await open_store(
        settings.database.url.get_secret_value(), Secret(""), settings.database.secret_file
    )
    rows = [row(n, NOON + n, session=f"s{n % 2}", cost=10**9) for n in range(3)]
    await store.turns.add(rows)
    await store.close()
    assert "other sessions" not in (await run("show", "s0", *config))[2]
    _, listed, _ = await run("list", *config)
    titles, *found = [line.split() for line in listed.splitlines()]
    assert ["name", "key", "models"] == titles[:3]
    assert [["s0", "dev", "gpt-5.5", "2"], ["s1", "dev", "gpt-5.5", "1"]] == [
        line[:4] for line in found
    ]
    _, traces, _ = await run("list", "--traces", "--json", *config)
    (trace,) = json.loads(traces)
    assert ("trace-1", 3, 3.0) == (trace["name"], trace["turns"], trace["cost_usd"])
    for which in (trace["id"], "trace-1"):
        _, shown, _ = await run("show", which, *config)
        assert "trace trace-1" == shown.splitlines()[0]
        assert ["s0", "s1", "s0"] == [line.split()[2] for line in shown.splitlines()[5:]]
    _, shown, _ = await run("show", "s0", "--json", *config)
    assert [str(rows[0].id), str(rows[2].id)] == [
        str(each["id"]) for each in json.loads(shown)["turns"]
    ]
    code, shown, problem = await run("show", "none", *config)
    assert (1, "") == (code, shown)
    assert "longwire: There is no session or trace 'none'." == problem.splitlines()[-1]
    assert "no session is found" in (await run("list", "--model", "none", *config))[1]


async def test_sessions_of_one_name_are_told_apart(runtime, tmp_path):
    """The latest is shown; the others are named with their keys and ids."""
    place = tmp_path / "longwire.toml"
    place.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/longwire.db"\n')
    database = load(place).database
    store = await open_store(database.url.get_secret_value(), Secret(""), database.secret_file)
    await store.turns.add([row(0, NOON), row(1, NOON + 1, key_id="key_2", key_name="ci")])
    older = await store.runs.get("session", run_id("session", "agent-1", "prj_1", "key_1"))
    await store.close()
    code, shown, named = await run("show", "agent-1", "--config", str(place))
    assert (0, "session agent-1") == (code, shown.splitlines()[0])
    assert "ci" in shown
    assert "other sessions of this name" in named
    assert ["dev", older.id] == named.splitlines()[-1].split()
    _, shown, named = await run("show", older.id, "--config", str(place))
    assert "dev" in shown
    assert "other sessions" not in named


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
