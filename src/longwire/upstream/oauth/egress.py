"""The way from an account to its issuer: the same by which its channel goes upstream.

An account is one identity, and its issuer may refuse what comes from another address.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from python_socks import ProxyError

from longwire.upstream.loading import load
from longwire.upstream.net.handshake import Handshake, post_request
from longwire.upstream.net.tunnel import open_tunnel
from longwire.upstream.net.urls import environment_proxy, origin_of


class Reply(NamedTuple):
    """What an issuer answers; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Egress:
    """A way out: `proxy` overrides the environment's, `tls` whom the system trusts."""

    proxy: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    async def post(self, url: str, body: bytes, media_type: str) -> Reply:
        """Send one request, and follow no redirect.

        Raises `OSError` or `ValueError` where nobody answers.
        """
        proxy = self.proxy or environment_proxy(url)
        headers = {"content-type": media_type, "accept": "application/json"}
        try:
            if proxy is not None and proxy.startswith("socks"):
                return await self._post_by_socks(url, body, headers, proxy)
            return await self._post(url, body, headers, proxy)
        except ProxyError as error:
            raise ConnectionError(f"the proxy cannot be used: {error}") from None

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str], proxy: str | None
    ) -> Reply:
        await load("aiohttp")
        import aiohttp  # noqa: PLC0415 - only accounts need it

        try:
            async with (
                aiohttp.ClientSession(proxy=proxy) as session,
                session.post(
                    url, data=body, headers=headers, allow_redirects=False, ssl=self.tls or True
                ) as response,
            ):
                named = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, named, await response.read())
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error) or type(error).__name__) from None

    async def _post_by_socks(
        self, url: str, body: bytes, headers: Mapping[str, str], proxy: str
    ) -> Reply:
        parts = urlsplit(url)
        origin = origin_of(parts, "http", "https")
        tunnel = await open_tunnel(origin, proxy, self.tls)
        try:
            response = await tunnel.request(Handshake(post_request(origin, parts, headers, body)))
        finally:
            tunnel.abort()
        return Reply(response.status, response.headers, response.body)
