"""Old turns are deleted a few at a time, so that whoever writes meanwhile never waits long.

On PostgreSQL whole UTC days are dropped instead, once all their turns are old.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Table, delete, select

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.retention import Retention
from longwire.core.nouns.turn_row import earliest_id
from longwire.logger import structlog
from longwire.store.alerts import sweep_alerts
from longwire.store.body_search import BodySearch
from longwire.store.database import Database
from longwire.store.homes import sweep_homes
from longwire.store.jobs import UPKEEP, take
from longwire.store.latencies import Figure
from longwire.store.log_tables import (
    latencies,
    runs,
    turn_bodies,
    turn_details,
    turns,
    usage,
    usage_reasons,
)
from longwire.store.partitions import drop_days, make_days
from longwire.store.usage import DAY

_HOURS_KEPT = 33
"""Days that hourly sums stay at least: budgets of a month in any zone begin within a day."""

_log = structlog.get_logger()
_AT_ONCE: Final = 1_000
_PERIOD: Final = 3_600_000
_PAUSE: Final = 60.0


class Swept(NamedTuple):
    """How many rows were deleted, and how many partitions of a day were dropped."""

    turns: int
    bodies: int
    hours: int
    days: int = 0


async def sweep(database: Database, retention: Retention, now: int) -> Swept:
    """Delete turns, bodies and hourly sums that are past their days; daily sums stay.

    `now` in ms since 1970 UTC. Bodies never outlive their turn; details go with it, and a run with
    its last turn.
    """
    today = now if database.is_sqlite else now - now % DAY
    hours_end = today - max(retention.turn_days, _HOURS_KEPT) * DAY
    turns_end = earliest_id(max(0, today - retention.turn_days * DAY))
    bodies_end = max(turns_end, earliest_id(max(0, today - retention.body_days * DAY)))
    days = 0
    if not database.is_sqlite:
        ends = ((turn_bodies, bodies_end), (turn_details, turns_end), (turns, turns_end))
        days = sum([await drop_days(database, table, end) for table, end in ends])
    bodies = await _delete(database, turn_bodies, bodies_end)
    await BodySearch(database, is_allowed=True).delete_before(bodies_end)
    await _delete(database, turn_details, turns_end)
    rows = await _delete(database, turns, turns_end)
    hours = await _delete_hours(database, usage, hours_end)
    await _delete_hours(database, usage_reasons, hours_end)
    for figure in Figure:
        await _delete_hours(database, latencies, hours_end, latencies.c.figure == figure.value)
    await _delete_runs(database, hours_end)
    return Swept(rows, bodies, hours, days)


async def _delete_hours(
    database: Database, sums: Table, end: int, *among: ColumnElement[bool]
) -> int:
    old = delete(sums).where(*among, sums.c.span == "h", sums.c.start < end)
    async with database.write() as connection:
        return (await connection.execute(old)).rowcount


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


async def _delete_runs(database: Database, end: int) -> None:
    """Delete runs whose last turn ended before `end`, a few at a time."""
    for kind in ("session", "trace", "part"):
        old = (runs.c.kind == kind, runs.c.last_at < end)
        chunk = select(runs.c.id).where(*old).order_by(runs.c.last_at).limit(_AT_ONCE)
        number = _AT_ONCE
        while number == _AT_ONCE:
            async with database.write() as connection:
                ids = (await connection.scalars(chunk)).all()
                await connection.execute(delete(runs).where(runs.c.id.in_(ids), *old))
            number = len(ids)
            await asyncio.sleep(0)


async def keep_swept(
    database: Database,
    retention: Callable[[], Awaitable[Retention]],
    pause: float = _PAUSE,
    period: int = _PERIOD,
) -> None:
    """Look every `pause` seconds, until cancelled, whether to sweep; one node does every `period`.

    Days of the log are made and homes swept, too. `retention` is asked each time, so that a change
    of it counts from the next sweep on. A database that is away is no reason to end.
    """
    while True:
        try:
            now = await take(database, UPKEEP, period)
            if now is not None:
                await _sweep_all(database, await retention(), now)
        except StoreUnavailable as error:
            _log.warning("retention_waits", error=error.reason)
        await asyncio.sleep(pause)


async def _sweep_all(database: Database, retention: Retention, now: int) -> None:
    if not database.is_sqlite:
        await make_days(database, now)
    swept = await sweep(database, retention, now)
    await sweep_homes(database, now)
    await sweep_alerts(database, now)
    if any(swept):
        _log.info("retention", **swept._asdict())
