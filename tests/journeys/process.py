"""`longwire serve` as an operator runs it: a process with a configuration file."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.conftest import KEY

CONFIG = """
[server]
port = 0
lame_duck = "0s"
shutdown_grace = "10s"

[[channels]]
name = "main"
base_url = "{upstream}/v1"
api_key = "sk-upstream"
transport = "websocket"

[[api_keys]]
name = "dev"
key = "{key}"
"""


class Served:
    """A running command: its URL, its process and what it printed."""

    def __init__(self, process: asyncio.subprocess.Process, announced: str) -> None:
        self.process = process
        self.announced = announced
        self.url = announced.rpartition(" ")[2]

    def resident_kib(self) -> int:
        """The memory that the process has in use."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1])


@asynccontextmanager
async def served(folder: Path, upstream: str) -> AsyncIterator[Served]:
    """Serve a configuration until left; the process is killed if it still runs then."""
    config = folder / "longwire.toml"
    config.write_text(CONFIG.format(upstream=upstream, key=KEY), encoding="utf-8")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LONGWIRE", "XDG_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "longwire", "serve", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={**inherited, "HOME": str(folder)},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        yield Served(process, line.decode().strip())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        process._transport.close()
