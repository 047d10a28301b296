"""Latencies of turns that were logged before there were such histograms, made while it serves.

Law: each turn of the log is added once, by whichever node comes first, the newest first; so a start
waits for none of it, and one that ends on the way goes on at its next start.
"""

import asyncio
from typing import Final

from sqlalchemy import and_, delete, select, update

from longwire.core.errors import StoreUnavailable
from longwire.logger import structlog
from longwire.store.database import Database
from longwire.store.latencies import Measured, add_to_latencies, buckets_of
from longwire.store.log_tables import turns
from longwire.store.tables import revisions

_log = structlog.get_logger()
_BEFORE: Final = "latencies_before"
"""The name of the row in `revisions`; its number is the id that the turns to add are before."""

_AT_ONCE: Final = 2_000
_PAUSE: Final = 0.05
_RETRY: Final = 10.0


async def fill_latencies(
    database: Database, pause: float = _PAUSE, retry: float = _RETRY, at_once: int = _AT_ONCE
) -> None:
    """Add so many turns at once until all are; wait for a database that is away."""
    while True:
        try:
            if not await _fill_some(database, at_once):
                return
        except StoreUnavailable as error:
            _log.warning("latencies_wait", error=error.reason)
            await asyncio.sleep(retry)
        await asyncio.sleep(pause)


async def _fill_some(database: Database, at_once: int) -> bool:
    """Add the newest turns that are not yet; False where there are none."""
    mine = revisions.c.name == _BEFORE
    async with database.write() as connection:
        end = await connection.scalar(select(revisions.c.number).where(mine))
        if end is None:
            return False
        query = select(turns.c.id, *_SHOWN).where(turns.c.id < end).order_by(turns.c.id.desc())
        found = (await connection.execute(query.limit(at_once))).all()
        if not found:
            await connection.execute(delete(revisions).where(mine))
            return False
        taken = await connection.execute(
            update(revisions).where(mine, revisions.c.number == end).values(number=found[-1].id)
        )
        rows = buckets_of(Measured(*row[1:-1]) for row in found if row.is_served)
        if taken.rowcount == 1 and rows:
            statement = add_to_latencies(database.engine.dialect)
            await connection.exec_driver_sql(statement, rows)
    return True


_SHOWN: Final = (
    turns.c.started_at,
    turns.c.project_id,
    turns.c.channel_id,
    turns.c.model_asked,
    turns.c.first_event_ms,
    turns.c.total_ms,
    turns.c.output_tokens,
    turns.c.outcome.in_(("completed", "incomplete")).label("has_ended"),
    turns.c.streams,
    and_(
        turns.c.first_event_ms.is_not(None), turns.c.channel_id != "", turns.c.error_code == ""
    ).label("is_served"),
)
"""What a `Measured` has, and whether the turn counts: as `latencies.measured` has it."""
