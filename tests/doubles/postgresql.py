"""A PostgreSQL server that is asked for a connection, notes how, and then refuses it.

Its part of the protocol: https://www.postgresql.org/docs/current/protocol-flow.html
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_SSL_REQUEST = 80877103
REFUSAL = b"SFATAL\0C57P03\0Mseen enough\0\0"


@dataclass
class Refusing:
    """What came: of each startup message its parameters, the password, and whether over TLS."""

    tls: ssl.SSLContext | None
    port: int = 0
    startups: list[dict[str, str]] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    _ended: list[asyncio.Event] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.Event()
        self._ended.append(ended)
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    async def ended(self) -> None:
        """Wait until all who came have left."""
        for each in self._ended:
            await each.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code, rest = await _first_message(reader)
        is_encrypted = code == _SSL_REQUEST and self.tls is not None
        if code == _SSL_REQUEST:
            writer.write(b"S" if self.tls else b"N")
            if self.tls:
                await writer.start_tls(self.tls)
            code, rest = await _first_message(reader)
        words = [word.decode() for word in rest.split(b"\0")[:-2]]
        self.startups.append(dict(zip(words[::2], words[1::2], strict=True)))
        self.over_tls.append(is_encrypted)
        writer.write(b"R" + struct.pack("!II", 8, 3))  # a password in clear text
        kind = await reader.readexactly(1)
        (size,) = struct.unpack("!I", await reader.readexactly(4))
        password = await reader.readexactly(size - 4)
        if kind == b"p":
            self.passwords.append(password[:-1].decode())
        writer.write(b"E" + struct.pack("!I", len(REFUSAL) + 4) + REFUSAL)
        await writer.drain()


async def _first_message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    size, code = struct.unpack("!II", await reader.readexactly(8))
    return code, await reader.readexactly(size - 8)


@asynccontextmanager
async def refusing(tls: ssl.SSLContext | None = None) -> AsyncIterator[Refusing]:
    """Run such a server, which speaks TLS where it is given a context."""
    server = Refusing(tls)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.ended()
