"""The local socket: for this user alone, and never a reason not to serve."""

import asyncio
import os
import stat
import tempfile
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from structlog.testing import capture_logs

from longwire.core.nouns.access import ApiKey, Grant, digest_with
from longwire.core.nouns.run import run_id
from longwire.core.rules.lease import PoolLimits
from longwire.core.rules.ledger import Ledger
from longwire.relay.records.journal import Recent
from longwire.server.auth import Keys
from longwire.server.live_sessions import (
    LONGEST_PATH,
    AboutConnections,
    LiveSessions,
    folder,
    serving_sessions,
)
from tests.core.turns import key, turn, user
from tests.store.turn_rows import row


@pytest.fixture
def runtime(monkeypatch):
    """A folder with a short name, as a session of a desktop has one."""
    with tempfile.TemporaryDirectory(prefix="lw") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        yield Path(short)


@pytest.fixture
async def ledger():
    """A ledger with one connection, leased."""
    ledger = Ledger(PoolLimits())
    now = asyncio.get_running_loop().time()
    dial = ledger.acquire(key("session-1"), turn(user("hi")), now)
    ledger.opened(dial.connection, 1e9)
    return ledger


def names():
    """The channel of the endpoint that `key` has."""
    return {"e": "main"}


def permissions(path):
    """Who may do what."""
    return stat.S_IMODE(path.stat().st_mode)


async def asked(path):
    """What is listed over a socket."""
    reader, writer = await asyncio.open_unix_connection(path)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return msgspec.json.decode(answer)


async def test_rows_are_told_once_per_connection(runtime, ledger):
    """The socket carries port and process, opens for its user alone, and goes with the gateway."""
    path = runtime / "longwire" / f"8090-{os.getpid()}.sock"
    async with serving_sessions(8090, ledger, names):
        (row,) = await asked(path)
        assert (row,) == tuple(await asked(path))
        assert (0o700, 0o600) == (permissions(path.parent), permissions(path))
    assert 0 <= row.pop("age") < 10
    assert {
        "connection": 1,
        "channel": "main",
        "scope": "api_key:1",
        "session": "session-1",
        "state": "leased",
        "turns": 1,
        "continued": 0,
        "bytes_saved": 0,
        "last": "new_session",
    } == row
    assert not path.exists()


async def test_a_connection_tells_whose_it_is_and_what_it_serves(ledger):
    """By the key's name, also before its first turn has ended; a key that is gone leaves none."""
    now, recent, keys = asyncio.get_running_loop().time(), Recent(), Keys(digest_with(b"p" * 32))
    own = ApiKey("key_1", "dev", "", b"d", Grant(project_id="prj_1"))
    keys.hand_out((), [own])
    ledger.acquire(key("s", scope="api_key:key_1"), turn(user("hi")), now)
    ledger.acquire(key("", scope="api_key:key_1"), turn(user("hi")), now)
    ledger.acquire(key("s", scope="api_key:gone"), turn(user("hi")), now)
    about = AboutConnections(keys, recent)
    _, named, unnamed, gone = ledger.entries()
    whose = {"key_id": "key_1", "key_name": "dev", "model": "", "trace": ""}
    run = run_id("session", "s", "prj_1", "key_1")
    assert {**whose, "run": run} == about(named)
    assert {**whose, "run": ""} == about(unnamed)
    assert dict.fromkeys(("key_id", "key_name", "model", "run", "trace"), "") == about(gone)
    recent.write(row(connection=named.id, model_asked="small"))
    trace = run_id("trace", "trace-1", "prj_1")
    assert {**whose, "run": run, "model": "small", "trace": trace} == about(named)


async def test_connections_are_counted_by_channel(ledger):
    """By its id, which stands in the endpoint before what is its account's."""
    now = asyncio.get_running_loop().time()
    for number in range(2):
        ledger.acquire(key(f"s-{number}", endpoint="chn_1@acc_1"), turn(user("hi")), now)
    live = LiveSessions(SimpleNamespace(ledger=ledger), None, None)
    assert {"": 1, "chn_1": 2} == live.of_channels()


async def test_a_caller_that_hangs_up_disturbs_nobody(runtime, ledger):
    """Who asks and leaves is no error."""
    path = runtime / "longwire" / f"8090-{os.getpid()}.sock"
    with capture_logs() as lines:
        async with serving_sessions(8090, ledger, names):
            for _ in range(5):
                _, writer = await asyncio.open_unix_connection(path)
                writer.transport.abort()
            assert len(await asked(path)) == 1
    assert lines == []


async def test_the_remains_of_a_dead_process_are_replaced(runtime, ledger):
    """A process id comes again some day."""
    path = runtime / "longwire" / f"8090-{os.getpid()}.sock"
    path.parent.mkdir(mode=0o755)
    path.touch()
    async with serving_sessions(8090, ledger, names):
        assert len(await asked(path)) == 1
        assert permissions(path.parent) == 0o700


async def test_without_a_port_there_is_none(runtime, ledger):
    """A gateway within another program opens nothing."""
    async with serving_sessions(0, ledger, names):
        assert list(runtime.iterdir()) == []


def too_long(runtime, monkeypatch):
    """A name beyond what a Unix socket may have."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / ("x" * LONGEST_PATH)))


def a_link(runtime, monkeypatch):
    """A folder that is somewhere else."""
    (runtime / "elsewhere").mkdir()
    (runtime / "longwire").symlink_to(runtime / "elsewhere")


def a_file(runtime, monkeypatch):
    """No folder at all."""
    (runtime / "longwire").touch()


def of_somebody_else(runtime, monkeypatch):
    """A folder whose owner is another user."""
    (runtime / "longwire").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        (too_long, "name a shorter folder in XDG_RUNTIME_DIR"),
        (a_link, "is not a folder of this user; name another folder"),
        (a_file, "File exists"),
        (of_somebody_else, "is not a folder of this user; name another folder"),
    ],
)
async def test_an_obstacle_is_a_warning(runtime, ledger, monkeypatch, obstacle, reason):
    """A folder that cannot be used is named, and the gateway serves."""
    obstacle(runtime, monkeypatch)
    with capture_logs() as lines:
        async with serving_sessions(8090, ledger, names):
            pass
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("no_local_socket", "warning")
    assert reason in line["reason"]
    assert list(runtime.rglob("*.sock")) == []


@pytest.mark.parametrize("folder_name", [None, "", "relative"])
def test_without_a_runtime_folder(monkeypatch, folder_name):
    """The folder for temporaries has one for each user; a relative path does not count."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    if folder_name is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder_name)
    assert folder() == Path(tempfile.gettempdir()) / f"longwire-{os.geteuid()}"
