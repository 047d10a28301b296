"""Which pages may call the data plane from a browser (the Fetch standard, "CORS protocol").

Law: an origin that is not named gets no header at all. Cookies play no part on the data plane, so
credentials are never allowed, and every header of an answer may be shown.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from longwire.server.paths import DATA_PLANE
from longwire.server.problems import headers_of

ANY: Final = "*"
_METHODS: Final = "GET, HEAD, POST, DELETE, OPTIONS"
_KEPT_FOR: Final = "600"
"""Seconds that a browser may keep what a preflight said."""

_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z, \t-]*")


class Cors:
    """The origins that may, each by its exact name, or `*` for any."""

    __slots__ = ("_origins",)

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origins)

    def __bool__(self) -> bool:
        """Whether any page may."""
        return bool(self._origins)

    def headers(self, origin: str) -> Mapping[str, str]:
        """Return what lets a page of this origin read an answer; nothing for others."""
        if ANY in self._origins:
            return _readable_by(ANY)
        return {**_readable_by(origin), "vary": "origin"} if origin in self._origins else {}

    def preflight(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Return what allows a page the request that it announces; nothing for others."""
        allowed = self.headers(headers.get("origin", ""))
        names = headers.get("access-control-request-headers", "")
        if not allowed or "access-control-request-method" not in headers:
            return {}
        own = {"access-control-allow-methods": _METHODS, "access-control-max-age": _KEPT_FOR}
        if names and _NAMES.fullmatch(names):
            own["access-control-allow-headers"] = names
        if headers.get("access-control-request-private-network") == "true":
            own["access-control-allow-private-network"] = "true"
        return {**allowed, **own}


def _readable_by(origin: str) -> dict[str, str]:
    return {"access-control-allow-origin": origin, "access-control-expose-headers": "*"}


class CorsAnswers:
    """ASGI middleware: pages may read what the data plane answers, and ask beforehand."""

    def __init__(self, app: ASGIApp, cors: Cors) -> None:
        self._app = app
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; a browser shows no page how an upgrade was refused."""
        if scope["type"] != "http" or not scope["path"].startswith(DATA_PLANE):
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        if scope["method"] == "OPTIONS" and (allowed := self._cors.preflight(headers)):
            await Response(status_code=204, headers=allowed)(scope, receive, send)
            return
        added = self._cors.headers(headers.get("origin", "")) or {"vary": "origin"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(added)
            await send(message)

        await self._app(scope, receive, send_with_headers)
