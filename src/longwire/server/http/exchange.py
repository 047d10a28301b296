"""One request on a client's connection, and its reply: what HTTP/1.1 makes of both, and no more.

Law: the head leaves with the first bytes, the end with the last, each in one write. To a client
that is gone nothing is written.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from longwire.core.errors import BodyTooLarge

Encode = Callable[[Sequence[bytes]], tuple[int, bytes]]
"""Encodes the first of some messages: how many, and what they come to."""

_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpExchange:
    """A request whose head is there, while its body may still come, and the reply to it.

    `headers` have names in lower case. `limit`, in bytes, holds for the body as it comes. `ends` is
    set by who replies: from then on the client may leave, and its turn is not cancelled.
    """

    __slots__ = (
        "_connection",
        "_head",
        "_is_chunked",
        "_limit",
        "chunks",
        "ends",
        "flow",
        "has_begun",
        "headers",
        "is_gone",
        "is_modern",
        "is_whole",
        "keep_alive",
        "path",
        "response_complete",
        "room",
        "task",
        "waiter",
        "waits_to_send",
    )

    task: asyncio.Task[None]

    def __init__(
        self, connection: HttpToolsProtocol, path: bytes, headers: Mapping[str, str], limit: int
    ) -> None:
        self._connection = connection
        self.path = path
        self.headers = headers
        self._limit = self.room = limit
        self.flow = connection.flow
        self.chunks: list[bytes] = []
        self.is_modern = self.keep_alive = True
        self.waiter: asyncio.Future[None] | None = None
        self._head = b""
        self._is_chunked = False
        self.is_whole = self.waits_to_send = self.has_begun = False
        self.is_gone = self.ends = self.response_complete = False

    def wake(self) -> None:
        """Let `body` go on, if it waits: the body is whole, or too large already."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def body(self) -> bytes:
        """Wait for the body and return it; it can be taken once. Raises `BodyTooLarge`."""
        if not self.is_whole and self.room >= 0:
            if self.waits_to_send and not self.chunks:
                self._connection.transport.write(_CONTINUE)
            self.waits_to_send = False
            self.waiter = self._connection.loop.create_future()
            await self.waiter
        chunks, self.chunks = self.chunks, []
        if self.room < 0:
            raise BodyTooLarge(self._limit)
        return b"".join(chunks)

    def begin(
        self, status: int, headers: Mapping[str, str], constant: bytes = b"", length: int = -1
    ) -> None:
        """Begin the reply; its head waits for the first `write`.

        `constant` are more header lines as they are; without a `length` in bytes it is a stream.
        """
        if _CONTROLS.search("".join((*headers, *headers.values()))):
            msg = "A header of the reply holds a control character."
            raise ValueError(msg)
        if self.waits_to_send and not self.is_whole:
            self.keep_alive = False  # whether the body still comes is the client's to choose
        parts = [STATUS_LINE[status]]
        for field, content in self._connection.server_state.default_headers:
            parts += (field, b": ", content, b"\r\n")
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        parts += (lines.encode("latin-1"), constant)
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        self._is_chunked = length < 0 and self.is_modern
        if length >= 0:
            parts.append(b"content-length: %d\r\n" % length)
        elif self._is_chunked:
            parts.append(b"transfer-encoding: chunked\r\n")
        self._head = b"".join((*parts, b"\r\n"))
        self.has_begun = True

    def write(self, body: bytes) -> None:
        """Write the next bytes; where `flow.write_paused`, wait for its `drain` before."""
        if body and self._is_chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body)
        if self._head:
            body, self._head = self._head + body, b""
        if body and not self.is_gone:
            self._connection.transport.write(body)

    def end(self, body: bytes = b"") -> None:
        """Write the last bytes; the connection is then free for the next request, or closes."""
        if body and self._is_chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        elif self._is_chunked:
            body = b"0\r\n\r\n"
        self._is_chunked = False
        self.ends = self.response_complete = True
        if self.is_gone:
            return
        self.write(body)
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.on_response_complete()

    def cut(self) -> None:
        """Close the connection of a reply that breaks off, so that it cannot look whole."""
        self.ends = self.response_complete = True
        if self.has_begun and not self._is_chunked:
            self._connection.transport.abort()
        else:
            self._connection.transport.close()

    def fast_path(self, encode: Encode) -> Callable[[Sequence[bytes]], int]:
        """Return what writes messages of a stream straight to the socket.

        It returns how many it wrote: none while `write` should wait, or the client is gone.
        """
        flow, write, is_chunked = self.flow, self._connection.transport.write, self._is_chunked

        def write_encoded(messages: Sequence[bytes]) -> int:
            if flow.write_paused or self.is_gone or self.ends:
                return 0
            count, body = encode(messages)
            if count:
                write(b"%x\r\n%b\r\n" % (len(body), body) if is_chunked else body)
            return count

        return write_encoded
