"""Valkey Cluster: a connection to each master, and each command to the one that has its key.

Law: commands of one batch go out to all masters before the first answer is awaited. A batch that
one master does not answer fails whole; what is known of the slots is forgotten with it.
"""

import asyncio
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from redis.asyncio.connection import AbstractConnection
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, RedisError

from longwire.fleet.links import Connect, Link, Place, Words, close, opened, read, write

_REDIRECTS: Final = 3
_TO_ASK_ONE: Final = 0.3
"""Seconds that one server has to tell where the slots are."""

_SCRIPTS: Final = frozenset({"EVALSHA", "EVAL"})


class _Request(NamedTuple):
    at: int
    place: Place
    words: Words
    is_asking: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """The masters of a cluster, found by any server of it that answers."""

    connect: Connect
    seeds: Sequence[Place]

    @property
    def database(self) -> int:
        """A cluster has but one."""
        return 0

    def link(self) -> Link:
        """Return a link for commands."""
        return ClusterLink(self.connect, self.seeds)

    async def open(self) -> AbstractConnection:
        """Open a connection to the first server that answers: tidings come by each of them."""
        error: Exception = ClusterDownError("no server of it answers")
        for place in self.seeds:
            try:
                async with asyncio.timeout(_TO_ASK_ONE):
                    return await opened(self.connect(place))
            except (OSError, TimeoutError, RedisError) as failure:
                error = failure
        raise error


class ClusterLink:
    """Connections to the masters of one cluster."""

    __slots__ = ("_connect", "_connections", "_known", "_starts")

    def __init__(self, connect: Connect, seeds: Sequence[Place]) -> None:
        self._connect = connect
        self._known = deque(seeds)
        self._connections: dict[Place, AbstractConnection] = {}
        self._starts: Sequence[tuple[int, Place]] = ()

    def __repr__(self) -> str:
        return f"<ClusterLink masters={len(self._connections)} ranges={len(self._starts)}>"

    async def answers(self, commands: Sequence[Words]) -> list[Any]:
        """Write commands at once and return their answers; see `Link`."""
        if not self._starts:
            await self._discover()
        answers: list[Any] = [None] * len(commands)
        requests = [_Request(at, self._place(words), words) for at, words in enumerate(commands)]
        for _ in range(_REDIRECTS):
            for at, answer in (await self._exchange(requests)).items():
                answers[at] = answer
            requests = [each for request in requests if (each := _redirected(request, answers))]
            if not requests:
                return answers
        raise ClusterDownError("it sends commands round in a circle")

    async def drop(self) -> None:
        """Close all connections, and ask anew where the slots are."""
        self._starts = ()
        connections, self._connections = self._connections, {}
        for connection in connections.values():
            await close(connection)

    async def _exchange(self, requests: Sequence[_Request]) -> Mapping[int, Any]:
        """Write all requests, then read all answers, server by server."""
        by_place: defaultdict[Place, list[_Request]] = defaultdict(list)
        for request in requests:
            by_place[request.place].append(request)
        for place, own in by_place.items():
            words = [each for request in own for each in _spoken(request)]
            await write(await self._connection(place), words)
        answers: dict[int, Any] = {}
        for place, own in by_place.items():
            connection = self._connections[place]
            for request in own:
                answers[request.at] = (await read(connection, len(_spoken(request))))[-1]
        if any(isinstance(each, MovedError) for each in answers.values()):
            self._starts = ()  # found anew with the next batch
        return answers

    async def _connection(self, place: Place) -> AbstractConnection:
        connection = self._connections.get(place)
        if connection is None or not connection.is_connected:
            connection = self._connections[place] = await opened(self._connect(place))
        return connection

    def _place(self, words: Words) -> Place:
        """Return the master that has a command's key; any one where it has none."""
        starts = self._starts
        at = 3 if words[0] in _SCRIPTS else 1
        slot = key_slot(_bytes(words[at])) if len(words) > at else 0
        return starts[max(bisect_right(starts, slot, key=_start_of) - 1, 0)][1]

    async def _discover(self) -> None:
        """Ask where the slots are; who did not answer is asked last the next time."""
        error: Exception = ClusterDownError("no server of it answers")
        for _ in range(len(self._known)):
            place = self._known[0]
            try:
                async with asyncio.timeout(_TO_ASK_ONE):
                    connection = await self._connection(place)
                    await write(connection, [("CLUSTER", "SLOTS")])
                    slots = await connection.read_response()
            except (OSError, TimeoutError, RedisError) as failure:
                error = failure
                self._known.rotate(-1)
                if (broken := self._connections.pop(place, None)) is not None:
                    await close(broken)
                continue
            self._take(place, slots)
            return
        raise error

    def _take(self, server: Place, slots: Sequence[Any]) -> None:
        """Take over who has which slots, as a server says it; a host it omits is its own."""
        if not slots:
            raise ClusterDownError("it has no slots: it is not created yet")
        self._starts = sorted(
            (int(start), Place((host or b"").decode() or server.host, int(port)))
            for start, _end, (host, port, *_), *_ in slots
        )
        for _, place in self._starts:
            if place not in self._known:
                self._known.append(place)


def _start_of(start: tuple[int, Place]) -> int:
    return start[0]


def _bytes(word: str | bytes | float) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


def _spoken(request: _Request) -> Sequence[Words]:
    return (("ASKING",), request.words) if request.is_asking else (request.words,)


def _redirected(request: _Request, answers: Sequence[Any]) -> _Request | None:
    """Return the same request for where its answer points to, None where it was answered."""
    answer = answers[request.at]
    if not isinstance(answer, AskError):  # `MovedError` is one, too
        return None
    place = Place(answer.host or request.place.host, answer.port)
    return _Request(request.at, place, request.words, not isinstance(answer, MovedError))
