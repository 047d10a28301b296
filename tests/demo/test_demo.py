"""`longwire demo` shows what the product does, and fails when the product does not do it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from anthropic import Anthropic

from longwire.core.errors import ConfigurationError
from longwire.demo import run
from longwire.demo.report import Row, Session, problems_of
from longwire.emulator import Turn

COMMAND = [sys.executable, "-m", "longwire", "demo"]
TURNS = 12
APIS = ("Responses", "Chat Completions", "Messages")


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


def rows(printed, api):
    """The rows of one API, as cells, without the number of their turn."""
    table, _, _ = printed.partition("in all")
    lines = [re.split(r"\s{2,}", line[4:].strip()) for line in table.split("\n")]
    return [cells for cells in lines if cells[0] == api]


def total(printed, name):
    """The figures of one line of the totals: those of the APIs, and that over HTTP."""
    line = next(line for line in printed.split("\n") if line.startswith(name))
    *figures, over_http = re.split(r"\s{2,}", line)[1:]
    return figures, over_http


@pytest.mark.process
@pytest.mark.parametrize("api", APIS)
def test_every_later_turn_continues(printed, api):
    """In each API the first turn goes in full over WebSocket, and every later one continues."""
    first, *later = rows(printed, api)
    assert first[1:3] == ["websocket", "fresh new_session"]
    assert [["websocket", "continued"]] * (TURNS - 1) == [cells[1:3] for cells in later]


@pytest.mark.process
def test_one_socket_serves_a_session(printed):
    """The totals have one handshake for each API, and none over HTTP, where nothing continues."""
    assert (["1"] * len(APIS), "0") == total(printed, "WebSocket handshakes")
    assert ([str(TURNS - 1)] * len(APIS), "0") == total(printed, "turns continued")


@pytest.mark.process
def test_turns_are_translated(printed):
    """At an upstream of Messages the model was shown the same, and its cache is read."""
    _, _, table = printed.partition("speaks Messages alone")
    lines = [
        re.split(r"\s{2,}", line.strip()) for line in table.split("\n") if "translated" in line
    ]
    assert [["Responses", "http", "fresh translated"]] * 2 == [cells[1:4] for cells in lines]
    assert ["✓", "✓"] == [cells[-1] for cells in lines]
    first, second = (int(cells[6].replace(",", "")) for cells in lines)
    assert 0 == first
    assert second > 2000


@pytest.mark.process
def test_turns_are_numbered_once(printed):
    """The rows of one turn stand together, in the order of the APIs, under its number."""
    table, _, _ = printed.partition("in all")
    lines = [line for line in table.split("\n") if line[6:].startswith(APIS)]
    assert [name for _ in range(TURNS) for name in APIS] == [line[6:24].strip() for line in lines]
    numbers = [line[:4].strip() for line in lines]
    assert [str(n) for n in range(1, TURNS + 1)] == [number for number in numbers if number]


@pytest.mark.process
def test_every_turn_is_exact(printed):
    """The model was shown the same conversation in every API, and the verdict says so."""
    assert {"✓"} == {cells[-1] for api in APIS for cells in rows(printed, api)}
    assert (["0"] * len(APIS), "0") == total(printed, "violations")
    assert "✓ every turn was exact, and every later one continued" in printed


@pytest.mark.process
def test_most_bytes_are_not_sent_again(printed):
    """What is saved is a share of what the client sent, tools and instructions included."""
    shares, over_http = total(printed, "bytes not sent again")
    assert [share for share in shares if int(share.removesuffix("%")) <= 75] == []
    assert over_http == "0%"


@pytest.mark.process
def test_most_tokens_are_cached(printed):
    """Every later turn of each API finds its prompt in the upstream's cache."""
    cached = [cells[5] for api in APIS for cells in rows(printed, api)[1:]]
    assert [figure for figure in cached if int(figure.replace(",", "")) < 2000] == []


@pytest.mark.process
def test_the_upload_takes_the_time_that_is_told(printed):
    """The modelled line makes a long history slow, so that the times mean something."""
    assert "2 ms per KiB sent on and 30 ms to think" in printed
    _, over_http = total(printed, "first event, last turn")
    kilobytes = float(rows(printed, "Responses")[-1][3].removesuffix(" kB"))
    assert int(over_http.removesuffix(" ms")) >= int(30 + 2 * kilobytes * 1000 / 1024)


