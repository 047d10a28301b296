"""Sums of turns that were logged before there were such sums, made while a gateway serves.

Law: each turn of the log is added up once, by whichever node comes first, the newest first; so a
start waits for none of it, however long the log is, and one that ends on the way goes on at its
next start.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, case, delete, func, select, update

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.turn_row import ID_BITS, earliest_id
from longwire.logger import structlog
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.latencies import Measured, add_to_latencies, buckets_of
from longwire.store.log_tables import turns, usage_reasons
from longwire.store.tables import revisions
from longwire.store.usage import HOUR, spread, upsert

_log = structlog.get_logger()
_AT_ONCE: Final = 2_000
_PAUSE: Final = 0.05
_RETRY: Final = 10.0


class _Part(NamedTuple):
    """The sums of the turns from `first` on, by their ids, as rows of a table."""

    first: int
    rows: list[tuple[Any, ...]]


_Newest = Callable[[AsyncConnection, int], Awaitable[_Part | None]]
"""Adds up some turns, the newest of those before an id; None where there are none."""


class _Missing(NamedTuple):
    """The sums that are to be made.

    `name` is that of a row in `revisions`, whose number is the id that the turns to add are before.
    """

    name: str
    newest: _Newest
    statement: str


async def fill_reasons(database: Database, pause: float = _PAUSE, retry: float = _RETRY) -> None:
    """Add up hour by hour, the newest first, until all is; wait for a database that is away."""
    statement = upsert(database.engine.dialect, usage_reasons)
    await _fill(database, _Missing("reasons_before", _hour, statement), pause, retry)


async def fill_latencies(
    database: Database, pause: float = _PAUSE, retry: float = _RETRY, at_once: int = _AT_ONCE
) -> None:
    """Add so many turns at once until all are; wait for a database that is away."""

    async def newest(connection: AsyncConnection, end: int) -> _Part | None:
        query = select(turns.c.id, *_SHOWN).where(turns.c.id < end).order_by(turns.c.id.desc())
        found = (await connection.execute(query.limit(at_once))).all()
        if not found:
            return None
        served = (Measured(*row[1:-1]) for row in found if row.is_served)
        return _Part(found[-1].id, buckets_of(served))

    statement = add_to_latencies(database.engine.dialect)
    await _fill(database, _Missing("latencies_before", newest, statement), pause, retry)


async def _fill(database: Database, missing: _Missing, pause: float, retry: float) -> None:
    while True:
        try:
            if not await _fill_some(database, missing):
                return
        except StoreUnavailable as error:
            _log.warning("sums_wait", sums=missing.name, error=error.reason)
            await asyncio.sleep(retry)
        await asyncio.sleep(pause)


async def _fill_some(database: Database, missing: _Missing) -> bool:
    """Add up the newest turns that are not yet; False where there are none."""
    mine = revisions.c.name == missing.name
    async with database.write() as connection:
        end = await connection.scalar(select(revisions.c.number).where(mine))
        if end is None:
            return False
        part = await missing.newest(connection, end)
        if part is None:
            await connection.execute(delete(revisions).where(mine))
            return False
        taken = await connection.execute(
            update(revisions).where(mine, revisions.c.number == end).values(number=part.first)
        )
        if taken.rowcount == 1 and part.rows:
            await connection.exec_driver_sql(missing.statement, part.rows)
    return True


async def _hour(connection: AsyncConnection, end: int) -> _Part | None:
    """Add up the hour of the newest turn before an id, by reason."""
    newest = await connection.scalar(select(func.max(turns.c.id)).where(turns.c.id < end))
    if newest is None:
        return None
    ended = newest >> ID_BITS
    first = earliest_id(ended - ended % HOUR)
    found = (await connection.execute(_sums_of(first, end))).all()
    entries = ((int(row[0]), tuple(row[1:7]), [int(sum_) for sum_ in row[7:]]) for row in found)
    return _Part(first, spread(entries))


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
