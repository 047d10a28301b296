"""Gateways that are workers of one program: how each is started, and on which sockets."""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from longwire.fleet.fleet import default_node
from longwire.settings import Settings
from longwire.supervisor.program import Command, Program

_BACKLOG: Final = 2048
_LONGEST_NAME: Final = 63


class Post(msgspec.Struct, frozen=True):
    """What a worker is started with: the sockets that it serves, one to say on that it does.

    `parts` is how many share the limits of the keys, each by itself while nobody counts for all.
    """

    listeners: tuple[int, ...]
    ready: int
    parts: int = 1


class Worker:
    """The place of one worker: its `name`, and its `path`, on which a balancer finds it.

    Without a path it serves `shared` sockets with the others.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        shared: Sequence[socket.socket] = (),
        path: Path | None = None,
        parts: int = 1,
    ) -> None:
        self.name = environ["LONGWIRE_FLEET__NODE"]
        self.path = path
        self._environ = environ
        self._shared = shared
        self._parts = parts
        self._ready: socket.socket | None = None

    def program(self) -> Program:
        """Return the program that keeps this place."""
        return Program(self.name, self._command, self._is_ready)

    def _command(self) -> Command:
        own = () if self.path is None else (_listen(self.path),)
        self._ready, theirs = socket.socketpair()
        self._ready.setblocking(False)  # noqa: FBT003 - its only argument
        listeners = tuple(each.fileno() for each in (*self._shared, *own))
        post = msgspec.json.encode(Post(listeners, theirs.fileno(), self._parts)).decode()

        def close() -> None:
            for each in (*own, theirs):
                each.close()

        words = (sys.executable, "-m", "longwire.worker", post)
        return Command(words, self._environ, (*listeners, theirs.fileno()), close)

    async def _is_ready(self) -> None:
        """Wait until it says so; one that ends before never does."""
        if self._ready is None:
            return
        with self._ready as ready:
            if not await asyncio.get_running_loop().sock_recv(ready, 1):
                await asyncio.Event().wait()


def environment(settings: Settings, port: int, number: int, url: str) -> Mapping[str, str]:
    """Return that of a worker: the supervisor's, and what is its own.

    It reads the file by itself; `url` is where it counts with the others, "" for nowhere.
    """
    node = f"{(settings.fleet.node or default_node())[: _LONGEST_NAME - 4]}-{number}"
    own = {"LONGWIRE_SERVER__PORT": str(port), "LONGWIRE_FLEET__NODE": node}
    if url:
        own["LONGWIRE_FLEET__URL"] = url
    if settings.source is not None:
        own["LONGWIRE_CONFIG"] = str(settings.source)
    return {name: value for name, value in os.environ.items() if name.upper() not in own} | own


def _listen(path: Path) -> socket.socket:
    """Listen on a Unix socket anew: who comes while nobody serves it is refused, and not kept."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(_BACKLOG)
    return listener
