"""Several processes that are one gateway, started as operators start them."""

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import KEY

CONFIG = """
[server]
port = {port}
lame_duck = "500ms"
insecure_cookies = true
[database]
url = "sqlite:///{folder}/longwire.db"
[[channels]]
name = "main"
base_url = "{upstream}/v1"
api_key = "sk-upstream"
transport = "websocket"
[[api_keys]]
name = "dev"
key = "{key}"
"""


def children(parent: int) -> dict[int, str]:
    """The processes that one has started, by their ids; with what they were started as."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = (path / "stat").read_text()
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found[int(path.name)] = (path / "cmdline").read_text().replace("\0", " ")
    return found


def is_there(process: int) -> bool:
    """Whether a process runs; one that nobody has waited for runs no more."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Machine:
    """A gateway of several processes: its `url` once it serves, and what it says."""

    def __init__(self, folder: Path, upstream: str, port: int = 0, extra: str = "") -> None:
        self.folder = folder
        self.config = folder / "longwire.toml"
        values = {"folder": folder, "upstream": upstream, "key": KEY, "port": port}
        self.config.write_text(CONFIG.format(**values) + extra, encoding="utf-8")
        self.process: asyncio.subprocess.Process | None = None
        self.url = ""

    def _environ(self, **environ: str) -> dict[str, str]:
        hidden = ("LONGWIRE", "XDG_")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        runtime = self.folder / "run"
        runtime.mkdir(exist_ok=True)
        return {**inherited, "HOME": str(self.folder), "XDG_RUNTIME_DIR": str(runtime), **environ}

    async def run(self, *words: str) -> str:
        """Run another command of Longwire beside it; what it prints."""
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "longwire", *words),
            cwd=self.folder,
            env=self._environ(),
            stdout=asyncio.subprocess.PIPE,
        )
        return (await command.communicate())[0].decode()

    async def start(self, *options: str, **environ: str) -> None:
        """Start it; it need not come to serve."""
        with (self.folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "longwire", "serve", "--config", str(self.config)),
                *options,
                cwd=self.folder,
                env=self._environ(**environ),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    async def serve(self) -> None:
        """Wait until it serves."""
        async with asyncio.timeout(40):
            line = (await self.process.stdout.readline()).decode()
        found = re.fullmatch(r"Longwire serves (http://\S+)\n", line)
        assert found, (line, self.log())
        self.url = found[1]

    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def parts(self, word: str) -> list[int]:
        """The ids of its children that were started with a word."""
        return sorted(pid for pid, line in children(self.process.pid).items() if word in line)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)

    async def kill(self) -> None:
        """End it, if it still runs; what it has started ends with it."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def end(self) -> int:
        """Wait for its end; its exit status."""
        async with asyncio.timeout(30):
            await self.process.stdout.read()
            return await self.process.wait()


@pytest.fixture
def machine(tmp_path):
    """A function that runs a machine until left; what it started ends with it."""

    @asynccontextmanager
    async def run(upstream, *options, extra="", **environ):
        found = Machine(tmp_path, upstream, extra=extra)
        try:
            await found.start("--workers", "2", *options, **environ)
            await found.serve()
            yield found
        finally:
            await found.kill()

    return run
