"""One request on a client's connection, and its reply: what HTTP/1.1 makes of both, and no more.

Law: each side is in one state of its table below, and nothing else moves it. The head leaves with
the first bytes, the end with the last, each in one write. To a client that left nothing is written.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from longwire.core.errors import BodyTooLarge, BodyTooSlow

Encode = Callable[[Sequence[bytes]], tuple[int, bytes]]
"""Encodes the first of some messages: how many, and what they come to."""


class RequestState(Enum):
    """How far a request is, whose head is there."""

    EXPECTING = "expecting"
    """Its client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1)."""
    RECEIVING = "receiving"
    COMPLETE = "complete"
    TOO_LARGE = "too_large"

    __hash__ = object.__hash__


class ReplyState(Enum):
    """How far the reply to it is."""

    NOT_BEGUN = "not_begun"
    BEGUN = "begun"
    """The head waits for the first bytes."""
    STREAMING = "streaming"
    ENDING = "ending"
    """The last bytes wait until the client keeps up; should it leave, the turn is complete."""
    ENDED = "ended"
    ABORTED = "aborted"
    """Nothing is written any more: the client left, or the connection was cut."""

    __hash__ = object.__hash__


_EXPECTING, _RECEIVING, _COMPLETE, _TOO_LARGE = RequestState
_NOT_BEGUN, _BEGUN, _STREAMING, _ENDING, _ENDED, _ABORTED = ReplyState

# By happening: the states in which it may come, each with the next. In another it is a bug, and
# raises `KeyError`.
REQUEST: Mapping[str, Mapping[RequestState, RequestState]] = {
    "body": {**{state: state for state in RequestState}, _EXPECTING: _RECEIVING},
    "received": {_EXPECTING: _RECEIVING, _RECEIVING: _RECEIVING},
    "overflowed": {_EXPECTING: _TOO_LARGE, _RECEIVING: _TOO_LARGE, _TOO_LARGE: _TOO_LARGE},
    "ended": {_EXPECTING: _COMPLETE, _RECEIVING: _COMPLETE, _TOO_LARGE: _TOO_LARGE},
}
_GONE = {**dict.fromkeys(ReplyState, _ABORTED), _ENDED: _ENDED}
REPLY: Mapping[str, Mapping[ReplyState, ReplyState]] = {
    "begin": {_NOT_BEGUN: _BEGUN, _ABORTED: _ABORTED},
    "write": {_BEGUN: _STREAMING, _STREAMING: _STREAMING, _ABORTED: _ABORTED},
    "end": {_BEGUN: _ENDING, _STREAMING: _ENDING, _ABORTED: _ABORTED},
    "sent": {_ENDING: _ENDED, _ABORTED: _ABORTED},
    "cut": _GONE,
    "refused": {_NOT_BEGUN: _ABORTED},
    "client_left": _GONE,
}
_INCOMPLETE = (_EXPECTING, _RECEIVING)
_UNDER_WAY = (_NOT_BEGUN, _BEGUN, _STREAMING)
_OVER = (_ENDED, _ABORTED)

_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpExchange:
    """A request whose head is there, while its body may still come, and the reply to it.

    `path` is in its one spelling, `query` as it came. `headers` have names in lower case; `limit`,
    in bytes, holds for the body as it comes.
    `request` and `reply` are the states of both sides, for all to read. `keep_alive` is uvicorn's
    to clear: where it is False the connection closes behind the reply.
    """

    def __init__(
        self,
        connection: HttpToolsProtocol,
        path: bytes,
        headers: Mapping[str, str],
        limit: int,
        *,
        is_http_1_1: bool,
    ) -> None:
        self._connection = connection
        self.path = path
        self.query = connection.url.partition(b"?")[2]
        self.headers = headers
        self._limit = limit
        self.keep_alive = is_http_1_1 and connection.parser.should_keep_alive()
        waits = is_http_1_1 and connection.expect_100_continue
        self.request = _EXPECTING if waits else _RECEIVING
        self.reply = _NOT_BEGUN
        self.size = 0
        self._chunks: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._head = b""
        self._is_chunked = is_http_1_1

    def __repr__(self) -> str:
        states = f"request={self.request.value} size={self.size} reply={self.reply.value}"
        after = "keep-alive" if self.keep_alive else "close"
        return f"<HttpExchange {self.path.decode('latin-1')} {states} {after}>"

    @property
    def response_complete(self) -> bool:
        """Whether nothing more is written; uvicorn asks for it by this name."""
        return self.reply in _OVER

    @property
    def can_be_refused(self) -> bool:
        """Whether the request is incomplete, and no reply to it has begun."""
        return self.request in _INCOMPLETE and self.reply is _NOT_BEGUN

    def received(self, chunk: bytes) -> None:
        """Keep a part of the body, unless it is answered already, or too large."""
        if self.reply in _OVER:
            return
        self.size += len(chunk)
        if self.size <= self._limit:
            self.request = REQUEST["received"][self.request]
            self._chunks.append(chunk)
        else:
            self.request = REQUEST["overflowed"][self.request]
            self._chunks.clear()
            self._wake()

    def ended(self) -> None:
        """Note that the request is complete."""
        self.request = REQUEST["ended"][self.request]
        if self._waiter is not None:
            self._wake()

    def client_left(self) -> bool:
        """Write nothing any more. Return whether that leaves the turn without a purpose."""
        before, self.reply = self.reply, REPLY["client_left"][self.reply]
        return before in _UNDER_WAY

    def refused(self) -> None:
        """Write nothing of the reply: the connection refuses the request in its place."""
        self.reply = REPLY["refused"][self.reply]

    def too_slow(self) -> bool:
        """Let `body` raise `BodyTooSlow`, if it waits; return whether it does."""
        if self._waiter is None or self._waiter.done():
            return False
        self.keep_alive = False
        self._waiter.set_exception(BodyTooSlow())
        return True

    def close_afterwards(self) -> None:
        """Close the connection behind the reply."""
        self.keep_alive = False

    def _wake(self) -> None:
        """Let `body` go on, if it waits: the body is complete, or too large already."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def body(self) -> bytes:
        """Wait for the body and return it; it can be taken once.

        Raises `BodyTooSlow`, or `BodyTooLarge`: at once for what is announced as that.
        """
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self._limit:
            raise BodyTooLarge(self._limit)
        if self.request is _EXPECTING:
            self._connection.transport.write(_CONTINUE)
        self.request = REQUEST["body"][self.request]
        if self.request is _RECEIVING:
            self._waiter = self._connection.loop.create_future()
            await self._waiter
        chunks, self._chunks = self._chunks, []
        if self.request is _TOO_LARGE:
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
        self.reply = REPLY["begin"][self.reply]
        if self.request is _EXPECTING:
            self.keep_alive = False  # whether the body still comes is the client's to choose
        parts = [STATUS_LINE[status]]
        for field, content in self._connection.server_state.default_headers:
            parts += (field, b": ", content, b"\r\n")
        lines = "\r\n".join((*map(": ".join, headers.items()), ""))
        parts += (lines.encode("latin-1"), constant)
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        self._is_chunked = self._is_chunked and length < 0
        if length >= 0:
            parts.append(b"content-length: %d\r\n" % length)
        elif self._is_chunked:
            parts.append(b"transfer-encoding: chunked\r\n")
        self._head = b"".join((*parts, b"\r\n"))

    async def write(self, body: bytes) -> None:
        """Write the next bytes, once the client keeps up."""
        if self._connection.flow.write_paused:
            await self._connection.flow.drain()
        self._write(body)

    def write_at_once(self, body: bytes) -> None:
        """Write the next bytes if the client keeps up; else they are dropped."""
        if not self._connection.flow.write_paused:
            self._write(body)

    def _write(self, body: bytes) -> None:
        self.reply = REPLY["write"][self.reply]
        if self.reply is _ABORTED:
            return
        if body and self._is_chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body)
        head, self._head = self._head, b""
        if head or body:
            self._connection.transport.write(head + body)

    async def end(self, body: bytes = b"") -> None:
        """Write the last bytes, once the client keeps up, and free the connection, or close it."""
        self.reply = REPLY["end"][self.reply]
        if self._connection.flow.write_paused:
            await self._connection.flow.drain()
        self.reply = REPLY["sent"][self.reply]
        if self.reply is _ABORTED:
            return
        if body and self._is_chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        elif self._is_chunked:
            body = b"0\r\n\r\n"
        if self._head or body:
            self._connection.transport.write(self._head + body)
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.on_response_complete()

    def cut(self) -> None:
        """Close the connection of a reply that has not ended, so that it cannot look whole."""
        before, self.reply = self.reply, REPLY["cut"][self.reply]
        if before in _OVER:
            return
        if before is _NOT_BEGUN or self._is_chunked:
            self._connection.transport.close()
        else:
            self._connection.transport.abort()

    def fast_path(self, encode: Encode) -> Callable[[Sequence[bytes]], int]:
        """Return what writes messages of a stream straight to the socket.

        It returns how many it wrote: none before the head is out, while `write` would wait, or
        once the reply has ended.
        """
        connection, is_chunked = self._connection, self._is_chunked
        flow, write = connection.flow, connection.transport.write

        def write_encoded(messages: Sequence[bytes]) -> int:
            if flow.write_paused or self.reply is not _STREAMING:
                return 0
            count, body = encode(messages)
            if body:
                write(b"%x\r\n%b\r\n" % (len(body), body) if is_chunked else body)
            return count

        return write_encoded
