"""A WebSocket server that sends exactly the bytes a test says, and nothing by itself."""

import asyncio
import base64
import hashlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Answer = Callable[[bytes], bytes | None]
"""From the head of a request to the bytes that answer it; None leaves it unanswered."""


def frame(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """Encode one unmasked frame (RFC 6455, 5.2)."""
    first, size = opcode | (0x80 if final else 0), len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def close_frame(code: int | None, reason: bytes = b"") -> bytes:
    """Encode a close frame; None leaves the code out."""
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def accept(head: bytes) -> bytes:
    """Answer an upgrade with 101."""
    key = next(
        line.partition(b":")[2].strip()
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-key:")
    )
    proof = base64.b64encode(hashlib.sha1(key + _GUID).digest())  # noqa: S324 - RFC 6455, 4.2.2
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % proof
    )


class Link:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes):
        self.head = head
        self.writer = writer
        self.reader = reader

    def write(self, *frames: bytes) -> None:
        """Send bytes at once."""
        self.writer.write(b"".join(frames))

    @property
    def unsent(self) -> int:
        """Count the bytes that the other side's window does not let out."""
        transport = self.writer.transport
        below = getattr(transport, "_ssl_protocol", None)  # asyncio counts no further down
        encrypted = below._transport.get_write_buffer_size() if below else 0
        return encrypted + transport.get_write_buffer_size()

    async def frame(self) -> tuple[int, bytes]:
        """Read one frame, which must be whole and masked (RFC 6455, 5.1)."""
        first, second = await self.reader.readexactly(2)
        assert first & 0x80
        assert second & 0x80
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(size)
        return first & 0xF, bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))

    async def close_code(self) -> int | None:
        """Read up to the close frame and return its code."""
        opcode, payload = await self.frame()
        while opcode != CLOSE:
            opcode, payload = await self.frame()
        return struct.unpack("!H", payload[:2])[0] if payload else None

    async def ended(self) -> bool:
        """Wait until the other side has closed its socket, in whatever way."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass
        return True

    def pause(self) -> None:
        """Read nothing more from the socket."""
        self.writer.transport.pause_reading()

    def hang_up(self) -> None:
        """Close the socket without a close frame."""
        self.writer.close()

    def reset(self) -> None:
        """Close the socket so that the other side sees RST."""
        raw = self.writer.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Peer:
    """The server; every connection that asked for something comes out of `links`.

    One that was refused ends with the answer, unless `hangs_up` is False.
    """

    def __init__(self, answer: Answer, *, is_secure: bool) -> None:
        self.links: asyncio.Queue[Link] = asyncio.Queue()
        self.open: set[Link] = set()
        self.silent = 0
        self.port = 0
        self.hangs_up = True
        self._answer = answer
        self._scheme = "wss" if is_secure else "ws"

    @property
    def url(self) -> str:
        """Where to dial."""
        return f"{self._scheme}://127.0.0.1:{self.port}/v1/responses"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hand the connection to the test."""
        self.silent += 1
        try:
            link = Link(reader, writer, await reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        finally:
            self.silent -= 1
        self.open.add(link)
        answer = self._answer(link.head)
        if answer is not None:
            link.write(answer)
            if self.hangs_up and not answer.startswith(b"HTTP/1.1 101"):
                link.hang_up()
        self.links.put_nowait(link)

    async def is_left(self) -> bool:
        """Wait until no client holds a socket to this server any more."""
        while self.silent:  # noqa: ASYNC110 - it falls to zero more than once
            await asyncio.sleep(0.001)
        return all([await link.ended() for link in self.open])


@asynccontextmanager
async def peer(answer: Answer = accept, tls=None, host: str = "127.0.0.1") -> AsyncIterator[Peer]:
    """Run a peer on a free port."""
    made = Peer(answer, is_secure=tls is not None)
    server = await asyncio.start_server(made.serve, host, 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for link in made.open:
            link.writer.transport.abort()
        await asyncio.sleep(0)
