"""The command as a person runs it: a process of its own, in an empty folder."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def longwire(tmp_path):
    """Run `longwire` with these words; variables of ours come from the test alone."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LONGWIRE", "XDG_"))}

    def run(*words, **environ):
        return subprocess.run(
            [sys.executable, "-m", "longwire", *words],
            cwd=tmp_path,
            env={**inherited, "HOME": str(tmp_path), "COLUMNS": "200", **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
