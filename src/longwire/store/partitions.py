"""The days of the turn log: on PostgreSQL each UTC day is a partition, made ahead, dropped whole.

Law: no row is lost for want of a day: it goes to the partition `…_other`, and moves when its day is
made. Whoever makes or drops one waits for others a moment only, since all would wait behind it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import MetaData, Table, text
from sqlalchemy.schema import DropTable

from longwire.core.nouns.turn_row import earliest_id
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.log_tables import turn_bodies, turn_details, turns
from longwire.store.usage import DAY

AHEAD: Final = 7
"""So many days are there before they begin."""

_DAILY: Final = (turns, turn_details, turn_bodies)
_ADVISORY_LOCK: Final = 0x6C6F6E68
_BOUNDS: Final = re.compile(r"FROM \((?:'(\d+)'|MINVALUE)\) TO \('(\d+)'\)")
_PARTITION: Final = re.compile(r"(?:turns|turn_details|turn_bodies)_(?:before|other|\d{8})")
_PATIENCE: Final = text("SET LOCAL lock_timeout = '2s'")
_PARTITIONS: Final = text(
    "SELECT child.relname, pg_get_expr(child.relpartbound, child.oid) FROM pg_inherits "
    "JOIN pg_class AS child ON child.oid = inhrelid WHERE inhparent = CAST(:name AS regclass)"
)


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a table: the ids from `first` on and before `end`."""

    name: str
    first: int
    end: int


def is_partition(name: str) -> bool:
    """Whether a table is a part of another one."""
    return _PARTITION.fullmatch(name) is not None


async def make_days(database: Database, now: int) -> int:
    """Make the partitions of today and the days to come; say how many were made.

    `now` in ms since 1970 UTC. Raises `StoreUnavailable`.
    """
    today, number = now - now % DAY, 0
    for table in _DAILY:
        async with database.read() as connection:
            there = await partitions(connection, table)
        days = range(today, today + (AHEAD + 1) * DAY, DAY)
        for start in (day for day in days if not _is_made(there, day)):
            async with database.write() as connection:
                number += await _make(connection, table, start)
    return number


async def drop_days(database: Database, table: Table, end: int) -> int:
    """Drop the partitions all of whose ids are before `end`; say how many. See `make_days`."""
    async with database.read() as connection:
        old = [each for each in await partitions(connection, table) if each.end <= end]
    for each in old:
        async with database.write() as connection:
            await connection.execute(_PATIENCE)
            await connection.execute(DropTable(Table(each.name, MetaData()), if_exists=True))
    return len(old)


async def partitions(connection: AsyncConnection, table: Table) -> list[Partition]:
    """Return the partitions of a table but for the one of what belongs to no other."""
    found = await connection.execute(_PARTITIONS, {"name": table.name})
    bounds = ((name, _BOUNDS.search(bound)) for name, bound in found)
    return [Partition(name, int(at[1] or 0), int(at[2])) for name, at in bounds if at]


def _is_made(there: Sequence[Partition], start: int) -> bool:
    first, end = earliest_id(start), earliest_id(start + DAY)
    return any(each.first < end and first < each.end for each in there)


async def _make(connection: AsyncConnection, table: Table, start: int) -> bool:
    """Make the partition of a day; False where there is one. What was put elsewhere moves there."""
    first, end = earliest_id(start), earliest_id(start + DAY)
    await connection.execute(_PATIENCE)
    await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    if _is_made(await partitions(connection, table), start):  # by another one meanwhile
        return False
    day = f"{table.name}_{datetime.fromtimestamp(start // 1000, UTC):%Y%m%d}"
    other, ids = f"{table.name}_other", f"id >= {first} AND id < {end}"
    bounds = f"FROM ({first}) TO ({end})"
    moved = f"WITH moved AS (DELETE FROM {other} WHERE {ids} RETURNING *)"  # noqa: S608 - no input
    for statement in (
        f"LOCK TABLE {other} IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {day} (LIKE {table.name} INCLUDING ALL)",
        f"{moved} INSERT INTO {day} SELECT * FROM moved",  # noqa: S608 - no input
        f"ALTER TABLE {table.name} ATTACH PARTITION {day} FOR VALUES {bounds}",
    ):
        await connection.execute(text(statement))
    return True
