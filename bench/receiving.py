"""`python -m bench.receiving buffered|uvicorn`: take bodies, and answer that they came.

`buffered` is the least that Python can do: a body is received into a buffer made for all of it.
"""

import asyncio
import socket
import sys
from typing import cast

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from longwire.server.http.allocator import keep_pages

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"
_HEAD = 64 * 1024


class Buffered(asyncio.BufferedProtocol):
    """One connection: heads come into a small buffer, the rest of a body into one of its size."""

    def __init__(self) -> None:
        self._head = memoryview(bytearray(_HEAD))
        self._body: memoryview | None = None
        self._filled = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready for requests."""
        self._write = cast("asyncio.WriteTransport", transport).write

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Give what is next to be filled."""
        return (self._head if self._body is None else self._body)[self._filled :]

    def buffer_updated(self, count: int) -> None:
        """Take what came; a body that is whole is answered."""
        self._filled += count
        if self._body is None:
            self._begin()
        if self._body is not None and self._filled == len(self._body):
            self._body, self._filled = None, 0
            self._write(_ANSWER)

    def _begin(self) -> None:
        came = bytes(self._head[: self._filled])
        head, end, first = came.partition(b"\r\n\r\n")
        if end:
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self._body = memoryview(bytearray(size))
            self._body[: len(first)] = first
            self._filled = len(first)


async def take(_scope: Scope, receive: Receive, send: Send) -> None:
    """Receive a body as an ASGI application does."""
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message["body"])
        more = message["more_body"]
    b"".join(chunks)
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def serve_buffered(listener: socket.socket) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Buffered, sock=listener)
    await server.serve_forever()


def main(kind: str) -> None:
    """Serve on a free port, which is told first."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"serves http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    if kind == "buffered":
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve_buffered(listener))
    keep_pages()
    config = uvicorn.Config(
        take, loop="uvloop", http="httptools", ws="none", log_level="error", lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
