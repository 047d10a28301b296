"""What a node shares with the others, or has alone: the same ports either way."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from longwire.core.ports import Limits, Tidings
from longwire.fleet.local import LocalLimits, LocalTidings
from longwire.fleet.nodes import Nodes

if TYPE_CHECKING:
    from longwire.fleet.valkey import Valkey


def default_node() -> str:
    """Return the name of a node that is not given one: the host's."""
    return socket.gethostname()


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


@dataclass(frozen=True, slots=True)
class Fleet:
    """The ports of one node, and who else is there; `valkey` is None where it is alone.

    `running` lets what is shared run: the connection, the ears, the heartbeat.
    """

    nodes: Nodes
    limits: Limits = field(default_factory=LocalLimits)
    tidings: Tidings = field(default_factory=LocalTidings)
    valkey: "Valkey | None" = None
    running: Callable[[], AbstractAsyncContextManager[None]] = _nothing


def alone(node: str = "") -> Fleet:
    """Return what a gateway has that shares nothing."""
    return Fleet(Nodes(node or default_node()))
