"""The socket of a WebSocket client: messages in, messages out, and how long that may take."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Send

from longwire.core.errors import ClientGone
from longwire.core.rules.lanes import LaneLimits

_CLOSE_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What holds for every connection: sizes in bytes, spans in seconds.

    `history` is what is kept of its conversations, `idle` how long it may rest, `silence` what
    Codex bears without an event, `stall` how long a client may take nothing of what it is sent.
    """

    lanes: LaneLimits = field(default_factory=LaneLimits)
    history: int = 32 * 1024 * 1024
    idle: float = 86_400.0
    silence: float = 15.0
    stall: float = 120.0


@dataclass(frozen=True, slots=True)
class ClientSocket:
    """One client's connection.

    Methods raise `ClientGone` once it has ended, or its client took nothing for `stall` seconds.
    """

    _receive: Receive
    _send: Send
    _stall: float

    async def accept(self, headers: Mapping[str, str], subprotocol: str | None) -> None:
        """Agree to the upgrade, and to one of the subprotocols offered."""
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        message = {"type": "websocket.accept", "headers": pairs, "subprotocol": subprotocol}
        await self._deliver([message], self._stall)

    async def receive(self) -> str | bytes:
        """Wait for the next message: text, or bytes where it is binary."""
        message = await self._receive()
        text, binary = message.get("text"), message.get("bytes")
        content: str | bytes | None = binary if text is None else text
        if content is None:
            raise ClientGone
        return content

    async def write(self, events: Iterable[bytes]) -> None:
        """Send events, each encoded when its turn comes, and wait until the client keeps up."""
        texts = (event.decode("utf-8", "replace") for event in events)
        messages = ({"type": "websocket.send", "text": text} for text in texts)
        await self._deliver(messages, self._stall)

    async def close(self, code: int, reason: str) -> None:
        """Close the connection."""
        message = {"type": "websocket.close", "code": code, "reason": reason}
        await self._deliver([message], _CLOSE_TIMEOUT)

    async def _deliver(self, messages: Iterable[Message], patience: float) -> None:
        """Hand messages to the server."""
        try:
            async with asyncio.timeout(patience):
                for message in messages:
                    await self._send(message)
        except (OSError, RuntimeError):
            # A timeout is an OSError; a RuntimeError is what the server says of a connection that
            # it closed by itself.
            raise ClientGone from None
