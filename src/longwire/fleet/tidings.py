"""What nodes tell each other over a channel of Valkey: hints, which may be lost.

Law: a node does not hear itself; what cannot be read is passed over, for another version tells it.
While Valkey is away nothing is kept to be told later, when it would undo what is newer.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from longwire.core.errors import FleetUnavailable
from longwire.core.ports import Hear
from longwire.fleet.links import Servers, close
from longwire.fleet.valkey import Script, Valkey
from longwire.logger import structlog

_log = structlog.get_logger()
_CHANNELS: Final = "lw:tidings:"
"""Channels know no databases: the number of the fleet's own is in the name."""

_TIMEOUT: Final = 1.0
_PAUSE: Final = 1.0
_PING: Final = 5.0
_SILENCE: Final = 3 * _PING

_PINS: Final = {"cooling": "lw:cool:", "quota": "lw:quota:"}
"""Which kinds are pinned, and the keys of their subjects."""

_UNREADABLE: Final = (AttributeError, LookupError, TypeError, ValueError, msgspec.MsgspecError)
"""What facts may lead to that a node of another version has told."""


class _Tiding(msgspec.Struct):
    node: str
    kind: str
    facts: dict[str, Any]


class SharedTidings:
    """Tells over one connection and listens on another; `node` is who tells.

    What is told goes over `large`, the link on which a large command makes no turn wait.
    """

    def __init__(self, valkey: Valkey, large: Valkey, servers: Servers, node: str) -> None:
        self._valkey = valkey
        self._large = large
        self._servers = servers
        self._channel = f"{_CHANNELS}{servers.database}"
        self._node = node
        self._claims = Script("claim")
        self._hearers: defaultdict[str, list[Hear]] = defaultdict(list)

    def tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Tell the other nodes."""
        tiding = msgspec.json.encode(_Tiding(self._node, kind, dict(facts)))
        self._large.post("PUBLISH", self._channel, tiding, is_kept=False)

    def hear(self, kind: str, hear: Hear) -> None:
        """Have each of a kind that another node tells taken."""
        self._hearers[kind].append(hear)

    def pin(self, kind: str, subject: str, facts: Mapping[str, Any], lasts: int) -> None:
        """Tell the other nodes, and leave it for who comes later."""
        words = ("SET", _pin(kind, subject), msgspec.json.encode(facts), "EX", lasts)
        self._valkey.post(*words, is_kept=False)
        self.tell(kind, facts)

    async def recall(self, kind: str, subjects: Collection[str]) -> None:
        """Have taken what was pinned last of these subjects; nothing while nobody can be asked."""
        with suppress(FleetUnavailable):
            for subject in subjects:
                facts = _facts(await self._valkey.call("GET", _pin(kind, subject)))
                if facts is not None:
                    self._hand_on(_Tiding("", kind, facts))

    def claim(self, session: str, lasts: int) -> None:
        """Say that a session is served here; who served it before hears `moved` by the script."""
        arguments = (self._node, lasts, self._channel, session)
        self._valkey.post_run(self._claims, (f"lw:at:{session}",), *arguments, is_kept=False)

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
            await connection.send_command("SUBSCRIBE", self._channel)
            async with asyncio.TaskGroup() as group:
                group.create_task(_ping(connection))
                while True:
                    self._take(await _message(connection))
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
            self._hand_on(tiding)

    def _hand_on(self, tiding: _Tiding) -> None:
        """Let each hearer take a tiding; what one of them cannot read spoils it for none."""
        for hear in self._hearers.get(tiding.kind, ()):
            try:
                hear(tiding.node, tiding.facts)
            except _UNREADABLE as error:
                names = {"kind": tiding.kind, "node": tiding.node}
                _log.debug("tiding_not_taken", error=repr(error), **names)


def _facts(raw: bytes | None) -> dict[str, Any] | None:
    """Read what was pinned; None for nothing, and for what another version wrote otherwise."""
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(raw, type=dict[str, Any]) if raw else None
    return None


def _pin(kind: str, subject: str) -> str:
    return f"{_PINS[kind]}{{{subject}}}"


async def _message(connection: AbstractConnection) -> Any:  # noqa: ANN401 - as the server sent it
    """Return what comes next. Raises `TimeoutError` after a silence that no ping ended."""
    async with asyncio.timeout(_SILENCE):
        return await connection.read_response()


async def _ping(connection: AbstractConnection) -> None:
    """Ask for a sign of life now and then, so that a silent server is found out."""
    while True:
        await asyncio.sleep(_PING)
        await connection.send_command("PING", check_health=False)
