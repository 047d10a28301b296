"""A client that writes its own bytes, reads as much as a story wants, and hangs up as it wants."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.conftest import KEY


class Wire:
    """One connection to a gateway with one request on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def post(self, body: object, **headers: str) -> None:
        """Send a turn; `session_id="s"` becomes the header `session-id: s`."""
        content = json.dumps(body).encode()
        named = {
            "host": "gateway",
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
            "content-length": str(len(content)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{name}: {value}\r\n" for name, value in named.items()]
        head = "POST /v1/responses HTTP/1.1\r\n" + "".join(lines) + "\r\n"
        self.writer.write(head.encode() + content)

    async def until(self, text: bytes) -> bytes:
        """Read up to and with `text`."""
        return await self.reader.readuntil(text)

    def vanish(self) -> None:
        """Abort the connection so that the other side sees RST."""
        raw = self.writer.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def wire(url: str, limit: int = 1 << 20, kernel: int | None = None) -> AsyncIterator[Wire]:
    """Connect; at the end the connection is closed if it is not yet.

    `limit` is what is read ahead here, `kernel` what the system takes unread, both in bytes.
    """
    parts = urlsplit(url)
    raw = socket.socket()
    raw.setblocking(False)
    if kernel is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kernel)
    await asyncio.get_running_loop().sock_connect(raw, (parts.hostname, parts.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=limit)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        await asyncio.sleep(0)


def event_of(name: str) -> bytes:
    """How an event begins on the wire."""
    return f"event: {name}\ndata: ".encode()
