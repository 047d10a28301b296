"""Accounts on the command line: signed in every way, listed, changed, renewed, forgotten."""

import asyncio
import json
import signal
import subprocess
import sys
import threading

import httpx2
import pytest

from longwire.core.errors import ConfigurationError, InvalidFields, NotFound
from longwire.emulator import Emulator, IssuerFault, IssuerOptions, Options

ADA = "ada@example.org"


@pytest.fixture
def database_url(sqlite_template, tmp_path):
    (tmp_path / "longwire.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path / 'longwire.db'}"


@pytest.fixture
def upstream(monkeypatch):
    """An issuer in a thread of its own: commands run loops of their own."""
    emulator = Emulator(Options(issuer=IssuerOptions(device_interval=0)))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(emulator.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    monkeypatch.setenv("LONGWIRE_CODEX__ISSUER", emulator.url)
    yield emulator
    asyncio.run_coroutine_threadsafe(emulator.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert [] == emulator.violations


@pytest.fixture
def imported(command, upstream):
    """An account that was imported, as JSON."""
    text = json.dumps(upstream.issuer.auth_json(ADA))
    return json.loads(command("login", "codex", "--import", "-", "--json", stdin=text))


def test_an_import_makes_channel_and_account(command, imported, tmp_path):
    """The first sign-in makes the channel; the same file again is the same account."""
    (channel,) = json.loads(command("channels", "list", "--json"))
    assert ("codex", "codex") == (channel["name"], channel["type"])
    assert (ADA, "plus", "active") == tuple(imported[n] for n in ("email", "plan", "status"))
    listed = command("accounts", "list")
    assert all(word in listed for word in (ADA, "plus", "active", imported["id"]))
    assert "token" not in str(imported).lower()


def test_an_account_is_switched_off_on_and_forgotten(command, imported):
    """Accounts are named by address or id."""
    assert "disabled" in command("accounts", "disable", ADA)
    assert "active" in command("accounts", "enable", imported["id"])
    assert f"removed {ADA}\n" == command("accounts", "remove", ADA)
    assert "no accounts yet" in command("accounts", "list")
    with pytest.raises(NotFound):
        command("accounts", "enable", ADA)


def test_tokens_are_renewed_on_demand(command, imported, upstream):
    """A refresh asks the issuer once; one that is refused says why, and what is left to do."""
    told = json.loads(command("accounts", "refresh", ADA, "--json"))
    assert told["refreshed_at"] >= imported["refreshed_at"]
    assert 1 == upstream.issuer.counters["refresh"]
    upstream.issuer.end_all(ADA)
    with pytest.raises(ConfigurationError, match="refresh_token_invalidated"):
        command("accounts", "refresh", ADA)
    assert "sign_in_needed" in command("accounts", "list")


def test_what_cannot_be_imported_is_told(command, upstream, tmp_path):
    """A wrong file is refused with the mend, and changes nothing but the channel."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        command("login", "codex", "--import", str(tmp_path / "none.json"))
    with pytest.raises(InvalidFields, match="no JSON object"):
        command("login", "codex", "--import", "-", stdin="what?")
    assert "[]\n" == command("accounts", "list", "--json")


def test_other_channels_take_no_accounts(command, upstream):
    """A channel of type openai is left alone."""
    command("channels", "add", "other", "--set", "type=openai", "--set", "api_key=sk-1")
    with pytest.raises(InvalidFields, match="has no accounts"):
        command("login", "codex", "--channel", "other", "--import", "-", stdin="{}")


@pytest.mark.process
def test_a_pasted_address_signs_in(command, upstream, database_url, tmp_path):
    """Without a way back for the browser the address that it ended at is enough."""
    with _started("--paste", "--json", upstream=upstream, url=database_url, folder=tmp_path) as run:
        url = _told(run, "Open ")
        place = httpx2.get(url, follow_redirects=False).headers["location"]
        out, err = run.communicate(f"nothing of the kind\n{place}\n", timeout=30)
    assert 0 == run.returncode, err
    assert ADA == json.loads(out)["email"]
    assert "another sign-in" in err


@pytest.mark.process
def test_a_device_code_signs_in(command, upstream, database_url, tmp_path):
    """A code that is approved on another machine signs the account in."""
    with _started("--device", upstream=upstream, url=database_url, folder=tmp_path) as run:
        url = _told(run, "Open ")
        code = _told(run, "and type the code ")
        httpx2.post(url, data={"user_code": code})
        out, err = run.communicate(timeout=30)
    assert 0 == run.returncode, err
    assert f"{ADA} (plus): active" in out


@pytest.mark.process
def test_a_device_code_waits_for_an_issuer_that_is_busy(command, upstream, database_url, tmp_path):
    """It asks again when the issuer said, and the person sees nothing but the code."""
    busy = IssuerFault(at="usercode", status=429, code="rate_limited", retry_after=1, times=2)
    upstream.issuer.faults.append(busy)
    with _started("--device", upstream=upstream, url=database_url, folder=tmp_path) as run:
        url = _told(run, "Open ")
        httpx2.post(url, data={"user_code": _told(run, "and type the code ")})
        out, err = run.communicate(timeout=30)
    assert 0 == run.returncode, err
    assert f"{ADA} (plus): active" in out


@pytest.mark.process
@pytest.mark.parametrize(
    "fault",
    [
        IssuerFault(at="usercode", status=400, code="invalid_client"),
        IssuerFault(at="poll", status=400, code="invalid_client"),
        IssuerFault(at="poll", status=403, code="access_denied"),
        IssuerFault(at="poll", status=400, code="expired_token"),
        IssuerFault(at="poll", status=404, code="expired_token"),
    ],
    ids=lambda fault: f"{fault.at}-{fault.status}-{fault.code}",
)
def test_what_an_issuer_refuses_for_good_is_one_line(
    command, upstream, database_url, tmp_path, fault
):
    """Denied by somebody, too late, or no client of theirs: exit code 1, and no trace."""
    upstream.issuer.faults.append(fault)
    with _started("--device", upstream=upstream, url=database_url, folder=tmp_path) as run:
        _, err = run.communicate(timeout=30)
    problems = [line for line in err.splitlines() if line.startswith("longwire: ")]
    assert (1, 1) == (run.returncode, len(problems)), err
    assert fault.code in problems[0]
    assert "Traceback" not in err


@pytest.fixture
def _interruptible():
    """Ctrl-C is heard, though a shell that starts the tests in its background ignores it."""
    held = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, held)


@pytest.mark.process
@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("way", ["--device", "--paste"])
def test_an_interrupted_sign_in_is_one_line(command, upstream, database_url, tmp_path, way):
    """Ctrl-C ends it at once, with the code of what was interrupted, and says what became of it."""
    with _started(way, upstream=upstream, url=database_url, folder=tmp_path) as run:
        if way == "--paste":
            run.stdin.write("nothing of the kind\n")
            run.stdin.flush()
        _told(run, "and type the code " if way == "--device" else "belongs to another sign-in")
        run.send_signal(signal.SIGINT)
        try:
            run.wait(timeout=20)  # while its stdin is open: nobody types anything
        finally:
            run.kill()
        out, err = run.communicate()
    assert (130, "") == (run.returncode, out)
    assert ["longwire: nobody was signed in: it was interrupted. Begin again."] == err.splitlines()
    assert "[]\n" == command("accounts", "list", "--json")


def test_a_login_that_another_program_renewed_says_so(command, upstream, tmp_path, monkeypatch):
    """One auth.json in two gateways: the second is told what happened, and what to do."""
    text = json.dumps(upstream.issuer.auth_json(ADA))
    for name in ("one", "two"):
        monkeypatch.setenv("LONGWIRE_DATABASE__URL", f"sqlite:///{tmp_path / name}.db")
        command("login", "codex", "--import", "-", stdin=text)
    monkeypatch.setenv("LONGWIRE_DATABASE__URL", f"sqlite:///{tmp_path / 'one.db'}")
    command("accounts", "refresh", ADA)
    monkeypatch.setenv("LONGWIRE_DATABASE__URL", f"sqlite:///{tmp_path / 'two.db'}")
    for _ in range(2):
        with pytest.raises(ConfigurationError) as failed:
            command("accounts", "refresh", ADA)
        assert "Another program has renewed this login" in str(failed.value)
        assert "sign in anew here" in str(failed.value)
    (account,) = json.loads(command("accounts", "list", "--json"))
    assert "sign_in_needed" == account["status"]
    assert "Another program has renewed this login" in account["problem"]
    assert "sign in anew here" in command("accounts", "list")


def test_an_account_is_renewed_by_its_channels_proxy(command, imported, upstream):
    """A proxy that is not there is named, and the issuer is not asked past it."""
    command("channels", "edit", "codex", "--set", "proxy=http://127.0.0.1:9")
    with pytest.raises(
        ConfigurationError, match=r"cannot be reached by the channel's proxy: .*127\.0\.0\.1:9"
    ):
        command("accounts", "refresh", ADA)
    assert {} == upstream.issuer.counters
    command("channels", "edit", "codex", "--set", "proxy=")
    command("accounts", "refresh", ADA)


def test_the_doctor_tells_of_accounts(command, imported, longwire, database_url, upstream):
    """Each account has its line; one that must sign in again is a failure."""
    environ = {"LONGWIRE_DATABASE__URL": database_url, "LONGWIRE_CODEX__ISSUER": upstream.url}
    told = longwire("doctor", "--offline", **environ)
    assert f"account {ADA} of codex: active, quota not seen yet" in told.stdout
    upstream.issuer.end_all(ADA)
    with pytest.raises(ConfigurationError):
        command("accounts", "refresh", ADA)
    told = longwire("doctor", **environ)
    assert 1 == told.returncode
    assert "must sign in again" in told.stdout


def _started(*words, upstream, url, folder):
    return subprocess.Popen(
        [sys.executable, "-m", "longwire", "login", "codex", *words],
        cwd=folder,
        env={
            "HOME": str(folder),
            "LONGWIRE_DATABASE__URL": url,
            "LONGWIRE_CODEX__ISSUER": upstream.url,
            "XDG_DATA_HOME": str(folder),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _told(run, start):
    """The rest of the next line that starts so."""
    for line in run.stderr:
        if line.startswith(start):
            return line.removeprefix(start).strip()
    raise AssertionError(f"no line began with {start!r}")
