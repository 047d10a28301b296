"""Usage over time: sums of turns by hour and by UTC day, so that no chart reads the turns.

Law: sums are written in the transaction that writes their turns, and outlive them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from operator import add
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Dialect, Table, cast, func, literal, select

from longwire.core.nouns.turn_row import TurnRow
from longwire.store.database import Database
from longwire.store.log_tables import usage, usage_reasons
from longwire.store.tables import api_keys

By = Literal["project", "channel", "model", "key", "api", "user", "reason", "all"]
Span = Literal["h", "d"]

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
LENGTHS: Final[dict[Span, int]] = {"h": HOUR, "d": DAY}
"""How long the spans are that sums are kept by, in ms."""

_CONTINUED: Final = "continued"
_BY: Final = {
    "project": "project_id",
    "channel": "channel_id",
    "model": "model",
    "key": "key_id",
    "api": "api",
    "reason": "reason",
}


class Sums(NamedTuple):
    """Turns added up: tokens, cost in billionths of a US dollar, request bodies in bytes.

    `failures` are turns that ended with an error code, `unpriced` those with tokens whose cost
    nobody knows. Unknown figures count as 0. Of a turn that was not served as much counts as
    received as was sent for it: it saved nothing.
    """

    turns: int = 0
    continued: int = 0
    failures: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    unpriced: int = 0

    @property
    def bytes_saved(self) -> int:
        """What needed not be sent upstream."""
        return max(0, self.bytes_received - self.bytes_sent)


class Point(NamedTuple):
    """One span of a series: its beginning in ms since 1970 UTC, an id, model or API, the sums."""

    start: int
    name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Where:
    """What counts: the projects and keys (None for all), and "" for any of the others.

    A `reason` is a word of `how_of`.
    """

    project_ids: tuple[str, ...] | None = None
    channel_id: str = ""
    model: str = ""
    key_id: str = ""
    api: str = ""
    reason: str = ""
    key_ids: tuple[str, ...] | None = None

    def conditions(self, table: Table = usage) -> list[ColumnElement[bool]]:
        """Return it in SQL."""
        found: list[ColumnElement[bool]] = []
        if self.project_ids is not None:
            found.append(table.c.project_id.in_(self.project_ids))
        if self.key_ids is not None:
            found.append(table.c.key_id.in_(self.key_ids))
        names = ("channel_id", "model", "key_id", "api", "reason")
        values = ((name, getattr(self, name)) for name in names)
        return found + [table.c[name] == value for name, value in values if value]


EVERYTHING: Final = Where()


class ServedSums(NamedTuple):
    """The sums of one span of one model, by the name that callers use, at one channel."""

    channel_id: str
    model: str
    sums: Sums


class Usage:
    """Sums over time. What is asked for begins from `since` on and before `until`, both in ms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def series(
        self, by: By, since: int, until: int, span: Span = "d", where: Where = EVERYTHING
    ) -> tuple[Point, ...]:
        """Return the sums of each span, oldest first; spans without a turn are left out.

        The span that `since` falls into counts whole.
        """
        table = usage_reasons if by == "reason" else _table(where)
        name: ColumnElement[str] = table.c[_BY[by]] if by in _BY else literal("")
        if by == "user":
            name = func.coalesce(api_keys.c.user_id, "")
        query = (
            select(table.c.start, name.label("named"), *_sums(table))
            .where(*_within(table, since, until, span), *where.conditions(table))
            .group_by(table.c.start, "named")
            .order_by(table.c.start, "named")
        )
        if by == "user":
            query = query.select_from(table.outerjoin(api_keys, api_keys.c.id == table.c.key_id))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(Point(int(row[0]), str(row[1]), Sums(*row[2:])) for row in rows)

    async def served(
        self, since: int, until: int, span: Span = "d", where: Where = EVERYTHING
    ) -> tuple[ServedSums, ...]:
        """Return the sums of each span by who served what: prices differ by both."""
        table = _table(where)
        served = table.c.channel_id, table.c.model
        query = (
            select(*served, *_sums(table))
            .where(*_within(table, since, until, span), *where.conditions(table))
            .group_by(table.c.start, *served)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(ServedSums(row[0], row[1], Sums(*row[2:])) for row in rows)

    async def totals(
        self, since: int, until: int, span: Span = "d", where: Where = EVERYTHING
    ) -> Sums:
        """Return the sums of all spans together."""
        table = _table(where)
        query = select(*_sums(table)).where(
            *_within(table, since, until, span), *where.conditions(table)
        )
        async with self._database.read() as connection:
            return Sums(*(await connection.execute(query)).one())

    async def share_continued(
        self, since: int, until: int, where: Where = EVERYTHING, span: Span = "h"
    ) -> float | None:
        """Return which share of the turns that were sent upstream was continued, None for none."""
        sums = usage_reasons.c
        is_sent = (sums.reason != "", *where.conditions(usage_reasons))
        query = select(func.sum(sums.turns), func.sum(sums.continued)).where(
            *_within(usage_reasons, since, until, span), *is_sent
        )
        async with self._database.read() as connection:
            sent, continued = (await connection.execute(query)).one()
        return float(continued / sent) if sent else None


def _table(where: Where) -> Table:
    return usage_reasons if where.reason else usage


def _within(table: Table, since: int, until: int, span: Span) -> tuple[ColumnElement[bool], ...]:
    first = since - since % LENGTHS[span]
    return table.c.span == span, table.c.start >= first, table.c.start < until


def _sums(table: Table) -> list[ColumnElement[Any]]:
    """Return the sums; PostgreSQL adds big integers up to decimals, which are slow to read."""
    columns = (table.c[name] for name in Sums._fields)
    return [cast(func.coalesce(func.sum(column), 0), BigInteger) for column in columns]


def upsert(dialect: Dialect, table: Table = usage, sums: Sequence[str] = Sums._fields) -> str:
    """Return the statement that adds rows of sums to those there are."""
    own = import_module(f"sqlalchemy.dialects.{dialect.name}")  # the other's would be loaded too
    fresh = own.insert(table)
    added = {name: table.c[name] + fresh.excluded[name] for name in sums}
    statement = fresh.on_conflict_do_update(index_elements=list(table.primary_key), set_=added)
    return str(statement.compile(dialect=dialect))


Entry = tuple[int, tuple[str, ...], Sequence[int]]
"""When turns began, whose they are (the columns of `usage_reasons` behind `start`), their sums."""


def how_of(row: TurnRow) -> str:
    """Return why a turn was not continued, else how it went; "" for one that was never sent."""
    return row.reason or row.continuity


def added_up(rows: Iterable[TurnRow]) -> list[tuple[Any, ...]]:
    """Add turns up to rows of `usage_reasons`."""
    return spread((row.started_at, _whose(row), _counts(row)) for row in rows)


def spread(entries: Iterable[Entry]) -> list[tuple[Any, ...]]:
    """Add sums up by hour and day, in one order for all writers: none waits crosswise."""
    sums: dict[tuple[str | int, ...], tuple[int, ...]] = {}
    for began, whose, counts in entries:
        for span, length in LENGTHS.items():
            key = (span, began - began % length, *whose)
            before = sums.get(key)
            sums[key] = tuple(counts) if before is None else tuple(map(add, before, counts))
    return [(*key, *sums[key]) for key in sorted(sums)]


def whole(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Add rows of `usage_reasons`, in their order, up to rows of `usage`, in the same."""
    place = len(usage.primary_key)
    sums: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for row in rows:
        key, counts = row[:place], row[place + 1 :]
        before = sums.get(key)
        sums[key] = counts if before is None else tuple(map(add, before, counts))
    return [(*key, *counts) for key, counts in sums.items()]


def _whose(row: TurnRow) -> tuple[str, ...]:
    """Say whose a turn is. What no channel served may be called anything: it is no model."""
    model = row.model_asked if row.channel_id else ""
    return (row.project_id, row.channel_id, model, row.key_id, row.api, how_of(row))


def _counts(row: TurnRow) -> Sums:
    is_served = row.first_event_ms is not None and not row.error_code
    return Sums(
        1,
        row.continuity == _CONTINUED,
        row.error_code != "",
        row.input_tokens or 0,
        row.cached_tokens or 0,
        row.output_tokens or 0,
        row.cost or 0,
        row.bytes_received if is_served else row.bytes_sent,
        row.bytes_sent,
        row.cost is None and bool(row.input_tokens or row.output_tokens),
    )
