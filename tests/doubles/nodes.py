"""Gateways as processes, each on a port of its own that it keeps when it starts anew."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.doubles.reverse_proxies import free_port

_STARTS, _ENDS = 60, 60


class Node:
    """One gateway of several; `text` writes its configuration, when its port and folder are known.

    `environment` is what its process has beside what the test's own has.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        text: Callable[["Node"], str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir()
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.config = folder / "longwire.toml"
        self.config.write_text(text(self), encoding="utf-8")
        self.environment = dict(environment or {})
        self.process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is without a balancer."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What all its lives have written to stderr."""
        return (self.folder / "log").read_text(encoding="utf-8")

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        hidden = ("LONGWIRE", "XDG_")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "longwire", "serve", "--config", str(self.config)),
                cwd=self.folder,
                env={**inherited, "HOME": str(self.folder), **self.environment},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        async with asyncio.timeout(_STARTS):
            first = await self.process.stdout.readline()
        assert b"Longwire serves" in first, self.log[-2_000:]

    async def stop(self) -> int:
        """End it as a service manager does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(_ENDS):
            return await self.process.wait()

    def freeze(self) -> None:
        """Let it do nothing, and keep its connections."""
        self.process.send_signal(signal.SIGSTOP)

    async def kill(self) -> None:
        """End it at once, if it still runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
