"""The way from an account to its issuer: the same by which its channel goes upstream.

An account is one identity, and its issuer may refuse what comes from another address.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from longwire.upstream.loading import load
from longwire.upstream.net.proxies import environment_proxy

_LARGEST: Final = 1024 * 1024


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
        """Send one request as `request` does."""
        headers = {"content-type": media_type, "accept": "application/json"}
        return await self.request("POST", url, headers, body)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """Send one request, and follow no redirect.

        Raises `OSError` or `ValueError` where nobody answers.
        """
        await load("longwire.upstream.net.session")
        from longwire.upstream.net.session import (  # noqa: PLC0415 - only accounts need it
            FAILURES,
            session,
            whole_body,
        )

        try:
            async with (
                session(self.proxy or environment_proxy(url), self.tls) as client,
                client.request(
                    method, url, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                named = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, named, await whole_body(response, _LARGEST))
        except FAILURES as error:
            raise ConnectionError(str(error) or type(error).__name__) from None
