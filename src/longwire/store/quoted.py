"""What somebody quotes of a turn, found in the log: its id, or that of request, response or run.

Law: each look is a range of one index. A beginning is enough where it is long enough to mean
something; no text is looked for in the middle of another.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    Text,
    UnaryExpression,
    literal,
    literal_column,
    select,
    true,
    union_all,
    values,
)
from sqlalchemy.sql.operators import custom_op

from longwire.core.nouns.access import GREATEST
from longwire.core.nouns.turn_row import LONGEST_NAME, TurnId, TurnRow
from longwire.dialects.response_ids import kept_ids
from longwire.store.database import Database
from longwire.store.log_tables import turns

SHORTEST_BEGINNING: Final = 6
MOST_FOUND: Final = 20
"""So many turns are found by one text, the newest, and so many values by one beginning."""

_MOST_LOOKED_AT: Final = 2_000
"""So many values by one beginning where others' are among them."""

_NAMED: Final = ("request_id", "response_id", "session", "trace")
_ID: Final = re.compile("[0-9]{1,19}")
_MARKED: Final = re.compile("[A-Za-z0-9][A-Za-z0-9_.:-]{5,}")
_MOST_MARKED: Final = 6
_AROUND: Final = " \t\r\n\"'`,;()<>"


class Seen(NamedTuple):
    """The ids of the projects and of the keys whose turns somebody sees, None for all."""

    project_ids: Sequence[str] | None = None
    key_ids: Sequence[str] | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there can be no turn among them."""
        return any(ids is not None and not ids for ids in self)

    def of(self, table: FromClause) -> list[ColumnElement[bool]]:
        """Return what a row of the log fulfils where it is seen."""
        pairs = ((table.c.project_id, self.project_ids), (table.c.key_id, self.key_ids))
        return [column.in_(ids) for column, ids in pairs if ids is not None]


ALL: Final = Seen()


class Quote(NamedTuple):
    """A value of a column that names turns."""

    column: str
    value: str


class QuotedTurn(NamedTuple):
    """A turn, and the column that named it."""

    by: str
    row: TurnRow


async def find(database: Database, text: str, seen: Seen) -> tuple[QuotedTurn, ...]:
    """Return the newest turns that a text names; see `Turns.find`."""
    words = words_of(text)
    if seen.is_nothing:
        return ()
    found = await _turns(database, [quote for word in words for quote in quotes_of(word)], seen)
    if found:
        return found
    beginnings = [quote for word in words for quote in beginnings_of(word)]
    return await _turns(database, await _values(database, beginnings, seen), seen)


async def _turns(database: Database, quotes: Sequence[Quote], seen: Seen) -> tuple[QuotedTurn, ...]:
    ids = [int(quote.value) for quote in quotes if quote.column == "id"]
    named = [quote for quote in quotes if quote.column != "id"]
    async with database.read() as connection:
        if named:
            ids += await connection.scalars(ids_query(named, seen, is_sqlite=database.is_sqlite))
        if not ids:
            return ()
        found = await connection.execute(
            select(turns)
            .where(turns.c.id.in_(ids), *seen.of(turns))
            .order_by(turns.c.id.desc())
            .limit(MOST_FOUND)
        )
        rows = [TurnRow(*row) for row in found]
    return tuple(by(rows, quotes))


async def _values(database: Database, beginnings: Sequence[Quote], seen: Seen) -> list[Quote]:
    if not beginnings:
        return []
    async with database.read() as connection:
        found = await connection.execute(
            values_query(beginnings, seen, is_sqlite=database.is_sqlite)
        )
        return [Quote(str(column), str(value)) for column, value in found]


def words_of(text: str) -> tuple[str, ...]:
    """Return what may be an id in a text: all of it, and in a longer one what looks like one."""
    whole = text.strip(_AROUND)[:LONGEST_NAME].replace("\0", "")
    marked = [word for word in _MARKED.findall(text) if re.search("[0-9]", word)]
    words = dict.fromkeys((whole, *marked[:_MOST_MARKED]))
    return tuple(word for word in words if word)


def quotes_of(word: str) -> Iterator[Quote]:
    """Yield what a word names where it is the whole of an id."""
    if _ID.fullmatch(word) and int(word) <= GREATEST:
        yield Quote("id", word)
    for column in _NAMED:
        for value in kept_ids(word) if column == "response_id" else (word,):
            yield Quote(column, value)


def beginnings_of(word: str) -> Iterator[Quote]:
    """Yield what a word begins; a short one, or one that no id is made of, begins nothing."""
    if len(word) >= SHORTEST_BEGINNING and word.isascii() and word.isprintable():
        yield from (quote for quote in quotes_of(word) if quote.column != "id")


def by(rows: Sequence[TurnRow], quotes: Sequence[Quote]) -> Iterator[QuotedTurn]:
    """Say of each row which quote named it."""
    named = dict.fromkeys(quotes)
    for row in rows:
        for column in ("id", *_NAMED):
            if Quote(column, str(getattr(row, column))) in named:
                yield QuotedTurn(column, row)
                break


def ids_query(
    quotes: Sequence[Quote], seen: Seen = ALL, *, is_sqlite: bool
) -> Select[tuple[TurnId]]:
    """Return the query of the newest turns' ids that some names have, among those that are seen.

    Their rows are another query: PostgreSQL plans a look at each day for each column named here,
    which takes longer than the looks, and would choose among all days again.
    """
    pages = _pages(quotes, seen) if is_sqlite else _pages_by_column(quotes, seen)
    found = union_all(*pages).subquery()
    return select(found.c.id).distinct().order_by(found.c.id.desc()).limit(MOST_FOUND)


def _pages(quotes: Sequence[Quote], seen: Seen) -> Iterator[Select[tuple[TurnId]]]:
    for column, value in quotes:
        yield select(_newest(turns.c[column] == value, column, seen).subquery().c.id)


def _pages_by_column(quotes: Sequence[Quote], seen: Seen) -> Iterator[Select[tuple[TurnId]]]:
    """Yield one query a column: PostgreSQL plans it once for all of the column's names."""
    for column, its in groupby(sorted(quotes), lambda quote: quote.column):
        names = values(literal_column("value", Text), name=f"{column}_names")
        names = names.data([(quote.value,) for quote in its])
        page = _newest(turns.c[column] == names.c.value, column, seen).lateral(f"{column}_page")
        yield select(page.c.id).select_from(names.join(page, true()))


