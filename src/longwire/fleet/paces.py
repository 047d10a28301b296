"""The pace at which all nodes together dial one route, and each its share while Valkey is away."""

import math
from collections.abc import Callable
from typing import Final

from longwire.core.errors import FleetUnavailable
from longwire.core.ports import Pacer
from longwire.fleet.local import LocalPacer
from longwire.fleet.valkey import Script, Valkey

_SECOND: Final = 1_000_000
_LONGEST: Final = 86_400.0


class SharedPaces:
    """Gives the pacers of one node; `count` tells how many nodes share a rate."""

    def __init__(self, valkey: Valkey, count: Callable[[], int]) -> None:
        self.valkey = valkey
        self.count = count
        self.script = Script("pace")

    def of(self, route: str, rate: float, burst: int = 1) -> Pacer:
        """Return what paces a route: at most `burst` at once and `rate` a second."""
        return _SharedPacer(self, f"lw:pace:{{{route}}}", rate, burst)


class _SharedPacer:
    """One route's pace. The share of this node begins anew where the number of nodes changes."""

    def __init__(self, paces: SharedPaces, key: str, rate: float, burst: int) -> None:
        self._paces = paces
        self._key = key
        self._rate, self._burst = rate, burst
        self._shares = 0
        self._share = LocalPacer(rate, burst)

    async def reserve(self, longest: float = math.inf) -> float:
        """Return how long to wait for the next place, in seconds; beyond `longest` take none."""
        interval = _SECOND / self._rate
        words = (interval, interval * (self._burst - 1), min(longest, _LONGEST) * _SECOND)
        rounded = (round(each) for each in words)
        try:
            wait = await self._paces.valkey.run(self._paces.script, (self._key,), *rounded)
        except FleetUnavailable:
            return await self._own_share().reserve(longest)
        return int(wait) / _SECOND

    def _own_share(self) -> LocalPacer:
        shares = self._paces.count()
        if shares != self._shares:
            self._shares = shares
            self._share = LocalPacer(self._rate / shares, max(1, self._burst // shares))
        return self._share
