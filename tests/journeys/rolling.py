"""Gateways on fixed ports behind a proxy, agents that ask without pause, and restarts."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.conftest import KEY
from tests.doubles.reverse_proxies import ReverseProxy, free_port

CONFIG = """
[server]
port = {port}
lame_duck = "{lame_duck}"
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


class Node:
    """One gateway of several, which may be restarted."""

    def __init__(self, folder: Path, upstream: str, lame_duck: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.config = folder / "longwire.toml"
        values = {"port": self.port, "lame_duck": lame_duck, "folder": folder}
        text = CONFIG.format(**values, upstream=upstream, key=KEY)
        self.config.write_text(text, encoding="utf-8")
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LONGWIRE", "XDG_"))}
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "longwire", "serve", "--config", str(self.config)),
                cwd=self.folder,
                env={**inherited, "HOME": str(self.folder)},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        async with asyncio.timeout(40):
            assert b"Longwire serves" in await self.process.stdout.readline()

    async def stop(self) -> int:
        """End it as a service manager does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            return await self.process.wait()

    async def kill(self) -> None:
        """End it, if it still runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def nodes(
    folder: Path, upstream: str, count: int, lame_duck: str
) -> AsyncIterator[Sequence[Node]]:
    """Run several gateways."""
    async with AsyncExitStack() as stack:
        found = [Node(folder / f"node{n}", upstream, lame_duck) for n in range(count)]
        for node in found:
            stack.push_async_callback(node.kill)
        async with asyncio.TaskGroup() as group:
            for node in found:
                group.create_task(node.start())
        yield found


@dataclass
class Load:
    """Agents that ask through a proxy until told to stop; turns answered, and what went wrong."""

    proxy: ReverseProxy
    metadata: dict[str, str]
    answered: int = 0
    errors: list[str] = field(default_factory=list)
    is_over: bool = False

    @asynccontextmanager
    async def running(self, agents: int) -> AsyncIterator[None]:
        """Ask meanwhile."""
        connector = aiohttp.TCPConnector(limit=0, ssl=self.proxy.trust)
        headers = {"authorization": f"Bearer {KEY}"}
        async with (
            aiohttp.ClientSession(
                self.proxy.origin, connector=connector, headers=headers
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            for number in range(agents):
                group.create_task(self._agent(client, f"session-{number}"))
            try:
                yield
            finally:
                self.is_over = True

    async def _agent(self, client: aiohttp.ClientSession, session: str) -> None:
        while not self.is_over:
            body = {
                "model": "gpt-5.5",
                "input": [{"role": "user", "content": "hi"}],
                "tools": [{"type": "function", "name": "f", "parameters": {}}],
                "metadata": self.metadata,
                "stream": True,
            }
            try:
                await self._turn(client, session, body)
            except (aiohttp.ClientError, OSError) as error:
                self.errors.append(f"{type(error).__name__}: {error}")

    async def _turn(self, client: aiohttp.ClientSession, session: str, body: dict) -> None:
        headers = {"session-id": session}
        async with client.post("/v1/responses", json=body, headers=headers) as response:
            text = await response.text()
            if response.status == 200 and "event: response.completed" in text:
                self.answered += 1
            else:
                self.errors.append(f"{response.status} {text[-200:]}")


async def roll(proxy: ReverseProxy, gateways: Sequence[Node]) -> None:
    """Restart one gateway after the other, as the page says."""
    for node in gateways:
        await proxy.before_restart(node.port)
        assert 0 == await node.stop()
        await node.start()
        await proxy.after_restart(node.port)
