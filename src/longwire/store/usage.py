"""Usage over time: sums of turns by hour and by UTC day, so that no chart reads the turns.

Law: sums are written in the transaction that writes their turns, and outlive them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from operator import add
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Dialect, cast, func, literal, select

from longwire.core.nouns.turn_row import TurnRow
from longwire.store.database import Database
from longwire.store.log_tables import usage

By = Literal["project", "channel", "model", "key", "api", "all"]
Span = Literal["h", "d"]

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
_LENGTHS: Final[dict[Span, int]] = {"h": HOUR, "d": DAY}
_CONTINUED: Final = "continued"
_BY: Final = {
    "project": usage.c.project_id,
    "channel": usage.c.channel_id,
    "model": usage.c.model,
    "key": usage.c.key_id,
    "api": usage.c.api,
}


class Sums(NamedTuple):
    """Turns added up: tokens, cost in billionths of a US dollar, request bodies in bytes.

    `failures` are turns that ended with an error code. Unknown figures count as 0. Of a turn that
    was not served as much counts as received as was sent for it: it saved nothing.
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

    @property
    def bytes_saved(self) -> int:
        """What needed not be sent upstream."""
        return max(0, self.bytes_received - self.bytes_sent)


_SUMMED: Final = tuple(usage.c[name] for name in Sums._fields)


class Point(NamedTuple):
    """One span of a series: its beginning in ms since 1970 UTC, an id, model or API, the sums."""

    start: int
    name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Where:
    """What counts: the projects (None for all), and "" for any channel, model, key and API."""

    project_ids: tuple[str, ...] | None = None
    channel_id: str = ""
    model: str = ""
    key_id: str = ""
    api: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return it in SQL."""
        found: list[ColumnElement[bool]] = []
        if self.project_ids is not None:
            found.append(usage.c.project_id.in_(self.project_ids))
        pairs = (
            (usage.c.channel_id, self.channel_id),
            (usage.c.model, self.model),
            (usage.c.key_id, self.key_id),
            (usage.c.api, self.api),
        )
        return found + [column == value for column, value in pairs if value]


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
        name = _BY.get(by, literal(""))
        query = (
            select(usage.c.start, name.label("name"), *_sums())
            .where(*_within(since, until, span), *where.conditions())
            .group_by(usage.c.start, "name")
            .order_by(usage.c.start, "name")
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(Point(int(row[0]), str(row[1]), Sums(*row[2:])) for row in rows)

    async def served(
        self, since: int, until: int, span: Span = "d", where: Where = EVERYTHING
    ) -> tuple[ServedSums, ...]:
        """Return the sums of each span by who served what: prices differ by both."""
        served = usage.c.channel_id, usage.c.model
        query = (
            select(*served, *_sums())
            .where(*_within(since, until, span), *where.conditions())
            .group_by(usage.c.start, *served)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(ServedSums(row[0], row[1], Sums(*row[2:])) for row in rows)

    async def totals(
        self, since: int, until: int, span: Span = "d", where: Where = EVERYTHING
    ) -> Sums:
        """Return the sums of all spans together."""
        query = select(*_sums()).where(*_within(since, until, span), *where.conditions())
        async with self._database.read() as connection:
            return Sums(*(await connection.execute(query)).one())


def _within(since: int, until: int, span: Span) -> tuple[ColumnElement[bool], ...]:
    first = since - since % _LENGTHS[span]
    return usage.c.span == span, usage.c.start >= first, usage.c.start < until


def _sums() -> list[ColumnElement[Any]]:
    """Return the sums; PostgreSQL adds big integers up to decimals, which are slow to read."""
    return [cast(func.coalesce(func.sum(column), 0), BigInteger) for column in _SUMMED]


def upsert(dialect: Dialect) -> str:
    """Return the statement that adds what `added_up` returns to the sums there are."""
    own = import_module(f"sqlalchemy.dialects.{dialect.name}")  # the other's would be loaded too
    fresh = own.insert(usage)
    sums = {column.name: column + fresh.excluded[column.name] for column in _SUMMED}
    statement = fresh.on_conflict_do_update(index_elements=list(usage.primary_key), set_=sums)
    return str(statement.compile(dialect=dialect))


def added_up(rows: Iterable[TurnRow]) -> list[tuple[Any, ...]]:
    """Add turns up to rows of the table, in one order for all writers: none waits crosswise.

    The migration that brought the API into the key adds up the turns before it in the same way.
    """
    sums: dict[tuple[str | int, ...], tuple[int, ...]] = {}
    for row in rows:
        counts = _counts(row)
        # What no channel served may be called anything: it is no model, and makes no row.
        model = row.model_asked if row.channel_id else ""
        for span, length in _LENGTHS.items():
            start = row.started_at - row.started_at % length
            key = (span, start, row.project_id, row.channel_id, model, row.key_id, row.api)
            before = sums.get(key)
            sums[key] = counts if before is None else tuple(map(add, before, counts))
    return [(*key, *sums[key]) for key in sorted(sums)]


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
    )
