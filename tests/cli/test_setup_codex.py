"""`longwire setup codex`: what it prints, what it writes, and what it leaves alone."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from longwire.cli.codex import Block, merged, rendered
from tests.cli.conftest import COMMANDS

BLOCK = Block("http://127.0.0.1:8090/v1", "longwire", "LONGWIRE_KEY")
MINE = """# mine, and I like it so
model   =  "gpt-5.5"   # the good one

[model_providers.other]
name = "x"
base_url = "http://x"

[features]   # last
a = true
"""


def run(*arguments, text=""):
    """Run the command."""
    return CliRunner().invoke(COMMANDS, ["setup", "codex", *arguments], input=text)


def test_the_block_is_printed_for_this_gateway():
    """What is printed can stand in the file as it is."""
    done = run("--url", "https://gw.example/", "--provider", "gw", "--env-key", "K", "--websocket")
    assert done.exit_code == 0
    assert tomllib.loads(done.stdout) == {
        "model_provider": "gw",
        "model_providers": {
            "gw": {
                "name": "Longwire",
                "base_url": "https://gw.example/v1",
                "env_key": "K",
                "wire_api": "responses",
                "supports_websockets": True,
            }
        },
    }


def test_the_page_shows_what_is_printed():
    """The how-to has the very block."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "use-with-codex.md"
    assert f"```ini\n{rendered(BLOCK)}```" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "wrong",
    [("--url", "ftp://x"), ("--provider", "a b"), ("--provider", "openai"), ("--env-key", "1 X")],
)
def test_what_cannot_be_is_refused(wrong):
    """The message names the option."""
    done = run(*wrong)
    assert (done.exit_code, wrong[0] in done.stderr) == (2, True)


def test_everything_else_stays_byte_for_byte(tmp_path):
    """Comments and odd spacing stay; the old file stands beside the new one."""
    file = tmp_path / "config.toml"
    file.write_text(MINE)
    done = run("--config", str(file), "--write", "--yes")
    assert done.exit_code == 0, done.output
    after = file.read_text()
    expected = f'model_provider = "longwire"\n{MINE}\n'
    assert after == expected + rendered(BLOCK).partition("\n\n")[2]
    assert (tmp_path / "config.toml.before-longwire").read_text() == MINE
    assert run("--config", str(file), "--write", "--yes").stdout.endswith("says so already.\n")


@pytest.mark.parametrize(("reply", "code"), [("n\n", 1), ("", 1), ("y\n", 0)])
def test_nothing_is_written_without_a_yes(tmp_path, reply, code):
    """First it shows what would change."""
    file = tmp_path / "config.toml"
    file.write_text(MINE)
    done = run("--config", str(file), "--write", text=reply)
    assert done.exit_code == code
    assert '+base_url = "http://127.0.0.1:8090/v1"' in done.stdout
    assert (file.read_text() == MINE) == (code == 1)


def test_the_file_is_that_of_codex_home(tmp_path, monkeypatch):
    """A file that is not there yet is made."""
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    assert run("--write", "--yes").exit_code == 0
    assert (tmp_path / "codex" / "config.toml").read_text() == rendered(BLOCK)


@pytest.mark.parametrize("broken", [b"a = ", b"\xff\xfe", b"[a]\nx = 1\nx = 2"])
def test_a_file_that_cannot_be_read_is_left_alone(tmp_path, broken):
    """The mend is the user's; nothing is written, and no copy made."""
    file = tmp_path / "config.toml"
    file.write_bytes(broken)
    done = run("--config", str(file), "--write", "--yes")
    assert (done.exit_code, "Nothing was written" in done.stderr) == (1, True)
    assert [(file.name, broken)] == [(each.name, each.read_bytes()) for each in tmp_path.iterdir()]


def test_an_older_block_is_renewed_and_its_other_keys_kept():
    """What the user added to the provider stays; what the command says is said anew."""
    old = (
        'model_provider = "other"  # x\n[a]\nb = 1\n[model_providers.longwire]\n'
        'name = "Old"\n# slow model\nstream_max_retries = 9\nbase_url = "http://old/v1"\n'
        "[z]\ny = 2\n"
    )
    after = merged(old, BLOCK)
    found = tomllib.loads(after)
    assert found["model_providers"]["longwire"]["stream_max_retries"] == 9
    assert found["model_providers"]["longwire"]["base_url"] == BLOCK.base_url
    assert (found["a"], found["z"], "# slow model" in after) == ({"b": 1}, {"y": 2}, True)
    assert merged(after, BLOCK) == after


@pytest.mark.parametrize(
    "form",
    [
        'model_providers = { longwire = { name = "x" } }\n',
        'model_providers.longwire.name = "x"\n',
        '"model_provider" = "x"\n',
        'a = """\nmodel_provider = 1\n"""\n',
    ],
)
def test_another_spelling_is_left_to_the_user(tmp_path, form):
    """A file is never made worse: what cannot be told apart is refused."""
    file = tmp_path / "config.toml"
    file.write_text(form)
    done = run("--config", str(file), "--write", "--yes")
    assert (done.exit_code, file.read_text()) == (1, form)


LINES = st.sampled_from(
    [
        "# c",
        'model = "m"',
        "",
        "[a]",
        "[b.c]",
        "x = 1",
        "[[d]]",
        'model_provider = "z"',
        "\ty = [\n]",
    ]
)


@given(st.lists(LINES, max_size=8).map(lambda lines: "\n".join(lines) + "\n"))
def test_any_file_that_was_good_stays_good(text):
    """All that it said is still said, and the block with it."""
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    after = tomllib.loads(merged(text, BLOCK))
    assert after.pop("model_provider") == "longwire"
    assert after.pop("model_providers")["longwire"]["env_key"] == "LONGWIRE_KEY"
    before.pop("model_provider", None)
    assert before == after


@pytest.mark.parametrize("client", ["codex", "claude-code", "opencode", "aider", "cline"])
def test_the_port_is_that_of_the_settings(longwire, client):
    """What is printed names the gateway where this machine's settings let it listen."""
    shown = longwire("setup", client, LONGWIRE_SERVER__PORT="17100")
    assert (0, True) == (shown.returncode, "127.0.0.1:17100" in shown.stdout)
    assert "8090" not in shown.stdout
