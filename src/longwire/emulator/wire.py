"""The way out to one client: events in, bytes on its socket.

Law: bytes leave in the order of the events, in one write per burst, and a slow reader slows the
writer. WebSocket frames are written by hand because faults need what no library would send.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from longwire.emulator.errors import Rejected
from longwire.emulator.events import Event
from longwire.emulator.options import Transport

BURST = 64 * 1024
SHORT, MEDIUM = 126, 1 << 16  # payload sizes at which the header grows
TEXT, BINARY, CLOSE, PONG = 0x1, 0x2, 0x8, 0xA

Write = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class Outlet:
    """What a turn writes to; one per turn. `encode` makes bytes of an event, `write` sends them."""

    request: web.Request
    transport: Transport
    encode: Callable[[Event], bytes]
    write: Write
    sent: Callable[[int], None]
    error: Callable[[Rejected], dict[str, Any]] | None = None
    """How the API says an error in mid-stream, where it is another one than Responses."""
    drips: bool = False
    started: bool = False
    waiting: list[bytes] = field(default_factory=list)
    waiting_bytes: int = 0

    async def send(self, event: Event) -> None:
        """Queue one event; a full burst is written."""
        encoded = self.encode(event)
        self.waiting.append(encoded)
        self.waiting_bytes += len(encoded)
        self.sent(len(event.payload))
        if self.waiting_bytes >= BURST:
            await self.flush()

    async def flush(self) -> None:
        """Write all that waits."""
        content = b"".join(self.waiting)
        self.waiting.clear()
        self.waiting_bytes = 0
        if content:
            self.started = True
            await self.raw(content)

    async def raw(self, content: bytes) -> None:
        """Bytes as they are, one by one when dripping."""
        if not self.drips:
            await self.write(content)
            return
        for number in range(len(content)):
            if number:  # with its last byte the turn is over, and the next one may come
                await asyncio.sleep(0)
            await self.write(content[number : number + 1])

    async def close(self, code: int | None) -> None:
        """End the connection in order: a close frame (None: without a code), or the body's end."""
        if self.transport == "websocket" and self.request.transport is not None:
            await self.write(frame(CLOSE, b"" if code is None else struct.pack("!H", code)))
            self.request.transport.close()

    def pause(self) -> None:
        """Hear nothing any more, not even pings."""
        if self.request.transport is not None:
            self.request.transport.pause_reading()

    def reset(self) -> None:
        """Abort the connection so that the peer sees RST."""
        if self.request.transport is not None:
            abort(self.request.transport)


def websocket_writer(request: web.Request) -> Write:
    """Writes raw bytes to the upgraded connection and waits while its buffer is full."""

    async def write(content: bytes) -> None:
        if request.transport is None or request.transport.is_closing():
            raise ConnectionResetError("the client is gone")
        request.transport.write(content)
        await request.writer.drain()

    return write


def abort(transport: asyncio.BaseTransport) -> None:
    """Close without a goodbye: SO_LINGER 0 makes the kernel send RST."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # By name, not by class: the transports of uvloop are none of asyncio's.
    cast("asyncio.Transport", transport).abort()


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """One unmasked WebSocket frame (RFC 6455 section 5.2)."""
    first = opcode | (0x80 if final else 0)
    size = len(payload)
    if size < SHORT:
        return bytes((first, size)) + payload
    if size < MEDIUM:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def text_frames(payload: bytes, fragment: int | None) -> bytes:
    """One text message, split into fragments of `fragment` bytes if that is set."""
    if fragment is None or len(payload) <= fragment:
        return frame(TEXT, payload)
    return b"".join(fragments(payload, fragment))


def fragments(payload: bytes, size: int) -> Iterator[bytes]:
    """The frames of one fragmented message."""
    for start in range(0, len(payload), size):
        last = start + size >= len(payload)
        yield frame(TEXT if start == 0 else 0, payload[start : start + size], final=last)
