"""An upstream without any sense: it keeps what it was sent and answers from a list."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CREATED = b'{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","output":[]}}'
DELTA = b'{"type":"response.output_text.delta","sequence_number":1,"delta":"x"}'
COMPLETED = (
    b'{"type":"response.completed","sequence_number":1,'
    b'"response":{"id":"resp_1","status":"completed","output":[]}}'
)


def sse(*events: bytes) -> bytes:
    """Events as a stream."""
    return b"".join(b"data: %b\n\n" % event for event in events)


def answer(
    body: bytes = sse(CREATED, COMPLETED),
    kind: str = "text/event-stream",
    status: int = 200,
    headers: Sequence[str] = (),
    size: int | None = None,
) -> bytes:
    """A whole HTTP answer; `size` may promise more than `body` holds."""
    head = [
        f"HTTP/1.1 {status} Said",
        f"content-type: {kind}",
        f"content-length: {len(body) if size is None else size}",
        *headers,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@dataclass
class Canned:
    """Answers each request with the next of `answers`, the last one for ever.

    An answer is bytes, or a list of bytes, of pauses in seconds and of events to wait for; None
    hangs up.
    """

    answers: list
    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    sent: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        # uvloop calls it a RuntimeError to write to what was aborted.
        with suppress(asyncio.IncompleteReadError, ConnectionError, RuntimeError):
            while True:
                await self._receive(reader)
                given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                for part in given if isinstance(given, list) else [given]:
                    await self._say(part, reader, writer)
        self.hung_up.set()
        writer.transport.abort()
        self.open.discard(writer)

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.heads.append(head)
        sizes = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
        size = int(sizes[0].partition(":")[2]) if sizes else 0
        self.bodies.append(await reader.readexactly(size))
        self.asked.set()

    async def _say(self, part, reader, writer) -> None:
        if part is None:
            raise ConnectionAbortedError
        if isinstance(part, bytes):
            writer.write(part)
            await writer.drain()
            self.sent += len(part)
            return
        if isinstance(part, asyncio.Event):
            await part.wait()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(part):
                await reader.readexactly(1)

    def header(self, name: str) -> str | None:
        """A header of the last request."""
        for line in self.heads[-1].split("\r\n"):
            if line.lower().startswith(name + ":"):
                return line.partition(":")[2].strip()
        return None


@asynccontextmanager
async def canned(*answers):
    """Serve a `Canned` on a free port."""
    double = Canned(list(answers) or [answer()])
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    double.url = f"http://{host}:{port}"
    async with server:
        yield double
    for writer in double.open:
        writer.transport.abort()
    while double.open:  # noqa: ASYNC110 - each ends when it hears of its end
        await asyncio.sleep(0)
