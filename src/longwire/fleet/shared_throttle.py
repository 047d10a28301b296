"""Attempts to sign in that all nodes count together, in Valkey; a node alone while it is away.

Law: the same as of one node. Each place is counted in one step; where one refuses, what the others
counted is taken back.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from uuid import uuid4

from longwire.core.errors import FleetUnavailable
from longwire.core.ports import Attempt
from longwire.fleet.throttle import WINDOW, LocalThrottle, Place, places_of, refusal
from longwire.fleet.valkey import Script, Valkey

_COUNT: Final = Script("throttle")
_WINDOW_MS: Final = int(WINDOW * 1000)


class SharedThrottle:
    """Counts in Valkey, and by `local` where that cannot be asked."""

    def __init__(self, valkey: Valkey, local: LocalThrottle) -> None:
        self._valkey = valkey
        self._local = local

    async def attempt(self, address: str, account: str = "") -> Attempt:
        """Count an attempt. Raises `LimitReached` where there were too many before."""
        attempt = uuid4().hex
        places = places_of(address, account)
        try:
            waits = await self._count(places, attempt)
        except FleetUnavailable:
            return await self._local.attempt(address, account)
        if any(waits):
            counted = [place for place, wait in zip(places, waits, strict=True) if not wait]
            await self._take_back(counted, attempt)
            raise refusal(max(waits) / 1000)
        return _SharedAttempt(self, address, account, attempt)

    def forgive(self, address: str, account: str, attempt: str) -> None:
        """Take back an attempt, and forget those for the account from here."""
        for place in places_of(address, account):
            self._valkey.post("ZREM", _key(place), attempt)
        if account:
            self._valkey.post("DEL", _key((address, account)))

    async def _take_back(self, places: Sequence[Place], attempt: str) -> None:
        """Let a refused attempt count nowhere, before anybody hears of it."""
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


@dataclass(frozen=True, slots=True)
class _SharedAttempt:
    throttle: SharedThrottle
    address: str
    account: str
    id: str

    def succeeded(self) -> None:
        """Take it back, and forget those before for the account from here."""
        self.throttle.forgive(self.address, self.account, self.id)


def _key(place: Place) -> str:
    """Return where a place is counted: who tries to sign in is there as a digest alone."""
    digest = blake2b("\n".join(place).encode(), digest_size=16).hexdigest()
    return f"lw:{{throttle:{digest}}}"
