"""What the commands print and how they end: 0, 1 for a failure, 2 for usage, 130 interrupted."""

import importlib.metadata
import platform
import subprocess
import sys

import pytest

from longwire.settings.reference import reference_page

GOOD = """
[server]
port = 8123

[[channels]]
name = "openai"
api_key = "${OPENAI_API_KEY}"
models = ["gpt-5.2"]

[[channels.endpoints]]
api = "responses"
transport = "http"
path = "/answers"

[[channels]]
name = "plan"
type = "codex"
enabled = false

[[api_keys]]
name = "dev"
key = "lw-12345"
"""


@pytest.fixture
def config(tmp_path):
    """A configuration file, written with a text."""

    def write(text):
        (tmp_path / "gateway.toml").write_text(text, encoding="utf-8")
        return "gateway.toml"

    return write


def test_help(longwire):
    """--help names every command and ends well."""
    result = longwire("--help")
    assert (result.returncode, result.stderr) == (0, "")
    words = ("serve", "demo", "emulator", "config", "sessions", "version")
    assert [word for word in words if word not in result.stdout] == []


@pytest.mark.parametrize(
    "command",
    [["serve"], ["demo"], ["emulator"], ["sessions"], ["config"], ["config", "check"]],
)
def test_help_of_a_command(longwire, command):
    """Every command has --help."""
    result = longwire(*command, "--help")
    assert result.returncode == 0
    assert "Usage: " in result.stdout


def imported(words, heavy):
    """Of some modules, those that a command imports, in a process of its own."""
    script = (
        "import sys; sys.argv = ['longwire', *sys.argv[1:]]\n"
        "from longwire.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('imported:', *[name for name in {heavy.split()} if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", script, *words]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.rstrip().split("\n")[-1].split()[1:]


@pytest.mark.process
def test_help_imports_nothing_heavy():
    """--help answers at once: no server, client, settings or event loop is imported for it."""
    heavy = "aiohttp asyncio msgspec pydantic rich starlette uvicorn"
    assert imported(["--help"], heavy) == []


@pytest.mark.process
def test_what_asks_the_database_alone_imports_no_gateway(url, longwire, monkeypatch):
    """`keys list` needs the store: neither migrations that are done, nor what serves turns."""
    assert longwire("migrate", **url).returncode == 0
    for name, value in url.items():
        monkeypatch.setenv(name, value)
    heavy = "alembic longwire.dialects.responses longwire.upstream.http uvicorn"
    heavy += " opentelemetry prometheus_client"
    assert imported(["keys", "list"], heavy) == []


def test_version(longwire):
    """`version` says what a bug report needs."""
    version = importlib.metadata.version("longwire")
    result = longwire("version")
    assert result.stdout == f"longwire {version} (Python {platform.python_version()})\n"
    assert result.returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["sreve"],
        ["serve", "--prot", "1"],
        ["serve", "--port", "65536"],
        ["serve", "--workers", "0"],
        ["config", "check"],
        ["sessions", "--port", "0"],
    ],
)
def test_usage_errors(longwire, words):
    """A command or option that does not exist ends with 2 and a way out."""
    result = longwire(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert "--help" in result.stderr
    assert "Traceback" not in result.stderr


def test_config_check_good(longwire, config):
    """A good file is told with what would be used of it; no secret is shown."""
    result = longwire("config", "check", config(GOOD), OPENAI_API_KEY="sk-12345")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [" ".join(line.replace("│", " ").split()) for line in result.stdout.split("\n")]
    assert lines[0] == "OK gateway.toml"
    assert "listens on 127.0.0.1:8123" in lines
    assert "database sqlite" in lines
    assert "callers dev" in lines
    assert "openai openai openai auto https://api.openai.com/v1 gpt-5.2 yes" in lines
    assert "chat_completions http https://api.openai.com/v1/chat/completions" in lines
    assert "responses http https://api.openai.com/v1/answers" in lines
    assert "plan codex auto https://chatgpt.com/backend-api/codex * no: enabled = false" in lines
    assert "12345" not in result.stdout


def test_config_check_of_models_and_budgets(longwire, config):
    """What they name and the file does not declare is said: the database may have it."""
    text = """
[[models]]
name = "smart"
targets = [{ channel = "openai", keys = ["file:dev", "file:nobody"] }, { channel = "gone" }]

[[budgets]]
of = "key"
name = "nobody"
period = "day"
tokens = 5

[[budgets]]
of = "key"
name = "dev"
period = "day"
tokens = 5
"""
    result = longwire("config", "check", config(GOOD + text), OPENAI_API_KEY="sk-12345")
    assert 0 == result.returncode
    assert [
        (
            "warning: models: smart: targets[0].keys: no [[api_keys]] has the id file:nobody, "
            "which is file: and a name"
        ),
        (
            "warning: models: smart: targets[1].channel: no [[channels]] is named 'gone'; unless "
            "the database has it, nothing is sent there"
        ),
        (
            "warning: budgets[0].name: no [[api_keys]] is named 'nobody'; unless the database has "
            "it, nothing is bounded"
        ),
    ] == [line for line in result.stdout.splitlines() if line.startswith("warning")]


def test_config_check_empty(longwire, config):
    """An empty file is good, and the summary says what is still to be declared."""
    result = longwire("config", "check", config(""))
    assert result.returncode == 0
    assert "no channels yet" in result.stdout
    assert "nobody yet: declare [[api_keys]]" in result.stdout


@pytest.mark.parametrize("command", [["config", "check"], ["serve", "--config"]])
def test_bad_file(longwire, config, command):
    """Each problem is one line on stderr; nothing is started, nothing else is said."""
    result = longwire(*command, config('[server]\nprot = 1\nshutdown_grace = "soon"\n'))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.split("\n") == [
        (
            "longwire: gateway.toml: server.shutdown_grace: no duration; write a number "
            'with its unit, as in "20s", "250ms" or "1h30m"'
        ),
        "longwire: gateway.toml: server.prot: unknown key; did you mean port?",
        "",
    ]


def test_missing_variable(longwire, config):
    """A reference to a variable that is not set names file, key and variable."""
    result = longwire("config", "check", config('[server]\nhost = "${NO_SUCH}"\n'))
    assert result.returncode == 1
    assert result.stderr == (
        "longwire: gateway.toml: server.host: the environment variable NO_SUCH is not set; "
        "export it, or write the value here\n"
    )


def test_missing_file(longwire):
    """A file that does not exist is a failure with its mend, not a traceback."""
    result = longwire("config", "check", "gone.toml")
    assert result.returncode == 1
    assert result.stderr == (
        "longwire: gone.toml: cannot be read (No such file or directory); check the path\n"
    )


def test_config_reference(longwire):
    """The reference is printed as it is committed."""
    assert longwire("config", "reference").stdout == reference_page()


@pytest.mark.process
def test_interrupt_ends_quietly():
    """Ctrl-C ends with 130 and without a traceback."""
    script = (
        "import sys, longwire.cli.version as command\n"
        "def interrupted() -> None: raise KeyboardInterrupt\n"
        "command.version = interrupted\n"
        "sys.argv = ['longwire', 'interrupted']\n"
        "from longwire.__main__ import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (130, "")
    assert "Traceback" not in result.stderr
