"""How Valkey is reached: one server, the one that Sentinels name, or (`cluster`) many by slot.

Whoever calls bounds the time: redis-py's own time-outs would cost each batch a task, and on Python
3.11 could swallow a cancellation.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.exceptions import RedisError, ResponseError

Words = Sequence[str | bytes | int | float]
_SENTINEL_TIMEOUT: Final = 0.3


class Place(NamedTuple):
    """Host and port of one server; of a Unix socket its path, and no port."""

    host: str
    port: int = 0


Connect = Callable[[Place], AbstractConnection]
"""Gives a connection to a server that is not open yet."""

Locate = Callable[[], Awaitable[Place]]
"""Tells which server to connect to now."""


class Link(Protocol):
    """What commands are written to."""

    async def answers(self, commands: Sequence[Words]) -> list[Any]:
        """Write commands at once and return their answers, errors of commands among them.

        Raises `OSError` or `RedisError` where not all of them can be answered; `drop` it then.
        """

    async def drop(self) -> None:
        """Close what is open; the next commands open it anew."""


class Servers(Protocol):
    """Where a fleet's Valkey is; `database` is the number of that which is the fleet's own."""

    @property
    def database(self) -> int:
        """The number."""

    def link(self) -> Link:
        """Return a link for commands, not open yet."""

    async def open(self) -> AbstractConnection:
        """Open a connection of its own, to a server by which each tiding comes."""


class SingleLink:
    """A connection to one server, which is located anew each time that it is opened."""

    __slots__ = ("_connection", "_open")

    def __init__(self, open_: Callable[[], Awaitable[AbstractConnection]]) -> None:
        self._open = open_
        self._connection: AbstractConnection | None = None

    async def answers(self, commands: Sequence[Words]) -> list[Any]:
        """Write commands at once and return their answers; see `Link`."""
        connection = self._connection
        if connection is None or not connection.is_connected:
            connection = self._connection = await self._open()
        await write(connection, commands)
        return await read(connection, len(commands))

    async def drop(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await close(connection)


@dataclass(frozen=True, slots=True)
class Single:
    """One server, wherever it is now."""

    connect: Connect
    locate: Locate
    database: int = 0

    def link(self) -> Link:
        """Return a link for commands."""
        return SingleLink(self.open)

    async def open(self) -> AbstractConnection:
        """Open a connection."""
        return await opened(self.connect(await self.locate()))


@dataclass(frozen=True, slots=True)
class FromSentinels:
    """Asks Sentinels, one after another, which server is the master of a name now."""

    places: Sequence[Place]
    master: str
    options: dict[str, Any] = field(repr=False, default_factory=dict)

    async def __call__(self) -> Place:
        """Return the master. Raises `RedisError` where no Sentinel knows one."""
        error: Exception = MasterNotFoundError("no Sentinel answers")
        for place in self.places:
            sentinel = Sentinel([place], sentinel_kwargs=self.options)  # type: ignore[no-untyped-call]
            try:
                async with asyncio.timeout(_SENTINEL_TIMEOUT):
                    host, port = await sentinel.discover_master(self.master)
                return Place(str(host), int(port))
            except (OSError, TimeoutError, RedisError) as failure:
                error = failure
            finally:
                await sentinel.aclose()
        raise error


async def opened(connection: AbstractConnection) -> AbstractConnection:
    """Open a connection; one that is given up meanwhile leaves no socket behind."""
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
    except BaseException:
        await close(connection)
        raise
    return connection


async def close(connection: AbstractConnection) -> None:
    """Close a connection, whatever it is doing."""
    with suppress(OSError, RedisError, asyncio.TimeoutError):
        await connection.disconnect(nowait=True)


async def write(connection: AbstractConnection, commands: Sequence[Words]) -> None:
    """Write commands at once."""
    packed = [pack_command((*words,)) for words in commands]  # type: ignore[arg-type] # not of one
    await connection.send_packed_command(packed, check_health=False)


async def read(connection: AbstractConnection, count: int) -> list[Any]:
    """Read so many answers, errors of commands among them."""
    answers: list[Any] = []
    for _ in range(count):
        try:
            answers.append(await connection.read_response())
        except ResponseError as error:
            answers.append(error)
    return answers