@pytest.mark.process
def test_plain_in_a_pipe(printed):
    """A pipe gets no control characters and no line that a narrow terminal would break."""
    assert "\x1b" not in printed
    assert [line for line in printed.split("\n") if len(line) > 100] == []


def shapes(text):
    """Each line, whatever its figures are."""
    return [re.sub(r"\d[\d,.]*", "0", " ".join(line.split())) for line in text.split("\n")]


@pytest.mark.process
def test_the_readme_shows_what_is_printed(printed):
    """Every line that the README shows of the demo is one that it prints, but for figures."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```text\n(.*?)```", readme, re.DOTALL)[1]
    assert {"…"} == set(shapes(block)) - set(shapes(printed))


@pytest.mark.process
def test_a_session_that_breaks_off_is_one_line():
    """What a client was refused is told in one line, without a traceback, and fails the demo."""
    lines = (
        "from longwire.demo import run, sessions",
        "sessions.KEY = 'wrong'",
        "raise SystemExit(run(once=True))",
    )
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        env=environment(),
        encoding="utf-8",
        check=False,
    )
    *_, last = ended.stdout.strip().split("\n")
    assert (1, "") == (ended.returncode, ended.stderr)
    assert last.startswith("✗ Responses broke off: Error code: 401")


@pytest.mark.process
def test_serves_until_interrupted():
    """Without `--once` it tells how to connect, keeps serving, and ends cleanly on Ctrl-C."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, env=environment(), text=True) as demo:
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if "output_text" in line:
                break
        printed = "".join(lines)
        signed_in = sign_in(printed)
        answers = [by_the_snippet(printed), by_the_variables(printed)]
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 0
        demo.stdout.close()
    assert [answer for answer in answers if not answer.startswith("context sha256:")] == []
    assert signed_in == {"data": {"signIn": {"role": "OWNER"}}}


def by_the_snippet(printed):
    """What the example for clients of OpenAI prints."""
    _, _, snippet = printed.partition("from openai")
    command = [sys.executable, "-c", f"from openai{snippet}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout or ran.stderr


def by_the_variables(printed):
    """What Anthropic's client is answered with the variables for Claude Code alone."""
    variables = dict(re.findall(r"(ANTHROPIC_\w+)=(\S+)", printed))
    with Anthropic(
        base_url=variables["ANTHROPIC_BASE_URL"], auth_token=variables["ANTHROPIC_AUTH_TOKEN"]
    ) as client:
        hello = [{"role": "user", "content": "Hello"}]
        message = client.messages.create(model="claude-opus-5-5", max_tokens=100, messages=hello)
    return next(block.text for block in message.content if block.type == "text")


def sign_in(printed):
    """Sign in to the admin API as the demo says, where it says."""
    page = re.search(r"see it +(\S+)", printed)[1]
    email, password = re.search(r"sign in +(\S+) with the password (\S+)", printed).groups()
    query = "mutation ($i: SignInInput!) { signIn(input: $i) { role } }"
    asked = {"query": query, "variables": {"i": {"email": email, "password": password}}}
    headers = {"x-longwire-csrf": "1"}
    return httpx2.post(f"{page}/admin/graphql", json=asked, headers=headers).json()


def row(way="continued", digest="a"):
    """One turn whose model was shown what `digest` stands for, where it was to be `a`."""
    upstream = Turn(
        number=1, transport="websocket", route="public", connection=1, fingerprint="", bytes_in=1
    )
    upstream.digest = digest
    return Row(SimpleNamespace(way=way), upstream, "a")


def test_what_goes_wrong_is_told():
    """A turn that did not continue, one that was not exact, and a violation are problems."""
    first = row("fresh new_session")
    fine = [Session("Messages", rows=[first, row()])]
    fine.append(Session("over HTTP", "http", [first, row("fresh http_transport")]))
    assert problems_of(fine) == []
    rows = [first, row("fresh turn_failed"), row(digest="b")]
    bad = Session("Messages", rows=rows, violations=["bad frame"])
    assert problems_of([*fine, bad]) == [
        "the sessions have 2, 2 and 3 turns",
        "Messages, turn 2: fresh turn_failed instead of continued",
        "Messages, turn 3: the model was shown something else than the client sent",
        "Messages: bad frame",
    ]


@pytest.mark.parametrize("missing", ["openai", "anthropic"])
def test_without_a_client(monkeypatch, missing):
    """Where an official client is not installed, one line says which, and how to get it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else name)
    with pytest.raises(
        ConfigurationError, match=rf"{missing}; run: pip install 'longwire\[demo\]'"
    ):
        run(once=True)
