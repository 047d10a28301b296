"""`longwire setup` for clients other than Codex: what it prints, writes, and leaves alone."""

import json
import stat
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from longwire.cli.clients import CLIENTS
from longwire.cli.json_text import check
from tests.cli.conftest import COMMANDS

KEY = "lw_planted-secret"
WITH_FILE = [client for client in CLIENTS if client.file]
READERS = {".json": check, ".jsonc": check, ".yml": yaml.safe_load, ".yaml": yaml.safe_load}
HOMES = ("CLAUDE_CONFIG_DIR", "OPENCODE_CONFIG", "XDG_CONFIG_HOME", "CONTINUE_GLOBAL_DIR")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own, with the gateway's key in the environment."""
    for name in HOMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LONGWIRE_KEY", KEY)
    return tmp_path


def run(*arguments, text=""):
    """Run the command."""
    return CliRunner().invoke(COMMANDS, ["setup", *arguments], input=text)


def written(home, client):
    """What a client's file says."""
    file = home / client.file.name.removeprefix("~/")
    return READERS[file.suffix](file.read_text())


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_what_is_printed_names_gateway_and_model(client):
    """Nothing is left open in it, and the key in the environment is not shown."""
    done = run(client.name, "--url", "https://gw.example/base/v1/", "--model", "my-model")
    assert (done.exit_code, "https://gw.example/base" in done.stdout) == (0, True)
    assert ("my-model" in done.stdout, "<" in done.stdout) == (True, False)
    assert KEY not in done.output


def test_claude_code_is_given_the_root():
    """It appends the version and the path by itself."""
    done = run("claude-code", "--url", "http://gw:8090/v1")
    assert '"ANTHROPIC_BASE_URL": "http://gw:8090"' in done.stdout
    assert "ANTHROPIC_BASE_URL='http://gw:8090' " in done.stdout


@pytest.mark.parametrize(
    ("client", "url"),
    [
        ("claude-code", "http://127.0.0.1:8090"),
        ("open-webui", "http://host.docker.internal:8090"),
    ],
)
def test_the_page_shows_what_is_printed(client, url):
    """The how-to has the very text."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / f"use-with-{client}.md"
    printed = run(client, "--url", url).stdout
    assert f"```text\n{printed}```" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_what_is_printed_names_no_other_gateway(client):
    """Neither another port than that of the URL."""
    assert "8090" not in run(client.name, "--url", "http://127.0.0.1:9999").stdout


EXPECTED = {
    "claude-code": {
        "env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:8090", "ANTHROPIC_AUTH_TOKEN": KEY}
    },
    "opencode": {
        "$schema": "https://opencode.ai/config.json",
        "provider": {
            "longwire": {
                "npm": "@ai-sdk/openai",
                "name": "Longwire",
                "options": {
                    "baseURL": "http://127.0.0.1:8090/v1",
                    "apiKey": "{env:LONGWIRE_KEY}",
                },
                "models": {"gpt-5.2": {}},
            }
        },
        "model": "longwire/gpt-5.2",
    },
    "aider": {"openai-api-base": "http://127.0.0.1:8090/v1", "model": "openai/gpt-5.2"},
    "continue": {
        "name": "Longwire",
        "version": "1.0.0",
        "schema": "v1",
        "models": [
            {
                "name": "Longwire",
                "provider": "openai",
                "model": "gpt-5.2",
                "apiBase": "http://127.0.0.1:8090/v1",
                "apiKey": "${{ secrets.LONGWIRE_KEY }}",
            }
        ],
    },
}


@pytest.mark.parametrize("client", WITH_FILE, ids=lambda client: client.name)
def test_a_file_that_is_not_there_is_made(home, client):
    """At its usual place, for its owner alone, and a second time nothing changes."""
    done = run(client.name, "--write", "--yes")
    assert done.exit_code == 0, done.output
    assert written(home, client) == EXPECTED[client.name]
    file = home / client.file.name.removeprefix("~/")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run(client.name, "--write", "--yes").stdout.endswith("says so already.\n")
    assert [file.name] == [each.name for each in file.parent.iterdir() if each.is_file()]


MINE = {
    "claude-code": '{\n  // mine\n  "env": {"A": "1", "ANTHROPIC_AUTH_TOKEN": "old"},\n}\n',
    "opencode": '{\n  // mine\n  "provider": {"other": {"npm": "x"}},\n  "model": "other/x"\n}\n',
    "aider": "# mine\nmodel: gpt-4o\ndark-mode: true\n",
    "continue": "name: Mine\n# mine\nmodels:\n  - name: A\n    model: b\nrules:\n  - c\n",
}


@pytest.mark.parametrize("client", WITH_FILE, ids=lambda client: client.name)
def test_what_stands_in_a_file_stays(home, client, tmp_path):
    """Comments, values and mode; the old file stands beside it, and a link stays a link."""
    real, link = tmp_path / "dotfiles", tmp_path / f"link{Path(client.file.name).suffix}"
    real.write_text(MINE[client.name])
    real.chmod(0o640)
    link.symlink_to(real)
    done = run(client.name, "--config", str(link), "--write", "--yes")
    assert done.exit_code == 0, done.output
    assert link.is_symlink()
    read, after = READERS[link.suffix], real.read_text()
    before, now = read(MINE[client.name]), read(after)
    assert "mine\n" in after
    assert before.keys() <= now.keys()
    for name in before.keys() - {"env", "provider", "model", "models"}:
        assert before[name] == now[name]
    assert json.dumps(before.get("provider", {}))[1:-1] in json.dumps(now.get("provider", {}))
    assert before.get("models", [])[:1] == now.get("models", [])[:1]
    assert now.get("env", {}).get("A") == before.get("env", {}).get("A")
    assert (tmp_path / "dotfiles.before-longwire").read_text() == MINE[client.name]
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.parametrize("client", WITH_FILE, ids=lambda client: client.name)
@pytest.mark.parametrize("flags", [("--diff",), ("--write",)])
def test_a_difference_is_shown_and_nothing_written(home, client, flags, tmp_path):
    """`--diff` asks nothing, `--write` without a yes gives up; the key is not shown."""
    file = tmp_path / f"file{Path(client.file.name).suffix}"
    file.write_text(MINE[client.name])
    done = run(client.name, "--config", str(file), *flags, text="n\n")
    assert done.exit_code == (flags == ("--write",))
    assert f"+++ {file} (new)" in done.stdout
    assert KEY not in done.output
    assert [MINE[client.name]] == [each.read_text() for each in tmp_path.iterdir()]


@pytest.mark.parametrize("client", WITH_FILE, ids=lambda client: client.name)
@pytest.mark.parametrize("broken", [b"{", b"\xff", b"[]", b"\tmodel: x\n", b'{"model": {]'])
def test_a_broken_file_is_left_alone(client, broken, tmp_path):
    """The mend is the user's, and no copy is made."""
    file = tmp_path / "file"
    file.write_bytes(broken)
    done = run(client.name, "--config", str(file), "--write", "--yes")
    assert (done.exit_code, "Nothing was written" in done.stderr) == (1, True)
    assert [broken] == [each.read_bytes() for each in tmp_path.iterdir()]


