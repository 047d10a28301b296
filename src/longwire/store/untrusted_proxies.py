"""Proxies that nobody named: what they said about their clients did not count.

Law: anybody can call themselves a proxy, so a few are kept, and forgotten after a week.
"""

from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import delete, func, insert, select

from longwire.store.database import Database
from longwire.store.tables import untrusted_proxies

MOST: Final = 16
_KEPT_MS: Final = 7 * 24 * 3_600_000


class UntrustedProxies:
    """Those that one database knows of."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def note(self, address: str) -> None:
        """Keep that somebody forwards, unless there are many already."""
        now, table = self._clock(), untrusted_proxies
        old = (table.c.address == address) | (table.c.seen_at < now - _KEPT_MS)
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(old))
            if (await connection.scalar(select(func.count()).select_from(table)) or 0) < MOST:
                await connection.execute(insert(table).values(address=address, seen_at=now))

    async def all(self) -> Collection[str]:
        """Return their addresses, those of this week."""
        table = untrusted_proxies
        recent = table.c.seen_at >= self._clock() - _KEPT_MS
        query = select(table.c.address).where(recent).order_by(table.c.address)
        async with self._database.read() as connection:
            return tuple((await connection.scalars(query)).all())
