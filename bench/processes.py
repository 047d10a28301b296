"""The processes that are measured: started, asked for their CPU time and memory, and ended.

Figures come from /proc, which only Linux has; CPU time counts all threads and children.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, ClassVar

ROOT = Path(__file__).parents[1]
KEY = "longwire-bench"
_GRACE = 10.0
_STARTS = 90.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, by its process and its URL; `key` is what it asks its callers for."""

    pid: int
    url: str
    errors: IO[bytes]
    key: str = KEY
    may_die: ClassVar = False
    """Whether it may be killed while turns are under way."""

    @property
    def origins(self) -> Sequence[str]:
        """Where it tells of its own connections."""
        return (self.url,)

    def told(self) -> str:
        """Return what it has written to stderr so far."""
        size = os.fstat(self.errors.fileno()).st_size
        return os.pread(self.errors.fileno(), size, 0).decode(errors="replace")

    def cpu(self, program: str = "") -> float:
        """Return the seconds of CPU of the process and all below it, or of one program there."""
        return sum(_cpu(pid) for pid in _tree(self.pid) if program in ("", _program(pid)))

    def resident(self) -> int:
        """Return the bytes of memory that the process and all below it have in use."""
        status = [Path(f"/proc/{pid}/status").read_text("ascii") for pid in _tree(self.pid)]
        return sum(int(text.partition("VmRSS:")[2].split()[0]) * 1024 for text in status)


@contextmanager
def serving(*arguments: str) -> Iterator[Server]:
    """Run `python -m …`, whose first line ends with its URL, until the context is left."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command(*arguments), cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout is not None  # noqa: S101 - for the type alone
            first = process.stdout.readline().split()
            server = Server(process.pid, first[-1] if first else "", errors)
            if not first:
                raise RuntimeError(f"{' '.join(arguments)} did not start: {server.told()}")
            yield server
        finally:
            _end(process)


@contextmanager
def listening(
    arguments: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a program that listens on a port, once it does, until the context is left."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            arguments,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            text=True,
        )
        server = Server(process.pid, f"http://127.0.0.1:{port}", errors)
        try:
            if not _begins(process, port):
                raise RuntimeError(f"{arguments[0]} did not start: {server.told()}")
            yield server
        finally:
            _end(process)


def _begins(process: subprocess.Popen[str], port: int) -> bool:
    """Wait until a process listens; False where it ends or takes too long."""
    ends = time.monotonic() + _STARTS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def command(*arguments: str) -> list[str]:
    """Return the command line that runs a module with this Python."""
    return [sys.executable, "-m", *arguments]


@contextmanager
def gateway(upstream: str, ca: str = "") -> Iterator[Server]:
    """Run the gateway as an operator would, with one WebSocket channel, and a key with limits.

    `ca` is the PEM file of whom to trust besides the system's authorities.
    """
    trusts = f'tls_ca = "{ca}"\n' if ca else ""
    text = configuration(upstream).replace("[[api_keys]]", f"{trusts}[[api_keys]]")
    with gateway_of(text) as server:
        yield server


@contextmanager
def gateway_of(text: str) -> Iterator[Server]:
    """Run the gateway with a configuration, and a key with limits."""
    with tempfile.TemporaryDirectory() as folder:
        config = written(text, folder)
        key = limited_key(config)
        with serving("longwire", "serve", "--config", config) as server:
            yield replace(server, key=key)


def limited_key(config: str) -> str:
    """Create a key with every kind of limit in the database of a configuration; return it."""
    limits = [f"--set={name}={1_000_000_000}" for name in _LIMITS]
    made = subprocess.run(
        command("longwire", "keys", "create", "limited", "--json", *limits, "--config", config),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return str(json.loads(made.stdout)["secret"])


def configuration(upstream: str) -> str:
    """Return the configuration of a gateway with one WebSocket channel."""
    return _CONFIG.replace("{upstream}", upstream)


@contextmanager
def configured(text: str) -> Iterator[Server]:
    """Run the gateway with a configuration, in which `{folder}` is one of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving("longwire", "serve", "--config", written(text, folder)) as server,
    ):
        yield server


def written(text: str, folder: str) -> str:
    """Write a configuration, in which `{folder}` is its own, into a folder; return its path."""
    config = Path(folder) / "longwire.toml"
    config.write_text(text.replace("{folder}", folder), encoding="utf-8")
    return str(config)


_LIMITS = (
    "requests_per_minute",
    "tokens_per_minute",
    "concurrent_turns",
    "tokens_per_day",
    "cost_per_month",
)
_CONFIG = """
[server]
port = 0
lame_duck = "0s"

[database]
url = "sqlite:///{folder}/bench.db"

[sessions]
max_connections = 12000

[[channels]]
name = "bench"
base_url = "{upstream}/v1"
api_key = "any-key-will-do"
transport = "websocket"

[[api_keys]]
name = "bench"
key = "longwire-bench"
"""


def _end(process: subprocess.Popen[str]) -> None:
    """Ask a process to end, and make it."""
    process.terminate()
    try:
        process.communicate(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _tree(pid: int) -> Iterator[int]:
    """Give a process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text("ascii").split():
            yield from _tree(int(child))


def _program(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text("ascii").strip()


def _cpu(pid: int) -> float:
    """Add up the threads of a process: its own `schedstat` has the first one alone."""
    stats = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(stat.read_text("ascii").split()[0]) for stat in stats) / 1e9
