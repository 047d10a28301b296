"""Who is there: each node announces itself in Valkey, and is there while its heartbeat is heard.

Law: a heartbeat has a task of its own, so that nothing else a node does makes it late. Ages are
by Valkey's clock: those of the hosts may differ.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec

from longwire.core.errors import FleetUnavailable
from longwire.logger import structlog

if TYPE_CHECKING:
    from longwire.fleet.valkey import Script, Valkey

_log = structlog.get_logger()
BEAT: Final = 5.0
"""Seconds between two heartbeats; a node that missed two is gone."""

COUNTED: Final = ("limits", "homes", "pace", "sign_in_throttle")
"""What a node counts, by itself or with the others."""

_AGAIN: Final = 1.0
_LASTS: Final = 15
_REMEMBERED: Final = 600
_PREFIX: Final = "lw:node:"
_INDEX: Final = "lw:nodes"


@dataclass(frozen=True, slots=True)
class Node:
    """One process of a fleet, as it announced itself; `since` in seconds since 1970 UTC.

    `epoch` tells two lives of one name apart. `figures` are numbers that the node tells of itself:
    its sessions, its turns a second and under way. `counts` tells where each of `COUNTED` is
    counted: `valkey` or `process`. `age` is of its last heartbeat, in seconds.
    """

    name: str
    epoch: str
    version: str = ""
    stage: str = "starting"
    since: float = 0.0
    host: str = ""
    pid: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, str] = field(default_factory=dict)
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is there, by name, and who went silent lately without leaving: for how many seconds."""

    nodes: Sequence[Node]
    silent: Mapping[str, float] = field(default_factory=dict)

    @property
    def taken_names(self) -> frozenset[str]:
        """The names that several processes have at once."""
        names = [node.name for node in self.nodes]
        return frozenset(name for name in names if names.count(name) > 1)


_NOBODY: Final = Presence(())
Figures = Callable[[], Mapping[str, float]]


