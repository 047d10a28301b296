"""Clients that are installed apart: once for all runs, each under what pins it.

Law: what cannot be installed fails its tests with the reason; it skips none.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "longwire-tests"
ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "fixtures"
TRIES = 2
"""A registry that hiccups is asked once more."""
PATIENCE = 120


def once(name: str, install: Callable[[Path], None]) -> Path:
    """Return a folder that `install` filled, now or in an earlier run."""
    folder, stamp = CACHE / name, CACHE / name / "installed"
    folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run on several cores
        if not stamp.exists():
            shutil.rmtree(folder)
            folder.mkdir()
            install(folder)
            stamp.touch()
    return folder


def claude_code(version: str) -> Path:
    """Return the script of a Claude Code that runs on Node."""
    return unpacked("claude-code", f"@anthropic-ai/claude-code@{version}") / "cli.js"


def gemini_cli(version: str) -> Path:
    """Return the script of a Gemini CLI, which brings all that it needs along."""
    return unpacked("gemini-cli", f"@google/gemini-cli@{version}") / "bundle" / "gemini.js"


def unpacked(name: str, package: str) -> Path:
    """Return the folder of a package from npm without what it depends on."""

    def install(folder: Path) -> None:
        run(program("npm"), "pack", "--silent", package, at=folder)
        (packed,) = folder.glob("*.tgz")
        run(program("tar"), "xzf", packed.name, at=folder)
        packed.unlink()

    return once(f"{name}-{package.rpartition('@')[2]}", install) / "package"


def ai_sdk() -> Path:
    """Return the folder with the modules that the lock file beside its script pins."""
    source = FIXTURES / "ai-sdk"
    pins = [source / "package.json", source / "package-lock.json"]

    def install(folder: Path) -> None:
        for pin in pins:
            shutil.copy(pin, folder)
        run(program("npm"), "ci", "--silent", "--no-audit", "--no-fund", at=folder)

    return once(f"ai-sdk-{digest(*pins)}", install)


def python_clients() -> Path:
    """Return the interpreter of an environment with the clients that its requirements pin."""
    pins = FIXTURES / "python-clients" / "requirements.txt"

    def install(folder: Path) -> None:
        python = str(folder / "env" / "bin" / "python")
        uv = shutil.which("uv", path=f"{os.environ['PATH']}:{ROOT / '.venv-uv' / 'bin'}")
        run(sys.executable, "-m", "venv", "env", at=folder)
        ours = (uv, "pip", "install", "--compile-bytecode", "--python", python)
        pip = ours if uv else (python, "-m", "pip", "install")
        run(*pip, "--quiet", "--no-deps", "-r", str(pins), at=folder)

    return once(f"python-clients-{digest(pins)}", install) / "env" / "bin" / "python"


def digest(*pins: Path) -> str:
    """Return a name for what files pin."""
    return hashlib.sha256(b"".join(pin.read_bytes() for pin in pins)).hexdigest()[:16]


def program(name: str) -> str:
    """Return the path of a program."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"needs {name} on PATH, to install the clients that are tested", pytrace=False)
    return path


def run(*command: str, at: Path) -> None:
    """Run an installer in a folder, and once more if it fails."""
    for _ in range(TRIES):
        try:
            ran = subprocess.run(
                command, cwd=at, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            reason = f"it did not end within {PATIENCE} seconds"
            continue
        if ran.returncode == 0:
            return
        reason = ran.stderr[-600:] or ran.stdout[-600:]
    pytest.fail(f"cannot install clients with {' '.join(command)}: {reason}", pytrace=False)
