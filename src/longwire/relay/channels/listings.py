"""Which models upstreams list: each is asked once for all callers, and never waited for long.

Law: an upstream that hangs, or lists nothing, holds up nobody who asks what the others list.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from longwire.core.errors import LongwireError
from longwire.logger import structlog
from longwire.relay.channels.channel import Channel
from longwire.upstream.http.address import Listed

_log = structlog.get_logger()
_LISTED_FOR = 300.0
_FAILED_FOR = 30.0
_PATIENCE = 0.8


@dataclass(slots=True)
class _Listing:
    """What one upstream listed last, until when that holds, and the request under way.

    `awaited_until` is how long callers wait for it: only for the first, since there is no list yet.
    """

    listed: Listed = field(default_factory=lambda: Listed({}))
    holds_until: float = 0.0
    awaited_until: float = 0.0
    request: asyncio.Task[None] | None = None


class Listings:
    """The lists of all upstreams; each holds for five minutes, by the seconds of `clock`.

    An old one is given while it is asked for anew. Who could not list is asked again after half a
    minute.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._listings: dict[str, _Listing] = {}
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask upstreams until left."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                self.forget_others(())

    def of(self, channel: Channel) -> Listed:
        """Return what is known of a channel's list."""
        known = self._listings.get(channel.endpoint)
        return known.listed if known else Listed({})

    async def look(self, channels: Iterable[Channel], version: str) -> None:
        """Ask whose lists are old; wait a moment for those that never answered.

        `version` is that of the Codex for which a list is fetched, where lists differ by it.
        """
        now = self._clock()
        listings = [self._refreshed(each, version, now) for each in channels]
        seconds = max((each.awaited_until - now for each in listings), default=0.0)
        requests = [each.request for each in listings if each.request and now < each.awaited_until]
        if requests:
            await asyncio.wait(requests, timeout=seconds)

    def forget_others(self, endpoints: Collection[str]) -> None:
        """Keep the lists of these endpoints alone."""
        for gone in self._listings.keys() - endpoints:
            request = self._listings.pop(gone).request
            if request is not None:
                request.cancel()

    def _refreshed(self, channel: Channel, version: str, now: float) -> _Listing:
        """Return what is known of a channel's list, asked for anew where it is old."""
        known = self._listings.get(channel.endpoint)
        if known is None:
            known = self._listings[channel.endpoint] = _Listing(awaited_until=now + _PATIENCE)
        is_old = known.request is None and now >= known.holds_until
        if is_old and self._group is not None:
            known.request = self._group.create_task(self._request(channel, version, known))
        return known

    async def _request(self, channel: Channel, version: str, known: _Listing) -> None:
        query = {"client_version": version} if channel.vendor.lists_for_codex else {}
        lasts = _FAILED_FOR
        try:
            if channel.listing is not None:
                known.listed, lasts = await channel.listing.listed(query), _LISTED_FOR
        except LongwireError as error:
            _log.warning("models_not_listed", channel=channel.name, reason=str(error))
        known.request, known.holds_until = None, self._clock() + lasts
