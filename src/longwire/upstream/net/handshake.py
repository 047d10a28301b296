"""One HTTP/1.1 request on a new connection: an upgrade to WebSocket, a proxy's CONNECT, a POST.

Law: no byte after the head of a response is lost. It belongs to the response's body, or to what the
connection carries from then on.
"""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_bytes
from typing import cast
from urllib.parse import SplitResult, quote, unquote

import httptools

from longwire.upstream.net.tls_transport import ByteTransport
from longwire.upstream.net.urls import PORTS, Origin, bracketed

LARGEST_HEAD = 64 * 1024
"""The largest head of a response, in bytes."""

LARGEST_BODY = 64 * 1024
"""How much of the body of a refusal is kept, in bytes."""

SWITCHING = 101
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_DELIMITERS = ":/?#[]@!$&'()*+,;=%"
_UPGRADE_HEADERS = frozenset({"upgrade", "connection"}) | {
    f"sec-websocket-{name}" for name in ("version", "key", "extensions", "protocol")
}
_END = b"\r\n\r\n"
_SUCCESSFUL = range(200, 300)
_FINAL_STATUS = 200
_BODY_TIMEOUT = 2.0


class Malformed(OSError):
    """The other side does not speak HTTP, or its response does not fit the request."""


class Upgrade:
    """The request to upgrade a connection to WebSocket (RFC 6455, 4.1)."""

    def __init__(self, origin: Origin, parts: SplitResult, headers: Mapping[str, str]) -> None:
        """Compose the request for a URL of an origin, with headers beside those of an upgrade.

        Host and authorization come from the URL where no header names them. Raises `ValueError`
        for a header with a line break, which would be two.
        """
        self._key = base64.b64encode(token_bytes(16))
        is_usual = origin.port == PORTS[parts.scheme]
        host = bracketed(origin.host) if is_usual else origin.authority
        own = {key: value for key, value in headers.items() if key.lower() not in _UPGRADE_HEADERS}
        names = {name.lower() for name in own}
        defaults = {"Host": host} | _basic_auth(parts, "Authorization")
        defaults = {key: value for key, value in defaults.items() if key.lower() not in names}
        upgrade = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": self._key.decode(),
        }
        self.request = _head(f"GET {_target(parts)} HTTP/1.1", defaults | upgrade | own)

    def check(self, response: "HandshakeResponse") -> None:
        """Check that a 101 agrees to this request (RFC 6455, 4.1). Raises `Malformed`."""
        proof = base64.b64encode(hashlib.sha1(self._key + _GUID).digest())  # noqa: S324 - 4.2.2
        headers = response.headers
        tokens = [token.strip() for token in headers.get("connection", "").lower().split(",")]
        if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in tokens:
            raise Malformed("its 101 is no upgrade to WebSocket")
        if headers.get("sec-websocket-accept", "").encode() != proof:
            raise Malformed("its 101 answers another key")
        if "sec-websocket-extensions" in headers or "sec-websocket-protocol" in headers:
            raise Malformed("its 101 chose an extension or a protocol that nobody offered")


def connect_request(to: Origin, proxy: SplitResult) -> bytes:
    """Return the request for a tunnel (RFC 9110, 9.3.6), with the user of the proxy's URL."""
    headers = {"Host": to.authority} | _basic_auth(proxy, "Proxy-Authorization")
    return _head(f"CONNECT {to.authority} HTTP/1.1", headers)


def _target(parts: SplitResult) -> str:
    target = quote(parts.path or "/", _DELIMITERS)
    return f"{target}?{quote(parts.query, _DELIMITERS)}" if parts.query else target


def _head(first: str, headers: Mapping[str, str]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise ValueError("a header has a line break in it")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1", "replace")


def _basic_auth(parts: SplitResult, name: str) -> dict[str, str]:
    if parts.username is None:
        return {}
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {name: f"Basic {base64.b64encode(credentials.encode()).decode()}"}


class HandshakeResponse:
    """An HTTP response as it arrives; `status` is 0 until its head came.

    `rest` is what follows a 101, or a response that opens a tunnel; such a one has no body.
    """

    def __init__(self, *, is_tunnel: bool = False) -> None:
        """Expect the response to an upgrade, or with `is_tunnel` that to a CONNECT."""
        self._is_tunnel = is_tunnel
        self._parser = httptools.HttpResponseParser(self)
        self._unread = b""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.rest = b""
        self.is_whole = False

    def feed(self, chunk: bytes) -> None:
        """Take what was read. Raises `Malformed` for what is no HTTP, or no end of a head."""
        while not self.status:
            self._unread += chunk
            head, end, chunk = self._unread.partition(_END)
            if not end:
                if len(self._unread) > LARGEST_HEAD:
                    raise Malformed("the head of its answer does not end")
                return
            self._unread = b""
            self._read_head(head + end)
        if self.status == SWITCHING or (self._is_tunnel and self.status in _SUCCESSFUL):
            self.rest += chunk
            self.is_whole = True
        elif chunk and not self.is_whole:
            self._read_body(chunk)

    def _read_head(self, head: bytes) -> None:
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError as error:
            if self.status != SWITCHING:
                raise Malformed("it answers no HTTP") from error

    def _read_body(self, chunk: bytes) -> None:
        try:
            self._parser.feed_data(chunk)
        except httptools.HttpParserError:
            self.is_whole = True  # what came before it broke is all there is
        self.is_whole |= len(self.body) > LARGEST_BODY
        self.body = self.body[:LARGEST_BODY]

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header; httptools calls it."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Take the status, unless it is an interim one (RFC 9110, 15.2); httptools calls it."""
        status = self._parser.get_status_code()
        if status == SWITCHING or status >= _FINAL_STATUS:
            self.status = status
        else:
            self.headers.clear()

    def on_body(self, part: bytes) -> None:
        """Keep what fits; httptools calls it."""
        self.body += part

    def on_message_complete(self) -> None:
        """Take note that nothing is missing; httptools calls it."""
        self.is_whole = bool(self.status)


class Handshake(asyncio.Protocol):
    """Sends one request on a connection, and gathers what comes until another protocol takes over.

    `is_lost` when the connection has ended meanwhile.
    """

    def __init__(self, request: bytes, *, is_tunnel: bool = False) -> None:
        self._response = HandshakeResponse(is_tunnel=is_tunnel)
        self.is_lost = False
        self._request = request
        loop = asyncio.get_running_loop()
        self._head_read: asyncio.Future[Exception | None] = loop.create_future()
        self._body_read: asyncio.Future[Exception | None] = loop.create_future()

    async def response(self) -> HandshakeResponse:
        """Wait for the response; for the rest of a refusal's body no longer than two seconds.

        Raises `OSError` where the connection ends before its head, `Malformed` where it is no HTTP.
        """
        failure = await self._head_read
        if failure is not None:
            raise failure
        with suppress(TimeoutError):
            async with asyncio.timeout(_BODY_TIMEOUT):
                await self._body_read
        return self._response

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        cast("ByteTransport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take a part of the response, or what follows it."""
        try:
            self._response.feed(data)
        except Malformed as error:
            _settle(self._head_read, error)
        if self._response.status:
            _settle(self._head_read)
        if self._response.is_whole:
            _settle(self._body_read)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take what came as all there is."""
        self.is_lost = True
        _settle(self._head_read, exc or ConnectionResetError("it hung up before it had answered"))
        _settle(self._body_read)


def _settle(future: asyncio.Future[Exception | None], failure: Exception | None = None) -> None:
    """Wake who waits, if anybody does: a failure that nobody awaits is none."""
    if not future.done():
        future.set_result(failure)
