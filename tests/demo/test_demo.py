"""`longwire demo` shows what the product does, and fails when the product does not do it."""

import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import httpx2
import pytest

from longwire.core.errors import ConfigurationError
from longwire.demo import run
from longwire.demo.report import Row, Session
from longwire.emulator import Turn, digest

COMMAND = [sys.executable, "-m", "longwire", "demo"]
TURNS = 12


def environment(**changes):
    """The process's own, without what would colour or widen the output."""
    unwanted = {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**kept, "PYTHONIOENCODING": "utf-8", **changes}


@pytest.fixture(scope="module")
def printed():
    """What one run prints into a pipe, on a machine whose environment names a proxy."""
    proxies = dict.fromkeys(("HTTP_PROXY", "ALL_PROXY", "http_proxy"), "http://127.0.0.1:9")
    command = [*COMMAND, "--once"]
    ended = subprocess.run(
        command, capture_output=True, env=environment(**proxies), encoding="utf-8", check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def rows(printed, transport):
    """The rows of one session, as words."""
    lines = [line.split() for line in printed.split("\n")]
    return [words for words in lines if words[1:2] == [transport] and words[0].isdecimal()]


def total(printed, name):
    """The two figures of one line of the totals."""
    line = next(line for line in printed.split("\n") if line.startswith(name))
    return re.split(r"\s{2,}", line)[1:]


@pytest.mark.process
def test_every_later_turn_continues(printed):
    """Over WebSocket the first turn goes in full and every later one continues, on one socket."""
    session = rows(printed, "websocket")
    assert [words[0] for words in session] == [str(n) for n in range(1, TURNS + 1)]
    assert session[0][2:4] == ["fresh", "new_session"]
    assert {words[2] for words in session[1:]} == {"continued"}
    assert total(printed, "WebSocket handshakes") == ["1", "0"]
    assert total(printed, "turns continued") == [str(TURNS - 1), "0"]


@pytest.mark.process
def test_the_same_session_goes_in_full_over_http(printed):
    """Over HTTP each turn carries all of the history, and says why."""
    session = rows(printed, "http")
    assert len(session) == TURNS
    assert {tuple(words[2:4]) for words in session} == {("fresh", "http_transport")}
    assert total(printed, "bytes not sent again")[1] == "0%"


@pytest.mark.process
def test_every_turn_is_exact(printed):
    """The model was shown what the client sent in every turn, and the verdict says so."""
    every = rows(printed, "websocket") + rows(printed, "http")
    assert {words[-1] for words in every} == {"✓"}
    assert total(printed, "violations") == ["0", "0"]
    assert "✓ every turn was exact, and every later one continued" in printed


@pytest.mark.process
def test_most_bytes_are_not_sent_again(printed):
    """What is saved is a share of what the client sent, tools and instructions included."""
    share, _ = total(printed, "bytes not sent again")
    assert int(share.removesuffix("%")) > 50


@pytest.mark.process
def test_the_upload_takes_the_time_that_is_told(printed):
    """The modelled line makes a long history slow, so that the times mean something."""
    assert "2 ms per KiB sent on and 30 ms to think" in printed
    _, over_http = total(printed, "first event, last turn")
    size = float(rows(printed, "http")[-1][4])
    assert int(over_http.removesuffix(" ms")) >= int(30 + 2 * size * 1000 / 1024)


@pytest.mark.process
def test_plain_in_a_pipe(printed):
    """A pipe gets no control characters and no line that a narrow terminal would break."""
    assert "\x1b" not in printed
    assert [line for line in printed.split("\n") if len(line) > 80] == []


@pytest.mark.process
def test_serves_until_interrupted():
    """Without `--once` it tells how to connect, keeps serving, and ends cleanly on Ctrl-C."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, env=environment(), text=True) as demo:
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if "output_text" in line:
                break
        signed_in = sign_in("".join(lines))
        snippet = "".join(lines).partition("from openai")[2]
        told = subprocess.run(
            [sys.executable, "-c", f"from openai{snippet}"],
            capture_output=True,
            text=True,
            check=False,
        )
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 0
        demo.stdout.close()
    assert told.stdout.startswith("context sha256:"), told.stderr
    assert signed_in == {"data": {"signIn": {"role": "OWNER"}}}


def sign_in(printed):
    """Sign in to the admin API as the demo says, where it says."""
    page = re.search(r"see it +(\S+)", printed)[1]
    email, password = re.search(r"sign in +(\S+) with the password (\S+)", printed).groups()
    query = "mutation ($i: SignInInput!) { signIn(input: $i) { role } }"
    asked = {"query": query, "variables": {"i": {"email": email, "password": password}}}
    headers = {"x-longwire-csrf": "1"}
    return httpx2.post(f"{page}/admin/graphql", json=asked, headers=headers).json()


def row(way="continued", sent="a", seen="a"):
    """One turn whose client sent `sent` and whose model was shown `seen`."""
    client = SimpleNamespace(way=way, sent=[{"role": "user", "content": sent}])
    upstream = Turn(
        number=1, transport="websocket", route="public", connection=1, fingerprint="", bytes_in=1
    )
    upstream.digest = digest(seen)
    return Row(client, upstream)


def test_what_goes_wrong_is_told():
    """A turn that did not continue, one that was not exact, and a violation are problems."""
    first = row("fresh new_session")
    assert list(Session("websocket", [first, row()]).problems()) == []
    assert list(Session("http", [first, row("fresh http_transport")]).problems()) == []
    rows = [first, row("fresh turn_failed"), row(seen="b")]
    problems = list(Session("websocket", rows, violations=("bad frame",)).problems())
    assert problems == [
        "websocket, turn 2: fresh turn_failed instead of continued",
        "websocket, turn 3: the model was shown something else than the client sent",
        "websocket: bad frame",
    ]


def test_without_the_client(monkeypatch):
    """Where the official client is not installed, one line says how to get it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'longwire\[demo\]'"):
        run(once=True)
