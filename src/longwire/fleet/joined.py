"""What a node has that shares a Valkey with others. It loads Valkey's client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from longwire.fleet.addresses import connect_to
from longwire.fleet.fleet import Fleet, default_node
from longwire.fleet.limits import SharedLimits
from longwire.fleet.nodes import Nodes
from longwire.fleet.tidings import SharedTidings
from longwire.fleet.valkey import Valkey


def joined(url: str, node: str = "") -> Fleet:
    """Return what a node has that shares a server. Raises `ConfigurationError` for a bad URL."""
    connect = connect_to(url)
    valkey = Valkey(connect)
    name = node or default_node()
    nodes, tidings = Nodes(name, valkey), SharedTidings(valkey, connect, name)
    limits = SharedLimits(valkey, nodes)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with valkey.running(), asyncio.TaskGroup() as group:
            own = (nodes.beat(), tidings.listen(), limits.keep_leases())
            tasks = [group.create_task(each) for each in own]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    return Fleet(nodes, limits, tidings, valkey=valkey, running=running)
