"""Attempts to sign in that all nodes count together, in Valkey; a node alone while it is away.

Law: the same as of one node. Each place is counted in one step; where one refuses, what the others
counted is taken back.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Final
from uuid import uuid4

from longwire.core.errors import FleetUnavailable
from longwire.fleet.throttle import WINDOW, LocalThrottle, Place, places_of, refusal
from longwire.fleet.valkey import Script, Valkey

_COUNT: Final = Script("throttle")
_WINDOW_MS: Final = int(WINDOW * 1000)


class SharedThrottle:
    """Counts in Valkey, and by `local` where that cannot be asked."""

    def __init__(self, valkey: Valkey, local: LocalThrottle) -> None:
        self._valkey = valkey
        self._local = local

    async def attempt(self, address: str, account: str = "") -> None:
        """Count an attempt. Raises `LimitReached` where there were too many before."""
        attempt = uuid4().hex
        places = places_of(address, account)
        try:
            waits = await self._count(places, attempt)
        except FleetUnavailable:
            await self._local.attempt(address, account)
            return
        if any(waits):
            counted = [place for place, wait in zip(places, waits, strict=True) if not wait]
            await self._take_back(counted, attempt)
            raise refusal(max(waits) / 1000)

    async def succeeded(self, address: str, account: str = "") -> None:
        """Take the last attempt back, and forget those for the account from here."""
        forgotten = _key((address, account))
        keys = [_key(place) for place in places_of(address, account)]
        try:
            for key in keys:
                await self._valkey.call("ZPOPMAX", key)
            if account:
                await self._valkey.call("DEL", forgotten)
        except FleetUnavailable:
            await self._local.succeeded(address, account)

    async def _take_back(self, places: Sequence[Place], attempt: str) -> None:
        with suppress(FleetUnavailable):
            for place in places:
                await self._valkey.call("ZREM", _key(place), attempt)

    async def _count(self, places: Mapping[Place, int], attempt: str) -> Sequence[int]:
        """Return for each place how many ms to wait, 0 where it counts. Raises as Valkey does."""
        try:
            async with asyncio.TaskGroup() as group:
                counts = [
                    group.create_task(
                        self._valkey.run(_COUNT, [_key(place)], attempt, most, _WINDOW_MS)
                    )
                    for place, most in places.items()
                ]
        except* FleetUnavailable as failures:
            raise FleetUnavailable(str(failures.exceptions[0])) from None
        return [count.result() for count in counts]


def _key(place: Place) -> str:
    """Return where a place is counted: who tries to sign in is there as a digest alone."""
    digest = blake2b("\n".join(place).encode(), digest_size=16).hexdigest()
    return f"lw:{{throttle:{digest}}}"