class Nodes:
    """This node and the others. `stage` and `figures` tell how this one is now.

    `scripts` announce a life of a name, and tell the names. There are `least` of them, even if
    nobody was heard yet.
    """

    def __init__(
        self,
        name: str,
        valkey: "Valkey | None" = None,
        scripts: "Mapping[str, Script] | None" = None,
        clock: Callable[[], float] = time.time,
        least: int = 1,
    ) -> None:
        self.own = Node(
            name,
            uuid4().hex[:8],
            version("longwire"),
            since=clock(),
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        self.stage: Callable[[], str] = lambda: "starting"
        self.figures: Figures = dict
        self._count = self._least = least
        self._valkey = valkey
        self._scripts = scripts or {}
        self._clock = clock
        self._last, self._last_at = _NOBODY, clock()
        self._twins: frozenset[str] = frozenset()
        self._is_due = asyncio.Event()

    @property
    def count(self) -> int:
        """How many nodes there were at the last heartbeat, this one among them.

        Whoever cannot ask Valkey has it from the database; it is never less than is sure.
        """
        return self._count

    @count.setter
    def count(self, heard: int) -> None:
        self._count = max(self._least, heard)

    @property
    def is_shared(self) -> bool:
        """Whether there may be others at all."""
        return self._valkey is not None

    @property
    def is_cut_off(self) -> bool:
        """Whether the others cannot be asked now."""
        return self._valkey is not None and self._valkey.is_away

    def now(self) -> Node:
        """Return this node as it is now."""
        where = "valkey" if self.is_shared and not self.is_cut_off else "process"
        counts = dict.fromkeys(COUNTED, where)
        return replace(self.own, stage=self.stage(), figures=dict(self.figures()), counts=counts)

    async def presence(self) -> Presence:
        """Return who is there; who was there last, where nobody can be asked."""
        with suppress(FleetUnavailable):
            self._last, self._last_at = await self.others(), self._clock()
        passed = self._clock() - self._last_at
        others = [replace(node, age=node.age + passed) for node in self._last.nodes]
        nodes = sorted((self.now(), *others), key=_place)
        return Presence(nodes, {name: age + passed for name, age in self._last.silent.items()})

    async def has_gone(self, name: str) -> bool:
        """Whether a node of this name is known not to be there; who is cut off knows nothing."""
        if self._valkey is None:
            return False
        try:
            names = {node.name for node in (await self.others()).nodes}
        except FleetUnavailable:
            return False
        return name not in {self.own.name, *names}

    def announce_soon(self) -> None:
        """Announce this node now rather than at its next heartbeat: its stage has changed."""
        self._is_due.set()

    async def beat(self) -> None:
        """Announce this node until cancelled; then take the announcement back."""
        try:
            while True:
                self._is_due.clear()
                is_heard = await self.announce()
                await self._rest(BEAT if is_heard else _AGAIN)
        finally:
            self._withdraw()

    async def _rest(self, seconds: float) -> None:
        """Wait until the next heartbeat is due."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_due.wait()

    async def announce(self) -> bool:
        """Announce this node once; whether it was heard."""
        node = self.now()
        if self._valkey is None:
            return True
        key, announcement = f"{_PREFIX}{node.name}", msgspec.json.encode(node)
        try:
            twins = await self._valkey.run(
                self._scripts["beat"], [key], node.epoch, announcement, _LASTS
            )
            self._notice(frozenset(_text(twin) for twin in twins))
            now, heard = await self._names(self._valkey, node.name)
        except FleetUnavailable:
            return False
        self.count = sum(now - at <= _LASTS for at in heard.values())
        return True

    def _notice(self, twins: frozenset[str]) -> None:
        """Warn, once for each, of other processes that have the name of this one."""
        if new := twins - self._twins:
            _log.warning(
                "node_name_taken",
                name=self.own.name,
                epochs=sorted(new),
                note="another process has this name; give each its own in fleet.node",
            )
        self._twins = twins

    def _withdraw(self) -> None:
        if self._valkey is not None:
            self._valkey.post("HDEL", f"{_PREFIX}{self.own.name}", self.own.epoch)
            self._valkey.post("ZREM", _INDEX, self.own.name)

    async def _names(self, valkey: "Valkey", announced: str = "") -> tuple[float, dict[str, float]]:
        """Return the time, and when each name was heard last."""
        answer = await valkey.run(self._scripts["nodes"], [_INDEX], announced, _REMEMBERED)
        now, *rest = answer
        names, times = rest[::2], rest[1::2]
        heard = {_text(n): float(at) / 1000 for n, at in zip(names, times, strict=True)}
        return float(now) / 1000, heard

    async def others(self) -> Presence:
        """Return who is there beside this one. Raises `FleetUnavailable`."""
        if self._valkey is None:
            return _NOBODY
        now, heard = await self._names(self._valkey)
        names = [name for name, at in heard.items() if now - at <= _LASTS]
        silent = {name: now - at for name, at in heard.items() if now - at > _LASTS}
        answers = await _hashes(self._valkey, [f"{_PREFIX}{name}" for name in names])
        nodes = [node for answer in answers for node in _lives(answer, now)]
        others = [each for each in nodes if each.epoch != self.own.epoch]
        return Presence(sorted(others, key=_place), silent)


def _text(raw: bytes) -> str:
    """Return a name as it can be shown; what another hand wrote may be anything."""
    return raw.decode(errors="replace")


def _place(node: Node) -> tuple[str, str]:
    """Return where a node stands in a list."""
    return node.name, node.epoch


async def _hashes(valkey: "Valkey", keys: Sequence[str]) -> Sequence[Any]:
    """Return the hashes under keys, all in one way there and back."""
    try:
        async with asyncio.TaskGroup() as group:
            reads = [group.create_task(valkey.call("HGETALL", key)) for key in keys]
    except* FleetUnavailable as failures:
        raise FleetUnavailable(str(failures.exceptions[0])) from None
    return [read.result() for read in reads]


def _lives(answer: Sequence[bytes], now: float) -> Sequence[Node]:
    """Return the lives of one name that are there; one that ended before another began is not."""
    found: list[tuple[float, float, Node]] = []
    for value in answer[1::2]:
        with suppress(ValueError, msgspec.MsgspecError):  # as another version or hand wrote it
            seen, begun, announcement = value.split(b" ", 2)
            node = msgspec.json.decode(announcement, type=Node)
            found.append((float(seen) / 1e6, float(begun) / 1e6, node))
    last_begun = max((begun for _, begun, _ in found), default=0.0)
    return [
        replace(node, age=max(now - seen, 0.0))
        for seen, begun, node in found
        if now - seen <= _LASTS and (seen > last_begun or begun == last_begun)
    ]
