"""`longwire latency` shows how long turns took, and `channels show` how a channel fares."""

import json
import os
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, socket

import msgspec
import pytest

from longwire.core.rules.health import Rest
from longwire.relay.records.last_failures import ChannelFailure
from longwire.server.fleet_health import Fare, Resting, Trust
from longwire.store.database import Database
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from longwire.store.usage import DAY
from tests.store.turn_rows import NOON, row

FAILURE = ChannelFailure(
    *(NOON, 503, "overloaded", "come back, says ***"), "http", "failing", "req-1", "7", "lw-0"
)
ADD = ("channels", "add", "up", "--set", "base_url=http://127.0.0.1:1/v1", "--set", "api_key=k")
RESTING = Resting(Rest.RETRY_AFTER, NOON, NOON + 60_000)


@pytest.fixture
async def logged(database_url):
    """A turn of just now, twice as slow as the one of the day before, and one that failed."""
    database, now = Database(database_url), time.time_ns() // 1_000_000
    rows = [
        row(0, now, first_event_ms=800, total_ms=2_000),
        row(1, now - DAY, first_event_ms=400, total_ms=1_000),
        row(2, now, error_code="server_error", first_event_ms=1),
    ]
    await Turns(database, Vault((b"k" * 32,))).add(rows)
    await database.close()


@contextmanager
def _running(port, fares):
    """A process of a gateway that answers how its channels fare."""
    answer = msgspec.json.encode(fares)
    with tempfile.TemporaryDirectory(prefix="lw") as short, socket(AF_UNIX) as listener:
        place = Path(short) / "longwire"
        place.mkdir(mode=0o700)
        listener.bind(str(place / f"{port}-{os.getpid()}.health"))
        listener.listen()

        def serve():
            while True:
                try:
                    asking, _ = listener.accept()
                except OSError:
                    return
                with asking:
                    asking.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield short


def test_latency_by_channel_and_model(command, logged):
    """Each line has its percentiles, and p50 against that of the time before."""
    for by, name in (("channel", "ch_1"), ("model", "gpt-5.5"), ("all", "all turns")):
        titles, line = command("latency", "--by", by, "--since", "12h").splitlines()
        assert by == titles.split()[0]
        assert [*name.split(), "1"] == line.split()[: len(name.split()) + 1]
    ((fact),) = json.loads(command("latency", "--since", "1h", "--json"))
    assert "ch_1" == fact["channel"]
    assert 800 == fact["first_event"]["mean"]
    assert 800 == pytest.approx(fact["first_event"]["p99"], rel=0.096)


def test_against_the_time_before(command, logged):
    """A turn that takes twice as long is a hundred percent dearer, by as much as buckets tell."""
    line = command("latency", "--since", "23h").splitlines()[1]
    assert any(cell in line for cell in ("+73%", "+107%", "+149%"))


def test_of_no_turn_nothing_is_shown(command):
    """It says so, rather than print titles alone."""
    assert "no served turns in this time\n" == command("latency")


def test_a_channel_says_why_it_rests(command, monkeypatch):
    """Since and until when, why, and the error with the turn to look at."""
    command(
        "channels", "add", "up", "--set", "base_url=http://127.0.0.1:1/v1", "--set", "api_key=k"
    )
    (spec,) = json.loads(command("channels", "list", "--json"))
    fare = Fare(
        *(Trust.RESTING, None, 0, "5xx: the upstream is failing", RESTING), None, FAILURE, FAILURE
    )
    with _running(8090, {spec["id"]: fare}) as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        shown = command("channels", "show", "up")
        checked = command("doctor", "--offline")
    since = "2026-09-21 14:13:20 UTC until 2026-09-21 14:14:20 UTC"
    rests = f"rests as long as the upstream asked for (Retry-After) since {since}"
    assert f"health: {rests}\n" in shown
    assert "health: cause: 5xx: the upstream is failing\n" in shown
    assert "503 overloaded: come back, says *** (longwire turns show req-1)" in shown
    assert f"warn channel up at process {os.getpid()}: {rests}" in checked


def test_a_key_that_rests_is_told_from_the_others(command, monkeypatch):
    """Why and until when, in the list and for programs."""
    command(*ADD)
    command("channels", "keys", "add", "up", "--label", "b", stdin="sk-planted-second-2222\n")
    (spec,) = json.loads(command("channels", "list", "--json"))
    fare = Fare(Trust.SOUND, resting_keys={spec["keys"][0]["id"]: RESTING})
    with _running(8090, {spec["id"]: fare}) as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        _, own, second = command("channels", "keys", "list", "up").splitlines()
        told = json.loads(command("channels", "keys", "list", "up", "--json"))
    assert "enabled" in own
    assert "rests as long as the upstream asked for (Retry-After) since 2026-09-21" in second
    assert [None, "retry_after"] == [each["resting"] and each["resting"]["why"] for each in told]


def test_where_nothing_runs_that_is_said(command, monkeypatch, tmp_path):
    """A channel is shown all the same."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    command(
        "channels", "add", "up", "--set", "base_url=http://127.0.0.1:1/v1", "--set", "api_key=k"
    )
    assert "health: not known here" in command("channels", "show", "up")
