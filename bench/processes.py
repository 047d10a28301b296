"""The processes that are measured: started, asked for their CPU time and memory, and ended.

Figures come from /proc, which only Linux has; CPU time counts all threads and children.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
_GRACE = 10.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, by its process and its URL."""

    pid: int
    url: str
    errors: IO[bytes]

    def told(self) -> str:
        """Return what it has written to stderr so far."""
        size = os.fstat(self.errors.fileno()).st_size
        return os.pread(self.errors.fileno(), size, 0).decode(errors="replace")

    def cpu(self) -> float:
        """Return the seconds of CPU that the process and all below it have used."""
        return sum(_cpu(pid) for pid in _tree(self.pid))

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
            if not first:
                errors.seek(0)
                told = errors.read().decode(errors="replace")
                raise RuntimeError(f"{' '.join(arguments)} did not start: {told}")
            yield Server(process.pid, first[-1], errors)
        finally:
            _end(process)


def command(*arguments: str) -> list[str]:
    """Return the command line that runs a module with this Python."""
    return [sys.executable, "-m", *arguments]


def gateway(upstream: str) -> AbstractContextManager[Server]:
    """Run the gateway as an operator would, with one WebSocket channel."""
    return configured(configuration(upstream))


def configuration(upstream: str) -> str:
    """Return the configuration of a gateway with one WebSocket channel."""
    return _CONFIG.replace("{upstream}", upstream)


@contextmanager
def configured(text: str) -> Iterator[Server]:
    """Run the gateway with a configuration, in which `{folder}` is one of its own."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "longwire.toml"
        config.write_text(text.replace("{folder}", folder), encoding="utf-8")
        with serving("longwire", "serve", "--config", str(config)) as server:
            yield server


_CONFIG = """
[server]
port = 0

[database]
url = "sqlite:///{folder}/bench.db"

[sessions]
max_connections = 1000

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


def _cpu(pid: int) -> float:
    """Add up the threads of a process: its own `schedstat` has the first one alone."""
    stats = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(stat.read_text("ascii").split()[0]) for stat in stats) / 1e9
