"""What a node shares with the others, or has alone: the same ports either way."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from longwire.core.errors import ConfigurationError
from longwire.core.ports import Limits, Paces, SharedHomes, Throttle, Tidings
from longwire.fleet.asking import Asking
from longwire.fleet.local import LocalLimits, LocalPaces, LocalTidings
from longwire.fleet.nodes import Nodes
from longwire.fleet.throttle import LocalThrottle

if TYPE_CHECKING:
    from longwire.fleet.valkey import Valkey


def import_joined() -> Any:  # noqa: ANN401 - a module
    """Return the module `joined`, which loads Valkey's client. Raises `ConfigurationError`."""
    if find_spec("redis") is None:
        raise ConfigurationError("fleet.url needs Valkey's client: pip install 'longwire[fleet]'")
    return import_module("longwire.fleet.joined")


def default_node() -> str:
    """Return the name of a node that is not given one: the host's."""
    return socket.gethostname()


@dataclass(frozen=True, slots=True)
class Fleet:
    """The ports of one node, and who else is there; alone it has no `valkey` and no shared `homes`.

    `running` lets what is shared run: the connection, the ears, the heartbeat.
    """

    nodes: Nodes
    asking: Asking
    limits: Limits = field(default_factory=LocalLimits)
    tidings: Tidings = field(default_factory=LocalTidings)
    paces: Paces = field(default_factory=LocalPaces)
    homes: SharedHomes | None = None
    throttle: Throttle = field(default_factory=LocalThrottle)
    valkey: "Valkey | None" = None
    running: Callable[[], AbstractAsyncContextManager[None]] = nullcontext


def alone(node: str = "", parts: int = 1) -> Fleet:
    """Return what a gateway has that shares nothing, or is one of several parts that do not."""
    nodes = Nodes(node or default_node())

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(nodes.beat())
            try:
                yield
            finally:
                beating.cancel()

    asking = Asking(nodes, LocalTidings())
    return Fleet(nodes, asking, LocalLimits(parts=parts), running=running)
