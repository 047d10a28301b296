"""Who is there: each node announces itself in Valkey, and nobody remembers one that went silent.

Law: a heartbeat has a task of its own, so that nothing else a node does makes it late.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import msgspec

from longwire.core.errors import FleetUnavailable

if TYPE_CHECKING:
    from longwire.fleet.valkey import Valkey

BEAT: Final = 5.0
"""Seconds between two heartbeats; a node that missed two is gone."""

_LASTS: Final = 15
_PREFIX: Final = "lw:node:"
_INDEX: Final = "lw:nodes"


@dataclass(frozen=True, slots=True)
class Node:
    """One process of a fleet, as it announced itself; times in seconds since 1970 UTC.

    `epoch` tells two lives of one name apart. `figures` are numbers that the node tells of itself:
    its sessions, its turns a second.
    """

    name: str
    epoch: str
    version: str = ""
    stage: str = "starting"
    since: float = 0.0
    seen: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)


Figures = Callable[[], Mapping[str, float]]


class Nodes:
    """This node and the others. `stage` and `figures` tell how this one is now."""

    def __init__(
        self, name: str, valkey: "Valkey | None" = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.own = Node(name, uuid4().hex[:8], version("longwire"), since=clock())
        self.stage: Callable[[], str] = lambda: "starting"
        self.figures: Figures = dict
        self._valkey = valkey
        self._clock = clock
        self._others: Sequence[Node] = ()

    @property
    def count(self) -> int:
        """How many nodes there were when somebody last looked, this one among them."""
        return 1 + len(self._others)

    @property
    def is_shared(self) -> bool:
        """Whether there may be others at all."""
        return self._valkey is not None

    def now(self) -> Node:
        """Return this node as it is now."""
        return replace(
            self.own, stage=self.stage(), seen=self._clock(), figures=dict(self.figures())
        )

    async def all(self) -> Sequence[Node]:
        """Return all nodes by their names; those last known, where nobody can be asked."""
        with suppress(FleetUnavailable):
            self._others = await self._read()
        return sorted((self.now(), *self._others), key=lambda node: node.name)

    async def beat(self) -> None:
        """Announce this node until cancelled; then take the announcement back."""
        try:
            while True:
                await self.announce()
                await self.all()
                await asyncio.sleep(BEAT)
        finally:
            self._withdraw()

    async def announce(self) -> None:
        """Announce this node once."""
        if self._valkey is None:
            return
        node = msgspec.json.encode(self.now())
        with suppress(FleetUnavailable):
            await self._valkey.call("SET", f"{_PREFIX}{self.own.name}", node, "EX", _LASTS)
            await self._valkey.call("SADD", _INDEX, self.own.name)

    def _withdraw(self) -> None:
        if self._valkey is not None:
            self._valkey.post("DEL", f"{_PREFIX}{self.own.name}")
            self._valkey.post("SREM", _INDEX, self.own.name)

    async def _read(self) -> Sequence[Node]:
        if self._valkey is None:
            return ()
        names = [name.decode() for name in await self._valkey.call("SMEMBERS", _INDEX)]
        found: list[Node] = []
        for name in names:
            raw = await self._valkey.call("GET", f"{_PREFIX}{name}")
            if raw is None:
                self._valkey.post("SREM", _INDEX, name)
                continue
            with suppress(msgspec.MsgspecError):
                found.append(msgspec.json.decode(raw, type=Node))
        return [node for node in found if node.name != self.own.name]
