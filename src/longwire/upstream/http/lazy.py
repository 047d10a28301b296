"""The HTTP transport of a channel, loaded by its first request.

Law: a gateway that speaks over WebSocket alone never loads aiohttp, which is a fifth of a start and
15 MiB.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from longwire.core.rules.threads import Threads
from longwire.upstream.http.address import Address, Fetched, Listed
from longwire.upstream.http.threaded import open_in_thread
from longwire.upstream.loading import load
from longwire.upstream.oauth.credentials import Credentials
from longwire.upstream.ports import Call, Stream, Timeouts

if TYPE_CHECKING:
    from longwire.upstream.http.transport import HttpTransport


class LazyHttpTransport:
    """Sends turns to one endpoint over HTTP; close it when nothing is under way any more."""

    def __init__(
        self,
        address: Address,
        timeouts: Timeouts,
        credentials: Credentials,
        threads: Threads | None = None,
    ) -> None:
        """Send to an address, in `threads` if any; `credentials` are read for each request."""
        self._address = address
        self._threads = threads
        self._timeouts = timeouts
        self._credentials = credentials
        self._http: HttpTransport | None = None
        self._retires = False

    def open(self, call: Call) -> AbstractAsyncContextManager[Stream]:
        """Send the turn and give its stream; leaving early closes the connection."""
        if self._threads is not None:
            return open_in_thread(self._open, self._threads, call)
        return self._open(call)

    def _open(self, call: Call) -> AbstractAsyncContextManager[Stream]:
        return self._open_first(call) if self._http is None else self._http.open(call)

    @asynccontextmanager
    async def _open_first(self, call: Call) -> AsyncIterator[Stream]:
        http = await self._loaded()
        async with http.open(call) as stream:
            yield stream

    async def models(self) -> list[str]:
        """Return the ids of the upstream's own model list. Raises `UpstreamError`."""
        http = await self._loaded()
        return await http.models()

    async def listed(self, query: Mapping[str, str] = MappingProxyType({})) -> Listed:
        """Return the upstream's own model list. Raises `UpstreamError`."""
        http = await self._loaded()
        return await http.listed(query)

    @asynccontextmanager
    async def fetch(
        self, method: str, target: str, callers: Mapping[str, str]
    ) -> AsyncIterator[Fetched]:
        """Send a request about a response, and give its answer. Raises `UpstreamError`."""
        http = await self._loaded()
        async with http.fetch(method, target, callers) as fetched:
            yield fetched

    async def retire(self) -> None:
        """Close when nothing is under way any more; who holds a turn may use it to its end."""
        self._retires = True
        if self._http is not None:
            await self._http.retire()

    async def close(self) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.close()

    async def _loaded(self) -> "HttpTransport":
        await load("longwire.upstream.http.transport")
        from longwire.upstream.http.transport import HttpTransport  # noqa: PLC0415 - it imports aiohttp

        if self._http is None:
            self._http = HttpTransport(self._address, self._timeouts, self._credentials)
            if self._retires:
                await self._http.retire()
        return self._http
