"""Accounts on the command line: signed in every way, listed, changed, renewed, forgotten."""

import asyncio
import json
import subprocess
import sys
import threading

import httpx2
import pytest

from longwire.core.errors import ConfigurationError, InvalidFields, NotFound
from longwire.emulator import Emulator, IssuerOptions, Options

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
