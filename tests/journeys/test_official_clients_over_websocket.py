"""The official clients in their WebSocket mode, from an environment of their own.

They pin an older `websockets` than the gateway's, so they are installed beside it, once.
"""

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from longwire.emulator import Fault, Script, digest
from tests.conftest import KEY
from tests.journeys.conftest import settings_of, websocket_channel

PACKAGES = ("openai[realtime]==3.54.0", "openai-agents==0.24.0")
STORIES = Path(__file__).parents[1] / "doubles" / "official_websocket.py"
EXPIRED = {"code": "websocket_connection_limit_reached", "status": 400}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="session")
def their_python(request) -> Path:
    """The interpreter of an environment with the clients; `LONGWIRE_TEST_CLIENTS` says where."""
    folder = Path(
        os.environ.get("LONGWIRE_TEST_CLIENTS") or request.config.cache.mkdir("official-clients")
    )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run on several cores
        return installed(folder)


def installed(folder: Path) -> Path:
    """Install the clients into a folder unless they are there."""
    stamp, python = folder / "installed", folder / "env" / "bin" / "python"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == "\n".join(PACKAGES):
        return python
    shutil.rmtree(folder / "env", ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    result = subprocess.run([*command, *PACKAGES], capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.skip(f"the official clients cannot be installed: {result.stderr[-300:]}")
    stamp.write_text("\n".join(PACKAGES), encoding="utf-8")
    return python


async def story(python: Path, name: str, url: str) -> list[dict]:
    """Run one story of the script against a gateway."""
    unwanted = ("proxy", "ssl_cert")
    bare = {k: v for k, v in os.environ.items() if not any(u in k.lower() for u in unwanted)}
    process = await asyncio.create_subprocess_exec(
        *(str(python), str(STORIES), name, url, KEY),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**bare, "OPENAI_AGENTS_DISABLE_TRACING": "1"},
    )
    out, err = await process.communicate()
    process._transport.close()
    assert 0 == process.returncode, err.decode()[-3_000:]
    return json.loads(out)


def check(emulator, told: list[dict]) -> None:
    """Each turn of each lane was shown to the model with all that was said before on its lane."""
    records = {turn.response_id: turn for turn in emulator.turns}
    histories: dict = {}
    for turn in told:
        history = histories.setdefault(turn["lane"], [])
        history += turn["said"]
        if turn["id"] in records:
            assert digest(history) == records[turn["id"]].digest
        history += turn["heard"]


@pytest.mark.parametrize("trouble", [None, "expired", "lost"])
async def test_the_openai_client_goes_on_by_its_ids(their_python, emulator, gateway, trouble):
    """Ten turns with tools over `client.responses.connect()`, whatever befalls the upstream."""
    if trouble == "expired":
        emulator.faults.add(Fault(at="before_create", act="error", skip=4, **EXPIRED))
    if trouble == "lost":
        emulator.faults.add(Fault(at="after_create", act="close", code=1011, skip=4))
    told = await story(their_python, "plain", gateway.url)
    check(emulator, told)
    assert 10 == len(told)
    assert bool(trouble) + 1 == emulator.counters.sockets_opened


async def test_the_openai_client_talks_on_lanes(their_python, emulator, gateway):
    """Four lanes of one `AsyncResponsesWebSocketSession` at once, each with its own history."""
    emulator.script = Script(delay_ms=5)
    told = await story(their_python, "lanes", gateway.url)
    check(emulator, told)
    assert 20 == len(told)
    assert (4, 16) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)


@pytest.mark.parametrize("way", ["websocket", "http"])
async def test_openai_agents_run_over_their_websocket_model(their_python, emulator, serve, way):
    """Two runs with tools, chained by id; over an HTTP upstream, too."""
    emulator.script = Script(tool_rounds=2)
    channel = websocket_channel(emulator.url, transport=way)
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    told = await story(their_python, "agents", gateway.url)
    assert [3, 3] == [len(run["ids"]) for run in told]
    for run in told:
        record = next(turn for turn in emulator.turns if turn.response_id == run["ids"][-1])
        assert f"context sha256:{record.digest}" in run["answer"]
    if way == "websocket":
        assert (1, 5) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)
