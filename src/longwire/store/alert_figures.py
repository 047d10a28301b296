"""Shares that alert rules watch: of the last turns by channel, and of all together.

A window of up to an hour is counted from the newest turns of the log, so many at most; a longer one
from the sums by hour, in whole hours.
"""

from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, Select, cast, func, select

from longwire.core.nouns.turn_row import earliest_id
from longwire.store.database import Database
from longwire.store.log_tables import turns, usage
from longwire.store.usage import HOUR

MOST_TURNS: Final = 50_000
_CONTINUED: Final = "continued"


class Share(NamedTuple):
    """Turns of a channel, and of them those that were continued and those that failed."""

    channel_id: str
    turns: int
    continued: int
    failures: int


async def shares(database: Database, since: int, until: int) -> tuple[Share, ...]:
    """Return the shares of channels that served, in ms since 1970 UTC; none of what none served."""
    query = _of_turns(since, until) if until - since <= HOUR else _of_hours(since, until)
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(Share(str(row[0]), *(int(each or 0) for each in row[1:])) for row in rows)


def _of_turns(since: int, until: int) -> Select[Any]:
    newest = (
        select(
            turns.c.channel_id,
            cast(turns.c.continuity == _CONTINUED, Integer).label("continued"),
            cast(turns.c.error_code != "", Integer).label("failures"),
        )
        .where(turns.c.id >= earliest_id(since), turns.c.id < earliest_id(until))
        .order_by(turns.c.id.desc())
        .limit(MOST_TURNS)
        .subquery()
    )
    return (
        select(
            newest.c.channel_id,
            func.count(),
            func.sum(newest.c.continued),
            func.sum(newest.c.failures),
        )
        .where(newest.c.channel_id != "")
        .group_by(newest.c.channel_id)
    )


def _of_hours(since: int, until: int) -> Select[Any]:
    within = (usage.c.start >= since - since % HOUR, usage.c.start < until)
    return (
        select(
            usage.c.channel_id,
            func.sum(usage.c.turns),
            func.sum(usage.c.continued),
            func.sum(usage.c.failures),
        )
        .where(usage.c.span == "h", *within, usage.c.channel_id != "")
        .group_by(usage.c.channel_id)
    )
