"""Sums by reason of turns that were logged before there were such sums, made while it serves.

Law: each hour of the log is added up once, by whichever node comes first; so a start waits for
none of it, however long the log is, and one that ends on the way goes on at its next start.
"""

import asyncio
from typing import Any, Final

from sqlalchemy import Select, and_, case, delete, func, select, update

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.turn_row import ID_BITS, earliest_id
from longwire.logger import structlog
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.log_tables import turns, usage_reasons
from longwire.store.tables import revisions
from longwire.store.usage import HOUR, spread, upsert

_log = structlog.get_logger()
_BEFORE: Final = "reasons_before"
"""The name of the row in `revisions`; its number is the id that the turns to add up are before."""

_PAUSE: Final = 0.05
_RETRY: Final = 10.0


async def fill_reasons(database: Database, pause: float = _PAUSE, retry: float = _RETRY) -> None:
    """Add up hour by hour, the newest first, until all is; wait for a database that is away."""
    while True:
        try:
            if not await _fill_an_hour(database):
                return
        except StoreUnavailable as error:
            _log.warning("sums_by_reason_wait", error=error.reason)
            await asyncio.sleep(retry)
        await asyncio.sleep(pause)


async def _fill_an_hour(database: Database) -> bool:
    """Add up the newest hour that is not; False where there is none."""
    mine = revisions.c.name == _BEFORE
    async with database.write() as connection:
        end = await connection.scalar(select(revisions.c.number).where(mine))
        if end is None:
            return False
        newest = await connection.scalar(select(func.max(turns.c.id)).where(turns.c.id < end))
        if newest is None:
            await connection.execute(delete(revisions).where(mine))
            return False
        ended = newest >> ID_BITS
        first = earliest_id(ended - ended % HOUR)
        taken = await connection.execute(
            update(revisions).where(mine, revisions.c.number == end).values(number=first)
        )
        if taken.rowcount == 1:
            await _add_up(database, connection, _sums_of(first, end))
    return True


async def _add_up(database: Database, connection: AsyncConnection, query: Select[Any]) -> None:
    found = (await connection.execute(query)).all()
    rows = spread((int(row[0]), tuple(row[1:7]), [int(sum_) for sum_ in row[7:]]) for row in found)
    await connection.exec_driver_sql(upsert(database.engine.dialect, usage_reasons), rows)


def _sums_of(first: int, end: int) -> Select[Any]:
    """Return the sums of some turns as entries of `spread`; as `usage.added_up` makes them."""
    hour = turns.c.started_at - turns.c.started_at % HOUR
    model = case((turns.c.channel_id == "", ""), else_=turns.c.model_asked)
    how = case((turns.c.reason == "", turns.c.continuity), else_=turns.c.reason)
    whose = (turns.c.project_id, turns.c.channel_id, model, turns.c.key_id, turns.c.api, how)
    labelled = [each.label(f"key_{number}") for number, each in enumerate((hour, *whose))]
    is_served = and_(turns.c.first_event_ms.is_not(None), turns.c.error_code == "")
    tokens = func.coalesce(turns.c.input_tokens, 0) + func.coalesce(turns.c.output_tokens, 0)
    is_unpriced = and_(turns.c.cost.is_(None), tokens > 0)
    known = ("input_tokens", "cached_tokens", "output_tokens", "cost")
    return (
        select(
            *labelled,
            func.count(),
            func.sum(case((turns.c.continuity == "continued", 1), else_=0)),
            func.sum(case((turns.c.error_code == "", 0), else_=1)),
            *(func.coalesce(func.sum(turns.c[name]), 0) for name in known),
            func.sum(case((is_served, turns.c.bytes_received), else_=turns.c.bytes_sent)),
            func.sum(turns.c.bytes_sent),
            func.sum(case((is_unpriced, 1), else_=0)),
        )
        .where(turns.c.id >= first, turns.c.id < end)
        .group_by(*(each.name for each in labelled))
    )
