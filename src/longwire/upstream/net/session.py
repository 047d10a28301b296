"""Requests over aiohttp, straight or through a proxy of whatever kind."""

import asyncio
import ssl

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError

from longwire.upstream.net.proxies import socks_options, speaks_socks

_LARGEST_HEADER = 64 * 1024

PROXY_FAILURES = (
    aiohttp.ClientHttpProxyError,
    aiohttp.ClientProxyConnectionError,
    ProxyConnectionError,
    ProxyError,
    ProxyTimeoutError,
    asyncio.IncompleteReadError,  # it hung up
)
"""What says that a proxy cannot be used: nothing was sent to the upstream."""

FAILURES = (aiohttp.ClientError, OSError, ValueError, *PROXY_FAILURES)
"""What a request may raise."""


def session(
    proxy: str | None, tls: ssl.SSLContext | None = None, connect: float | None = None
) -> aiohttp.ClientSession:
    """Return a session that goes through a proxy, where there is one; to be closed.

    `connect` are seconds. Raises `ValueError` for the URL of a SOCKS proxy that is none.
    """
    is_socks = speaks_socks(proxy)
    return aiohttp.ClientSession(
        connector=_connector(proxy if is_socks else None, tls),
        proxy=None if is_socks else proxy,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=connect),
        max_line_size=_LARGEST_HEADER,
        max_field_size=_LARGEST_HEADER,
    )


async def whole_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body of an answer, unpacked. Raises `ValueError` for more than `limit` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise ValueError(f"the answer passes {limit} bytes")
    return bytes(body)


def _connector(socks: str | None, tls: ssl.SSLContext | None) -> aiohttp.TCPConnector:
    if socks is None:
        return aiohttp.TCPConnector(limit=0, ssl=tls or True)
    return ProxyConnector(**socks_options(socks), limit=0, ssl=tls or True)
