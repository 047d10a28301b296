"""What a fleet shares goes away while sessions work, and comes back."""

import asyncio
import time
from dataclasses import dataclass

from sqlalchemy import func, select

from longwire.store.log_tables import turns
from longwire.store.store import Store
from tests.doubles.balancers import Balancer
from tests.doubles.fleet import Fleet, PostgresqlServer
from tests.doubles.working import Work
from tests.fleet.scenes import WARM, working

_SETTLES = 30.0


@dataclass(frozen=True, slots=True)
class Outage:
    """What was seen; `moment` is when it began, `rows` how many turns the log has at the end."""

    work: Work
    moment: float
    rows: int = 0

    @property
    def added(self) -> float:
        """The seconds that the slowest hundredth of turns took longer than before."""
        before, since = self.work.seconds(until=self.moment), self.work.seconds(since=self.moment)
        return since[len(since) * 99 // 100] - before[len(before) * 99 // 100]


async def valkey_away(
    fleet: Fleet, balancer: Balancer, key: str, frozen: float = 4.0, sessions: int = 12
) -> Outage:
    """Freeze Valkey, let it go on, kill it, start it empty."""
    work = working(fleet, balancer.url, key=key)
    async with work.running(sessions):
        await asyncio.sleep(2 * WARM)
        moment = time.monotonic()
        fleet.valkey.freeze()
        await asyncio.sleep(frozen)
        fleet.valkey.thaw()
        await asyncio.sleep(1.0)
        await fleet.valkey.kill()
        await asyncio.sleep(2.0)
        await fleet.valkey.start()
        await asyncio.sleep(2.0)
    return Outage(work, moment)


async def database_away(
    fleet: Fleet, balancer: Balancer, server: PostgresqlServer, away: float, sessions: int = 12
) -> Outage:
    """Stop PostgreSQL as a crash does, and start it again; wait until the log has all turns."""
    work = working(fleet, balancer.url)
    async with work.running(sessions):
        await asyncio.sleep(WARM)
        moment = time.monotonic()
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(away)
        await asyncio.to_thread(server.start)
        await asyncio.sleep(1.0)
    return Outage(work, moment, await logged(fleet, len(work.turns)))


async def logged(fleet: Fleet, expected: int) -> int:
    """How many turns the log has, once it has those expected or does not get them."""
    ends = time.monotonic() + _SETTLES
    async with fleet.store() as store:
        while (rows := await _count(store)) < expected and time.monotonic() < ends:  # noqa: ASYNC110
            await asyncio.sleep(0.5)  # a node writes once a second
    return rows


async def _count(store: Store) -> int:
    async with store.database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(turns)) or 0)
