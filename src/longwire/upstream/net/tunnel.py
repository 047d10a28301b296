"""From a socket to an origin: straight or through a proxy, with TLS where either wants it.

Law: a tunnel that could not be opened, or whose opening was cancelled, leaves no socket behind.
"""

import asyncio
import socket
import ssl
from typing import cast
from urllib.parse import urlsplit

from python_socks.async_.asyncio import Proxy

from longwire.upstream.net.handshake import Handshake, HandshakeResponse, Malformed, connect_request
from longwire.upstream.net.proxies import socks_options, speaks_socks
from longwire.upstream.net.tls_transport import ByteTransport, TlsTransport
from longwire.upstream.net.urls import Origin, origin_of

_RECEIVE_WINDOW = 512 * 1024
"""Bytes that wait in the kernel where a client does not keep up."""

_SUCCESSFUL = range(200, 300)


class Tunnel:
    """A byte stream towards an upstream; TLS may be started on it, once or twice.

    It begins at an address that is connected to at first use, or with a connected socket.
    """

    def __init__(self, start: Origin | socket.socket) -> None:
        self._start: Origin | socket.socket | None = start
        self.transport: ByteTransport | None = None

    async def attach(self, protocol: asyncio.Protocol) -> None:
        """Let a protocol speak over the tunnel from now on. Raises `OSError`."""
        if self.transport is not None:
            self.transport.set_protocol(protocol)
            protocol.connection_made(cast("asyncio.BaseTransport", self.transport))
            return
        start, self._start = self._start, None  # from here on the loop closes a socket
        transport = await _connect(start, protocol)
        self.transport = transport
        own = transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_WINDOW)

    async def start_tls(self, context: ssl.SSLContext | None, host: str) -> None:
        """Speak TLS from now on, with a host whose certificate names it. Raises `OSError`."""
        tls = TlsTransport(context or ssl.create_default_context(), host)
        await self.attach(tls)
        await tls.handshake()
        self.transport = tls

    async def request(self, handshake: Handshake) -> HandshakeResponse:
        """Send a request and wait for its response; see `Handshake.response`."""
        await self.attach(handshake)
        return await handshake.response()

    def abort(self) -> None:
        """Close it at once, whatever of it is open."""
        if self.transport is not None:
            self.transport.abort()
        elif isinstance(self._start, socket.socket):
            self._start.close()


async def open_tunnel(origin: Origin, proxy: str | None, tls: ssl.SSLContext | None) -> Tunnel:
    """Open a tunnel to an origin, straight or through a proxy.

    A proxy's URL begins with http, https or socks, and may have a user and a password.
    Raises `OSError`, `ValueError` for such a URL, and what `python_socks` does.
    """
    if proxy is not None and speaks_socks(proxy):
        tunnel = Tunnel(await Proxy(**socks_options(proxy)).connect(origin.host, origin.port))
        proxy = None
    else:
        tunnel = Tunnel(origin_of(urlsplit(proxy), "http", "https") if proxy else origin)
    try:
        if proxy:
            await _connect_through(tunnel, origin, proxy, tls)
        if origin.is_secure:
            await tunnel.start_tls(tls, origin.host)
    except BaseException:
        tunnel.abort()
        raise
    return tunnel


async def _connect_through(
    tunnel: Tunnel, origin: Origin, proxy: str, tls: ssl.SSLContext | None
) -> None:
    """Have a proxy connect a tunnel to an origin (RFC 9110, 9.3.6)."""
    parts = urlsplit(proxy)
    proxy_origin = origin_of(parts, "http", "https")
    if proxy_origin.is_secure:
        await tunnel.start_tls(tls, proxy_origin.host)
    try:
        response = await tunnel.request(Handshake(connect_request(origin, parts), is_tunnel=True))
    except Malformed as error:
        raise Malformed(f"the proxy cannot be used: {error}") from None
    if response.status not in _SUCCESSFUL:
        raise Malformed(f"the proxy refused a tunnel with status {response.status}")
    if response.rest:
        raise Malformed("the proxy sent something that nobody had asked for")


async def _connect(
    start: Origin | socket.socket | None, protocol: asyncio.Protocol
) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    if isinstance(start, Origin):
        transport, _ = await loop.create_connection(lambda: protocol, start.host, start.port)
    else:
        transport, _ = await loop.create_connection(lambda: protocol, sock=start)
    return transport
