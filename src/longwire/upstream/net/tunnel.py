"""From an address to a connection: the upstream's own or a proxy's, with TLS and tunnel upon it.

Law: whoever opens a socket closes it where a later step fails; none outlives a cancelled dial.
"""

import asyncio
import socket
import ssl
from typing import cast
from urllib.parse import urlsplit

from python_socks.async_.asyncio import Proxy

from longwire.upstream.net.handshake import Answer, Handshake, Malformed, connect_request
from longwire.upstream.net.tls_transport import ByteTransport, TlsTransport
from longwire.upstream.net.urls import Origin, origin_of

_RECEIVE_WINDOW = 512 * 1024
"""Bytes that wait in the kernel where a client does not keep up."""

_IS_DONE = 2


class Tunnel:
    """Layers between us and an upstream, of which each speaks over what was laid before it."""

    __slots__ = ("_begins", "transport")

    def __init__(self, begins: Origin | socket.socket) -> None:
        self._begins: Origin | socket.socket | None = begins
        self.transport: ByteTransport | None = None

    async def lay(self, layer: asyncio.Protocol) -> None:
        """Have a layer speak over the way. Raises `OSError`."""
        if self.transport is not None:
            self.transport.set_protocol(layer)
            layer.connection_made(cast("asyncio.BaseTransport", self.transport))
            return
        begins, self._begins = self._begins, None  # the loop closes a socket that it was given
        transport = await _connected(begins, layer)
        self.transport = transport
        own = transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_WINDOW)

    async def secure(self, context: ssl.SSLContext | None, host: str) -> None:
        """Lay TLS, towards a host whose name its certificate has. Raises `OSError`."""
        layer = TlsTransport(context or ssl.create_default_context(), host)
        await self.lay(layer)
        await layer.shaken()
        self.transport = layer

    async def ask(self, handshake: Handshake) -> Answer:
        """Put a question; see `Handshake.answered`."""
        await self.lay(handshake)
        return await handshake.answered()

    def end(self) -> None:
        """Let nothing of it remain."""
        if self.transport is not None:
            self.transport.abort()
        elif isinstance(self._begins, socket.socket):
            self._begins.close()


async def open_tunnel(to: Origin, proxy: str | None, tls: ssl.SSLContext | None) -> Tunnel:
    """Return the way to a place, straight or through a proxy.

    A proxy's URL begins with http, https, socks4 or socks5, and may have a user and a password.
    Raises `OSError`, `ValueError` for such a URL, and what `python_socks` does.
    """
    if proxy is not None and proxy.startswith("socks"):
        tunnel = Tunnel(await Proxy.from_url(proxy).connect(to.host, to.port))
        proxy = None
    else:
        tunnel = Tunnel(origin_of(urlsplit(proxy), "http", "https") if proxy else to)
    try:
        if proxy:
            await _tunnel(tunnel, to, proxy, tls)
        if to.is_secure:
            await tunnel.secure(tls, to.host)
    except BaseException:
        tunnel.end()
        raise
    return tunnel


async def _tunnel(tunnel: Tunnel, to: Origin, proxy: str, tls: ssl.SSLContext | None) -> None:
    """Have a proxy open a tunnel (RFC 9110, 9.3.6)."""
    parts = urlsplit(proxy)
    between = origin_of(parts, "http", "https")
    if between.is_secure:
        await tunnel.secure(tls, between.host)
    try:
        answer = await tunnel.ask(Handshake(connect_request(to, parts), is_tunnel=True))
    except Malformed as error:
        raise Malformed(f"the proxy cannot be used: {error}") from None
    if answer.status // 100 != _IS_DONE:
        raise Malformed(f"the proxy refused a tunnel with status {answer.status}")
    if answer.rest:
        raise Malformed("the proxy sent something that nobody had asked for")


async def _connected(
    to: Origin | socket.socket | None, layer: asyncio.Protocol
) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    if isinstance(to, Origin):
        transport, _ = await loop.create_connection(lambda: layer, to.host, to.port)
    else:
        transport, _ = await loop.create_connection(lambda: layer, sock=to)
    return transport
