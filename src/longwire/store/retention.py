"""Old turns are deleted a few at a time, so that whoever writes meanwhile never waits long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from sqlalchemy import Table, delete, select

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.retention import Retention
from longwire.core.nouns.turn_row import earliest_id
from longwire.logger import structlog
from longwire.store.database import Database
from longwire.store.homes import sweep_homes
from longwire.store.tables import turn_bodies, turn_details, turns, usage
from longwire.store.usage import DAY

_log = structlog.get_logger()
_AT_ONCE: Final = 1_000
_PAUSE: Final = 3_600.0


class Swept(NamedTuple):
    """How many rows were deleted."""

    turns: int
    bodies: int
    hours: int


async def sweep(database: Database, retention: Retention, now: int) -> Swept:
    """Delete turns, bodies and hourly sums that are past their days; daily sums stay.

    `now` in ms since 1970 UTC. Bodies never outlive their turn; details go with it.
    """
    turns_end = earliest_id(max(0, now - retention.turn_days * DAY))
    bodies_end = earliest_id(max(0, now - retention.body_days * DAY))
    hours_end = now - retention.turn_days * DAY
    bodies = await _delete(database, turn_bodies, max(turns_end, bodies_end))
    await _delete(database, turn_details, turns_end)
    rows = await _delete(database, turns, turns_end)
    old = delete(usage).where(usage.c.span == "h", usage.c.start < hours_end)
    async with database.write() as connection:
        hours = (await connection.execute(old)).rowcount
    return Swept(rows, bodies, hours)


async def _delete(database: Database, table: Table, end: int) -> int:
    """Delete all ids before `end`, oldest first, each chunk in a transaction of its own."""
    chunk = select(table.c.id).where(table.c.id < end).order_by(table.c.id).limit(_AT_ONCE)
    number = 0
    while True:
        async with database.write() as connection:
            ids = (await connection.scalars(chunk)).all()
            if ids:
                await connection.execute(delete(table).where(table.c.id <= ids[-1]))
        number += len(ids)
        if len(ids) < _AT_ONCE:
            return number
        await asyncio.sleep(0)


async def keep_swept(
    database: Database,
    retention: Callable[[], Awaitable[Retention]],
    clock: Callable[[], int],
    pause: float = _PAUSE,
) -> None:
    """Sweep now and then every `pause` seconds, until cancelled; no database is no reason to end.

    Homes are swept, too. `retention` is asked each time, so that a change of it counts from the
    next sweep on.
    """
    while True:
        try:
            swept = await sweep(database, await retention(), clock())
            await sweep_homes(database, clock())
        except StoreUnavailable as error:
            _log.warning("retention_waits", error=error.reason)
        else:
            if any(swept):
                _log.info("retention", **swept._asdict())
        await asyncio.sleep(pause)
