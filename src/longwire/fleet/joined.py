"""What a node has that shares a Valkey with others. It loads Valkey's client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from longwire.core.errors import ConfigurationError, FleetUnavailable
from longwire.fleet.addresses import connect_to
from longwire.fleet.asking import Asking
from longwire.fleet.fleet import Fleet, default_node
from longwire.fleet.homes import ValkeyHomes
from longwire.fleet.limits import SharedLimits
from longwire.fleet.nodes import Nodes
from longwire.fleet.paces import SharedPaces
from longwire.fleet.shared_throttle import SharedThrottle
from longwire.fleet.throttle import LocalThrottle
from longwire.fleet.tidings import SharedTidings
from longwire.fleet.valkey import Script, Valkey


def joined(url: str, node: str = "", least: int = 1) -> Fleet:
    """Return what a node has that shares a server, with so many nodes at the `least`.

    Raises `ConfigurationError` for a bad URL.
    """
    servers = connect_to(url)
    valkey = Valkey(servers)
    large = Valkey(servers, complaints=valkey.complaints)
    name = node or default_node()
    nodes = Nodes(name, valkey, _scripts(), least=least)
    tidings = SharedTidings(valkey, large, servers, name)
    limits = SharedLimits(valkey, nodes)
    asking = Asking(nodes, tidings, large)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        works = (nodes.beat(), tidings.listen(), asking.answer_others(), limits.keep_leases())
        async with valkey.running(), large.running(), asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in works]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    return Fleet(
        nodes,
        asking,
        limits=limits,
        tidings=tidings,
        paces=SharedPaces(valkey, lambda: nodes.count),
        homes=ValkeyHomes(valkey, tidings),
        throttle=SharedThrottle(valkey, LocalThrottle()),
        valkey=valkey,
        running=running,
    )


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Fleet]:
    """Give what asks the nodes of a fleet without being one, as commands do.

    Raises `ConfigurationError` for a bad URL, and for a server that cannot be asked.
    """
    servers = connect_to(url)
    valkey = Valkey(servers)
    nodes = Nodes("", valkey, _scripts())
    tidings = SharedTidings(valkey, valkey, servers, nodes.own.epoch)
    async with valkey.running():
        try:
            await valkey.call("PING")
        except FleetUnavailable as error:
            raise ConfigurationError(
                f"fleet.url: {error}; is the server there, and does it take this user?"
            ) from None
        yield Fleet(nodes, Asking(nodes, tidings, valkey), tidings=tidings, valkey=valkey)


def _scripts() -> dict[str, Script]:
    return {each: Script(each) for each in ("beat", "nodes")}
