"""`python -m bench.upstream ws|http [PEM]`: a fast local upstream, over one transport.

It answers each request with the events that its plan asks for, made beforehand; over HTTP in the
API that the path names.
"""

import asyncio
import random
import resource
import ssl
import sys
from collections.abc import Callable
from itertools import count
from typing import cast
from urllib.parse import unquote_to_bytes

import picows
import uvloop
from picows import WSCloseCode, WSMsgType

from bench import others
from bench.wire import completed, frame, pieces, plan_of, sse, stamped

_LARGEST_CREATE = 64 * 1024 * 1024
_BACKLOG = 4_096
_numbers = count(1)


class Answering:
    """Writes the answers of one connection, at once or paced; one at a time."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._write = write
        self._timer: asyncio.TimerHandle | None = None
        self._is_first = True

    def answer(self, request: bytes, written: list[bytes]) -> None:
        """Write an answer as the plan of its request says."""
        plan = plan_of(request)
        delay = plan.delay(len(request), is_first=self._is_first)
        self._is_first = False
        if plan.gap:
            self._pace(written, plan.gap, delay + plan.gap * random.random())
        elif delay:
            self._timer = self._loop.call_later(delay, self._write_all, written)
        else:
            self._write_all(written)

    def stop(self) -> None:
        """Stop what is under way."""
        if self._timer is not None:
            self._timer.cancel()

    def _write_all(self, written: list[bytes]) -> None:
        for piece in written:
            self._write(piece)

    def _pace(self, written: list[bytes], gap: float, delay: float) -> None:
        left = iter(written)
        due = self._loop.time() + delay

        def write_next() -> None:
            nonlocal due
            piece = next(left, None)
            if piece is not None:
                self._write(stamped(piece))
                due += gap
                self._timer = self._loop.call_at(due, write_next)

        self._timer = self._loop.call_at(due, write_next)


class WebSocket(picows.WSListener):
    """One connection with at most one response at a time."""

    answering: Answering

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Be ready for creates."""
        self.answering = Answering(transport.underlying_transport.write)

    def on_ws_frame(self, transport: picows.WSTransport, given: picows.WSFrame) -> None:
        """Answer a create or a ping; close when asked to."""
        if given.msg_type == WSMsgType.TEXT:
            create = given.get_payload_as_bytes()
            self.answering.answer(create, pieces(create, b"resp_%012d" % next(_numbers), frame))
        elif given.msg_type == WSMsgType.PING:
            transport.send_pong(given.get_payload_as_bytes())
        elif given.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        """Stop what is under way."""
        self.answering.stop()


class Http(asyncio.Protocol):
    """One connection with one request after the other: a head, then a body whose size it told."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready for requests."""
        self._write = cast("asyncio.WriteTransport", transport).write
        self.answering = Answering(self._write)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Stop what is under way."""
        self.answering.stop()

    def data_received(self, chunk: bytes) -> None:
        """Gather a request, and answer it once it is whole."""
        self._parts.append(chunk)
        if not self._wanted:
            chunk = b"".join(self._parts)
            self._parts = [chunk]
            head, end, _ = chunk.partition(b"\r\n\r\n")
            if not end:
                return
            self._wanted = len(head) + 4 + _length(head)
        self._wanted -= len(chunk)
        if self._wanted == 0:
            request, self._parts = b"".join(self._parts), []
            head, _, body = request.partition(b"\r\n\r\n")
            self._answer(unquote_to_bytes(head.split(b" ", 2)[1]), body)

    def _answer(self, path: bytes, body: bytes) -> None:
        number = next(_numbers)
        name, api = b"resp_%012d" % number, others.api_of(path)
        if api:
            # Gemini's model, whose name is the plan, stands in the path.
            self._stream(path + body, others.pieces(api, path + body, number))
        elif b'"stream":true' in body or b'"stream": true' in body:
            self._stream(body, pieces(body, name, sse))
        else:
            whole = completed(body, name)
            self.answering.answer(body, [_JSON % len(whole) + whole])

    def _stream(self, request: bytes, written: list[bytes]) -> None:
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in written]
        chunks[0] = _STREAM + chunks[0]
        chunks[-1] += b"0\r\n\r\n"
        # A stamp keeps its length, so that a chunk does, too.
        self.answering.answer(request, chunks)


_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


def _length(head: bytes) -> int:
    found = head.lower().partition(b"\r\ncontent-length:")[2]
    return int(found.partition(b"\r\n")[0] or 0)


async def serve(transport: str, *pem: str) -> None:
    """Serve until the process is ended."""
    server: asyncio.Server
    tls = None
    for file in pem:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(file)
    if transport == "ws":
        server = await picows.ws_create_server(
            lambda _: WebSocket(),
            "127.0.0.1",
            0,
            max_frame_size=_LARGEST_CREATE,
            backlog=_BACKLOG,
            ssl=tls,
        )
    else:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Http, "127.0.0.1", 0, backlog=_BACKLOG)
    print(f"serves http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(*sys.argv[1:]))