def test_a_file_that_changes_meanwhile_is_left_alone(tmp_path, monkeypatch):
    """What was agreed to is not what would be written."""
    file = tmp_path / "settings.json"
    file.write_text("{}")
    monkeypatch.setattr("typer.confirm", lambda _: bool(file.write_text('{"a": 1}')))
    done = run("claude-code", "--config", str(file), "--write")
    assert (done.exit_code, "changed meanwhile" in done.stderr) == (1, True)
    assert file.read_text() == '{"a": 1}'


def test_a_key_that_has_to_stand_in_the_file_must_be_there(home, monkeypatch):
    """The error says where it is looked for."""
    monkeypatch.delenv("LONGWIRE_KEY")
    done = run("claude-code", "--write", "--yes")
    assert (done.exit_code, "export LONGWIRE_KEY=… first" in done.stderr) == (1, True)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("client", [client for client in CLIENTS if not client.file])
@pytest.mark.parametrize("flag", ["--write", "--diff"])
def test_a_client_without_a_file_says_so(client, flag):
    """And what to do instead."""
    done = run(client.name, flag)
    assert (done.exit_code, "has no file" in done.stderr) == (1, True)
    assert "without --write and --diff" in done.stderr


@pytest.mark.parametrize(
    "wrong", [("--url", "ftp://x"), ("--model", " "), ("--model", "a\nb"), ("--env-key", "1 X")]
)
def test_what_cannot_be_is_refused(wrong):
    """The message names the option."""
    done = run("opencode", *wrong)
    assert (done.exit_code, wrong[0] in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("client", "variable", "value", "file"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "c", "c/settings.json"),
        ("opencode", "XDG_CONFIG_HOME", "x", "x/opencode/opencode.json"),
        ("opencode", "OPENCODE_CONFIG", "o.json", "o.json"),
        ("continue", "CONTINUE_GLOBAL_DIR", "d", "d/config.yaml"),
    ],
)
def test_a_client_may_have_its_file_elsewhere(home, monkeypatch, client, variable, value, file):
    """Where its own variables say."""
    monkeypatch.setenv(variable, str(home / value))
    assert run(client, "--write", "--yes").exit_code == 0
    assert (home / file).exists()


def test_opencode_may_have_a_file_with_comments(home):
    """The one that is there is changed."""
    file = home / ".config" / "opencode" / "opencode.jsonc"
    file.parent.mkdir(parents=True)
    file.write_text("{} // mine\n")
    assert run("opencode", "--write", "--yes").exit_code == 0
    assert file.read_text().endswith("} // mine\n")
