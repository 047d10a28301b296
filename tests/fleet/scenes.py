"""What happens to a fleet under load, and what its clients saw: for tests and benchmarks."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.doubles.balancers import Balancer, HAProxy
from tests.doubles.fleet import Fleet
from tests.doubles.working import Turn, Work

PACED = {"delay_ms": 12}
"""A turn of about a quarter of a second."""
WARM = 2.5
_ON_ITS_WAY = 0.05
_NOTICED = 0.5


def working(fleet: Fleet, url: str, **members) -> Work:
    """Sessions that work through a balancer."""
    return Work(url, **{"key": fleet.key, "script": PACED, "pause": 0.2, **members})


@dataclass(frozen=True, slots=True)
class Restart:
    """What a rolling restart did, which began at a `moment`."""

    work: Work
    moment: float

    @property
    def most_fresh(self) -> int:
        """The most turns that one session had to take anew."""
        return max(self.work.fresh(self.moment).values(), default=0)


async def rolling_restart(fleet: Fleet, balancer: Balancer, sessions: int = 20) -> Restart:
    """Restart all nodes, one after the other, while sessions work."""
    work = working(fleet, balancer.url)
    async with work.running(sessions):
        await asyncio.sleep(WARM)
        moment = time.monotonic()
        await fleet.roll(fleet.nodes)
    return Restart(work, moment)


@dataclass(frozen=True, slots=True)
class Crash:
    """What a crash did: `under_way` turns were there at its `moment`."""

    work: Work
    under_way: int
    moment: float

    @property
    def errors(self) -> Sequence[Turn]:
        """The turns that failed."""
        return [turn for turn in self.work.turns if turn.error]

    @property
    def beside(self) -> Sequence[Turn]:
        """Those of them that were not under way at the moment."""
        return [turn for turn in self.errors if not turn.ran_at(self.moment)]

    @property
    def late(self) -> Sequence[Turn]:
        """Those that began when any balancer must have noticed, however busy the machine is."""
        return [turn for turn in self.beside if turn.began > self.moment + _NOTICED]

    @property
    def seen(self) -> Sequence[Turn]:
        """Those of them that the balancer had counted: not those on their way to it."""
        return [turn for turn in self.errors if turn.began < self.moment - _ON_ITS_WAY]


async def crash(fleet: Fleet, balancer: HAProxy, sessions: int = 20) -> Crash:
    """Kill one node while sessions work, and start it again."""
    work = working(fleet, balancer.url)
    lost = fleet.nodes[0]
    async with work.running(sessions):
        await asyncio.sleep(WARM)
        lost.freeze()
        under_way, moment = balancer.under_way(lost), time.monotonic()
        await lost.kill()
        await asyncio.sleep(2.0)
        await lost.start()
        await asyncio.sleep(2.0)
    return Crash(work, under_way, moment)
