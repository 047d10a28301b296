"""Homes of sessions and of what upstreams hold, so that they outlive a process.

Law: a bounded number is kept, the newest of them, and none past its time.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from sqlalchemy import delete, select

from longwire.core.rules.homes import HomeKey
from longwire.store.database import Database
from longwire.store.tables import homes

MOST: Final = 250_000
"""So many are kept when old ones are swept."""


class StoredHomes:
    """The homes that one database keeps. `clock` gives ms since 1970 UTC."""

    __slots__ = ("_clock", "_database", "_upsert")

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._upsert: Any = None

    async def find(self, key: HomeKey) -> str | None:
        """Return a home, None where it is not kept or its time is over."""
        query = select(homes.c.home).where(
            homes.c.digest == key.digest, homes.c.expires_at > self._clock()
        )
        async with self._database.read() as connection:
            home = await connection.scalar(query)
            return home if isinstance(home, str) else None

    async def keep(self, changed: Mapping[HomeKey, str]) -> None:
        """Write homes, in one order for all writers: none waits crosswise."""
        if not changed:
            return
        now = self._clock()
        rows = [
            {
                "digest": key.digest,
                "home": home,
                "written_at": now,
                "expires_at": now + key.lasts * 1000,
            }
            for key, home in sorted(changed.items())
        ]
        if self._upsert is None:
            self._upsert = _upsert(self._database.engine.dialect.name)
        async with self._database.write() as connection:
            await connection.execute(self._upsert, rows)


def _upsert(dialect: str) -> Any:  # noqa: ANN401 - each dialect has an insert of its own
    """Return the statement that writes a home in the place of what was there."""
    fresh = import_module(f"sqlalchemy.dialects.{dialect}").insert(homes)
    values = {name: fresh.excluded[name] for name in ("home", "written_at", "expires_at")}
    return fresh.on_conflict_do_update(index_elements=[homes.c.digest], set_=values)


async def sweep_homes(database: Database, now: int, most: int = MOST) -> int:
    """Delete the homes whose time is over, and the oldest ones of too many; say how many."""
    newest_gone = select(homes.c.written_at).order_by(homes.c.written_at.desc()).offset(most)
    async with database.write() as connection:
        swept = (await connection.execute(delete(homes).where(homes.c.expires_at <= now))).rowcount
        end = await connection.scalar(newest_gone.limit(1))
        if end is not None:
            beyond = delete(homes).where(homes.c.written_at <= end)
            swept += (await connection.execute(beyond)).rowcount
    return swept
