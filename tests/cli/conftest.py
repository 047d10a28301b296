"""The command as a person runs it: a process of its own, in an empty folder."""

import os
import subprocess
import sys
from functools import cache

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from longwire import cli
from longwire.core.errors import LongwireError

COMMANDS = cli.build()


@pytest.fixture(scope="session", autouse=True)
def _prepared():
    """Prepare all the commands once: to do it takes longer than most of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture
def longwire(tmp_path):
    """Run `longwire` with these words; variables of ours come from the test alone."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LONGWIRE", "XDG_"))}

    def run(*words, stdin=None, **environ):
        return subprocess.run(
            [sys.executable, "-m", "longwire", *words],
            cwd=tmp_path,
            env={**inherited, "HOME": str(tmp_path), "COLUMNS": "200", **environ},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def url(database_url):
    """The environment of a command that uses the test's database."""
    return {"LONGWIRE_DATABASE__URL": database_url}


@pytest.fixture
def command(database_url, tmp_path, monkeypatch):
    """Run a command in this process, on the test's database; returns what it printed.

    An error that is expected is raised.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LONGWIRE_DATABASE__URL", database_url)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def run(*words, stdin=""):
        result = CliRunner().invoke(COMMANDS, words, input=stdin)
        if isinstance(result.exception, LongwireError):
            raise result.exception
        if result.exit_code == 0:
            return result.stdout
        raise AssertionError((result.exit_code, result.output))

    return run