def _newest(is_it: ColumnElement[bool], column: str, seen: Seen) -> Select[tuple[TurnId]]:
    filled = turns.c[column] != literal_column("''")  # SQLite's indexes leave the empty out
    of_it = select(turns.c.id).where(is_it, filled, *seen.of(turns))
    return of_it.order_by(turns.c.id.desc()).limit(MOST_FOUND)


def values_query(
    beginnings: Sequence[Quote], seen: Seen = ALL, *, is_sqlite: bool
) -> CompoundSelect[Any]:
    """Return the query of the first values that begin so, with their columns.

    Where not all turns are seen, more values are looked at, for those that have one that is.
    """
    each = [
        _values_of(quote, f"found_{number}", seen, is_sqlite=is_sqlite)
        for number, quote in enumerate(beginnings)
    ]
    return union_all(*each)


def _values_of(beginning: Quote, name: str, seen: Seen, *, is_sqlite: bool) -> Select[Any]:
    """Find each value once, by one look at the index: it goes on behind the one before.

    PostgreSQL's indexes of these columns compare bytes, as SQLite does, whatever its language.
    """
    column, first = turns.c[beginning.column], beginning.value
    most = MOST_FOUND if seen == ALL else _MOST_LOOKED_AT
    end = first[:-1] + chr(ord(first[-1]) + 1)
    at_least, above, below = (">=", ">", "<") if is_sqlite else ("~>=~", "~>~", "~<~")
    order = column if is_sqlite else UnaryExpression(column, modifier=custom_op("USING ~<~"))

    def next_value(bound: ColumnElement[bool], *of: CTE) -> ScalarSelect[Any]:
        within = (bound, column.bool_op(below)(end), column != literal_column("''"))
        query = select(column).where(*within).order_by(order).limit(1)
        return query.correlate(*of).scalar_subquery()

    start = select(
        next_value(column.bool_op(at_least)(first)).label("value"),
        literal(1, Integer).label("number"),
    )
    found = start.cte(name, recursive=True)
    further = select(
        next_value(column.bool_op(above)(found.c.value), found), found.c.number + 1
    ).where(found.c.value.is_not(None), found.c.number < most)
    found = found.union_all(further)
    named: ColumnElement[str] = literal_column(f"'{beginning.column}'")  # one of ours
    of_it = select(named.label("name"), found.c.value).where(found.c.value.is_not(None))
    if seen == ALL:
        return of_it
    own = turns.alias(f"of_{name}")
    is_seen = select(own.c.id).where(own.c[beginning.column] == found.c.value, *seen.of(own))
    few = of_it.where(is_seen.correlate(found).exists()).limit(MOST_FOUND).subquery()
    return select(few)
