"""Gateways on fixed ports behind a proxy, each with a database of its own, and their restart."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from tests.conftest import KEY
from tests.doubles.nodes import Node
from tests.doubles.reverse_proxies import ReverseProxy

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


def _text(node: Node, *, upstream: str, lame_duck: str) -> str:
    values = {"port": node.port, "lame_duck": lame_duck, "folder": node.folder}
    return CONFIG.format(**values, upstream=upstream, key=KEY)


@asynccontextmanager
async def nodes(
    folder: Path, upstream: str, count: int, lame_duck: str
) -> AsyncIterator[Sequence[Node]]:
    """Run several gateways."""
    text = partial(_text, upstream=upstream, lame_duck=lame_duck)
    async with AsyncExitStack() as stack:
        found = [Node(f"node{n}", folder / f"node{n}", text) for n in range(count)]
        for node in found:
            stack.push_async_callback(node.kill)
        async with asyncio.TaskGroup() as group:
            for node in found:
                group.create_task(node.start())
        yield found


async def roll(proxy: ReverseProxy, gateways: Sequence[Node]) -> None:
    """Restart one gateway after the other, as the page says."""
    for node in gateways:
        await proxy.before_restart(node.port)
        assert 0 == await node.stop()
        await node.start()
        await proxy.after_restart(node.port)
