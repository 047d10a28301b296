"""What nodes tell each other over Valkey's channel `lw:tidings`: hints, which may be lost.

Law: a node does not hear itself; what cannot be read is passed over, for another version tells it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from longwire.core.ports import Hear
from longwire.fleet.links import Servers, close
from longwire.fleet.valkey import Valkey
from longwire.logger import structlog

_log = structlog.get_logger()
_CHANNEL: Final = "lw:tidings"
_TIMEOUT: Final = 1.0
_PAUSE: Final = 1.0
_PING: Final = 5.0
_SILENCE: Final = 3 * _PING


class _Tiding(msgspec.Struct):
    node: str
    kind: str
    facts: dict[str, Any]


class SharedTidings:
    """Tells over one connection and listens on another; `node` is who tells."""

    def __init__(self, valkey: Valkey, servers: Servers, node: str) -> None:
        self._valkey = valkey
        self._servers = servers
        self._node = node
        self._hearers: defaultdict[str, list[Hear]] = defaultdict(list)

    def tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Tell the other nodes."""
        tiding = msgspec.json.encode(_Tiding(self._node, kind, dict(facts)))
        self._valkey.post("PUBLISH", _CHANNEL, tiding)

    def hear(self, kind: str, hear: Hear) -> None:
        """Have each of a kind that another node tells taken."""
        self._hearers[kind].append(hear)

    async def listen(self) -> None:
        """Listen until cancelled; where the server is away, it is tried again."""
        while True:
            try:
                await self._listen_once()
            except* (OSError, TimeoutError, RedisError) as errors:
                _log.debug("tidings_wait", reason=str(errors.exceptions[0]))
            await asyncio.sleep(_PAUSE)

    async def _listen_once(self) -> None:
        async with asyncio.timeout(_TIMEOUT):
            connection = await self._servers.open()
        try:
            await connection.send_command("SUBSCRIBE", _CHANNEL)
            async with asyncio.TaskGroup() as group:
                group.create_task(_ping(connection))
                while True:
                    self._take(await connection.read_response(timeout=_SILENCE))
        finally:
            await close(connection)

    def _take(self, message: Any) -> None:  # noqa: ANN401 - as the server sent it
        if not isinstance(message, list) or message[:1] != [b"message"]:
            return
        try:
            tiding = msgspec.json.decode(message[2], type=_Tiding)
        except msgspec.MsgspecError:
            return
        if tiding.node != self._node:
            for hear in self._hearers[tiding.kind]:
                hear(tiding.node, tiding.facts)


async def _ping(connection: AbstractConnection) -> None:
    """Ask for a sign of life now and then, so that a silent server is found out."""
    while True:
        await asyncio.sleep(_PING)
        await connection.send_command("PING", check_health=False)
