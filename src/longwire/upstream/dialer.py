"""Open one upstream WebSocket: URL, TLS, proxy, headers, handshake, and what a refusal means.

A dial that fails or is cancelled leaves no socket behind.
"""

import asyncio
import io
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any, Self
from urllib.parse import urlsplit

import picows
from python_socks import ProxyError
from python_socks._errors import IncompleteReadError  # picows lets it through as it is

from longwire.core.backoff import Pace
from longwire.core.errors import (
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.dialects.response_errors import decode_problem
from longwire.upstream.urls import environment_proxy
from longwire.upstream.websocket import LARGEST_MESSAGE, Connection, Pulse

_MEANT_FOR_CALLER = frozenset({400, 401, 402, 403, 408, 429, *range(500, 600)}) - {501, 505}
"""Refusals that speak of the request or the account; all others mean: no WebSocket here."""

_PASSED_HEADERS = ("retry-after", "x-request-id")
_RECEIVE_WINDOW = 512 * 1024
"""Bytes that wait in the kernel: picows takes all of them in one read, into a buffer it keeps."""

_READ_BUFFER = 2 * 1024
"""Bytes that a connection begins to read into: few events are longer, and it grows as needed."""

_LAST_STEPS = 3
"""Steps of the loop after a failed dial: by then its transport has done what it had planned."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})\b[^\r\n]*\r?\n?")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]+)[^\r\n]*\r\n")
_FAILURES = (OSError, EOFError, picows.WSError, ProxyError, IncompleteReadError)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to dial: `url` is ws(s), `headers` are the channel's own.

    `defaults` hold where the caller's own headers say nothing.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext | None = None
    proxy: str | None = field(default=None, repr=False)
    handshake_timeout: float = 15.0
    pace: Pace | None = None
    pulse: Pulse = field(default_factory=Pulse)
    defaults: Mapping[str, str] = field(default_factory=dict)


async def dial(
    endpoint: Endpoint, headers: Mapping[str, str], on_closed: Callable[[Connection], None]
) -> Connection:
    """Open a connection, when the endpoint's pace allows; `headers` come beside its own.

    Raises `UpstreamRejected` with the upstream's status and body when it refused the caller,
    `UpstreamTimeout` after `handshake_timeout` seconds, else `UpstreamUnavailable`.
    """
    if endpoint.pace is not None:
        await asyncio.sleep(endpoint.pace.reserve(asyncio.get_running_loop().time()))
    try:
        async with asyncio.timeout(endpoint.handshake_timeout):
            async with _Sockets() as sockets:
                connection = await _connect(endpoint, headers, on_closed, sockets)
    except _FAILURES as error:
        raise _failure(endpoint, error) from None
    if not isinstance(connection, Connection) or connection.is_closed:
        host = urlsplit(endpoint.url).netloc
        raise UpstreamUnavailable(f"{host} closed the connection during the handshake.")
    return connection


class _Sockets:
    """The sockets of one dial: picows leaves its own open when its handshake is cancelled."""

    def __init__(self) -> None:
        self._made: list[tuple[socket.socket, io.RawIOBase]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """End what a failure left open; its transport, where it has one, closes it by itself.

        Not at once: a transport made just now begins to watch its descriptor in the loop's next
        step, even if it is closed already, and by then it could be a caller's.
        """
        try:
            if failure is not None:
                await self._end()
        finally:
            for _made, hold in self._made:
                hold.close()

    async def _end(self) -> None:
        for made, _hold in self._made:
            with suppress(OSError):
                made.shutdown(socket.SHUT_RDWR)
        try:
            for _ in range(_LAST_STEPS if self._made else 0):
                await asyncio.sleep(0)
        finally:
            for made, hold in self._made:
                asyncio.get_running_loop().remove_reader(hold.fileno())
                made.close()

    async def connect(self, url: picows.WSParsedURL) -> socket.socket:
        """Connect to the first address of the host, or of the proxy, that answers."""
        loop = asyncio.get_running_loop()
        failure = OSError(f"{url.host} has no address")
        for family, kind, protocol, _, address in await _addresses(url.host, url.port):
            made = socket.socket(family, kind, protocol)
            made.setblocking(False)  # noqa: FBT003 - as sockets have it
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_WINDOW)
            try:
                await loop.sock_connect(made, address)
            except OSError as error:
                made.close()
                failure = error
            except BaseException:
                made.close()
                raise
            else:
                self._made.append((made, made.makefile("rb", buffering=0)))
                return made
        raise failure


async def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    kind = socket.SOCK_STREAM
    try:
        return [*socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)]
    except socket.gaierror:
        return [*await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)]


async def _connect(
    endpoint: Endpoint,
    headers: Mapping[str, str],
    on_closed: Callable[[Connection], None],
    sockets: _Sockets,
) -> picows.WSListener:
    proxy = endpoint.proxy or environment_proxy(endpoint.url)
    _, connection = await picows.ws_connect(
        lambda: Connection(endpoint.pulse, on_closed),
        endpoint.url,
        ssl_context=endpoint.tls,
        websocket_handshake_timeout=None,
        enable_auto_ping=False,
        enable_auto_pong=False,  # it would hide the upstream's pings, which are signs of life
        max_frame_size=LARGEST_MESSAGE,
        read_buffer_init_size=_READ_BUFFER,
        max_redirects=0,
        extra_headers={**endpoint.defaults, **headers, **endpoint.headers},
        proxy=proxy,
        proxy_ssl_context=endpoint.tls if proxy and proxy.startswith("https:") else None,
        socket_factory=sockets.connect,
    )
    return connection


def _failure(endpoint: Endpoint, error: Exception) -> UpstreamError:
    """Say what a failed dial means."""
    host = urlsplit(endpoint.url).netloc
    match error:
        case TimeoutError():
            return UpstreamTimeout("handshake", endpoint.handshake_timeout)
        case picows.WSHandshakeError():
            return _refusal(host, error)
        case ssl.SSLCertVerificationError():
            return UpstreamUnavailable(
                f"The certificate of {host} is not trusted ({error.verify_message}); "
                "name its authority's PEM file in tls_ca of this channel."
            )
        case _:
            reason = str(error) or type(error).__name__
            return UpstreamUnavailable(f"No WebSocket connection to {host}: {reason}.")


def _refusal(host: str, refusal: picows.WSHandshakeError) -> UpstreamError:
    """Read an answer that was no 101; picows knows only statuses that Python has a name for."""
    head = refusal.raw_header or b""
    status_line = _STATUS_LINE.match(head)
    if status_line is None or status_line[1] == b"101":
        return UpstreamUnavailable(f"No WebSocket connection to {host}: {refusal}.")
    status = int(status_line[1])
    if status not in _MEANT_FOR_CALLER:
        return UpstreamUnavailable(
            f"{host} does not speak WebSocket at this URL (status {status}); "
            'set transport = "http" for this channel or correct its base_url.',
            refuses_websocket=True,
        )
    headers = message_from_bytes(head[status_line.end() :])
    body = refusal.raw_body or b""
    if "chunked" in str(headers.get("transfer-encoding", "")).lower():
        body = _unchunked(body)
    problem = decode_problem(body)
    named = {name.lower(): str(value) for name, value in headers.items()}
    passed = {
        name: value
        for name, value in named.items()
        if name in _PASSED_HEADERS or name.startswith("x-codex-")
    }
    return UpstreamRejected(status, problem.to_rejection().body, passed, problem.code)


def _unchunked(body: bytes) -> bytes:
    chunks = []
    while (head := _CHUNK_SIZE.match(body)) and (size := int(head[1], 16)):
        start, end = head.end(), head.end() + size
        chunks.append(body[start:end])
        body = body[end + 2 :]
    return b"".join(chunks)
