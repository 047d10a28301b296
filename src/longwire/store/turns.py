"""The turn log: rows by filter, newest first, and what some of them have beside.

Law: a page is found by one index, whichever filter is set; a row and its sums are one transaction.
"""

import time
from asyncio import to_thread
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    exists,
    func,
    insert,
    select,
    union_all,
)

from longwire.core.errors import NotFound
from longwire.core.nouns.page import Page
from longwire.core.nouns.run import Run
from longwire.core.nouns.turn_row import (
    ID_BITS,
    TurnBodies,
    TurnDetails,
    TurnId,
    TurnRow,
    earliest_id,
)
from longwire.store.beside_turns import BesideTurns, details_of
from longwire.store.database import Database
from longwire.store.latencies import add_to_latencies, buckets_of, measured
from longwire.store.log_tables import turn_bodies, turn_details, turns, usage_reasons
from longwire.store.paging import Window
from longwire.store.quoted import ALL, QuotedTurn, Seen, find
from longwire.store.runs import add_to_runs, rows_of_runs
from longwire.store.secrets import Vault
from longwire.store.sqlite_writer import Statement
from longwire.store.turn_filter import ANY_TURN, TurnFilter, bounded, conditions, cursor, times
from longwire.store.usage import DAY, added_up, upsert, whole

_MOST_MERGED: Final = 50
"""So many projects are looked up each by its own index; for more, one that is rare is unlikely."""

_MOST_COUNTED: Final = 20_000
_MOST_LOOKED_AT: Final = 2_000
"""Of so many turns, the newest, figures are counted; among so many one that was served is found."""


class ErrorCount(NamedTuple):
    """How many turns ended with an error code, and when the last of them did, in ms since 1970."""

    code: str
    turns: int
    last: int


class Turns:
    """The turn log of one database."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Callable[[], float] = time.time,
        *,
        indexes_bodies: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        # Rows are tuples in the order of the columns: with statements that are spelt once they go
        # to the driver as they are, which is most of what writing them would cost.
        dialect = database.engine.dialect
        self._insert = str(insert(turns).compile(dialect=dialect))
        self._beside = BesideTurns(vault, dialect, indexes_bodies=indexes_bodies)
        self._upsert = upsert(dialect)
        self._add_to_runs = add_to_runs(dialect)
        self._upsert_reasons = upsert(dialect, usage_reasons)
        self._add_to_latencies = add_to_latencies(dialect)

    async def page(
        self, wanted: TurnFilter = ANY_TURN, first: int = 50, after: str | None = None
    ) -> Page[TurnRow]:
        """Return turns that match, newest first, from behind the cursor `after`.

        Raises `InvalidFields` for a cursor that is none, or a size that no page has.
        """
        Window(first, after)
        before = None if after is None else cursor(after)
        bounds = [] if before is None else [turns.c.id < before]
        if wanted.is_blind:
            return Page(())
        found: tuple[TurnRow, ...] = ()
        for since in self._beginnings(before, wanted):
            found = await self._rows(self._page(wanted, [*bounds, *since], first + 1))
            if len(found) > first:
                break
        edges = tuple((str(row.id), row) for row in found[:first])
        return Page(edges, has_more=len(found) > first)

    async def of_run(
        self,
        run: Run,
        first: int,
        after: str | None = None,
        key_ids: tuple[str, ...] | None = None,
    ) -> Page[TurnRow]:
        """Return the turns of a session or a trace, newest first, or of some keys: see `page`."""
        is_session = run.kind == "session"
        wanted = TurnFilter(
            project_ids=(run.project_id,),
            key_id=run.key_id if is_session else "",
            session=run.name if is_session else "",
            trace="" if is_session else run.name,
            since=run.first_at,
            until=run.last_at + 1,
            key_ids=key_ids,
        )
        return await self.page(wanted, first, after)

    async def newer(
        self, than: int, wanted: TurnFilter = ANY_TURN, first: int = 500
    ) -> tuple[TurnRow, ...]:
        """Return the first turns that match and have a greater id, oldest first."""
        query = select(turns).where(turns.c.id > than, *times(wanted))
        query = query.where(*conditions(wanted.values(), is_sqlite=self._database.is_sqlite))
        for column, values in (("project_id", wanted.project_ids), ("key_id", wanted.key_ids)):
            if values is not None:
                query = query.where(turns.c[column].in_(values))
        return await self._rows(query.order_by(turns.c.id).limit(first))

    async def first_events(self, wanted: TurnFilter) -> tuple[int, ...]:
        """Return how many ms the newest turns that match took to their first event, sorted."""
        if wanted.is_blind:
            return ()
        query = self._page(wanted, [turns.c.first_event_ms.is_not(None)], _MOST_COUNTED)
        column = query.with_only_columns(turns.c.first_event_ms)
        async with self._database.read() as connection:
            return tuple(sorted((await connection.execute(column)).scalars()))

    async def last_served(self, channel_id: str) -> int | None:
        """Return when a turn of a channel ended last that was served, in ms since 1970 UTC.

        None where there is none among its newest ones.
        """
        newest = self._page(TurnFilter(channel_id=channel_id), (), _MOST_LOOKED_AT).subquery()
        query = select(func.max(newest.c.id)).where(
            newest.c.error_code == "", newest.c.first_event_ms.is_not(None)
        )
        async with self._database.read() as connection:
            turn_id = await connection.scalar(query)
        return None if turn_id is None else turn_id >> ID_BITS

    async def errors(self, wanted: TurnFilter) -> tuple[ErrorCount, ...]:
        """Count the error codes among the newest turns that match, the most frequent first."""
        if wanted.is_blind:
            return ()
        newest = self._page(wanted, (), _MOST_COUNTED).subquery().c
        query = (
            select(newest.error_code, func.count().label("turns"), func.max(newest.id))
            .where(newest.error_code != "")
            .group_by(newest.error_code)
            .order_by(func.count().desc(), newest.error_code)
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return tuple(ErrorCount(code, turns, last >> ID_BITS) for code, turns, last in found)

    async def get(self, turn_id: TurnId) -> TurnRow:
        """Return one turn. Raises `NotFound`."""
        for row in await self._rows(select(turns).where(turns.c.id == bounded(turn_id))):
            return row
        raise NotFound("turn", str(turn_id))

    async def find(self, text: str, seen: Seen = ALL) -> tuple[QuotedTurn, ...]:
        """Return the newest turns that a text names, by any id that a client or a log may quote.

        It may be a turn's id, that of its request, its response (as its client got it), its session
        or its trace; a longer text, as an error, has it somewhere. Where it is no whole id, turns
        are found whose id begins so, among those that are `seen`.
        """
        return await find(self._database, text, seen)

    async def previous(self, turn_id: TurnId) -> TurnRow | None:
        """Return the turn before one in its session of which bodies are kept, of the day before it.

        Raises `NotFound` where the turn itself is not there.
        """
        row = await self.get(turn_id)
        if not row.session:
            return None
        query = (
            select(turns)
            .where(
                turns.c.session == row.session,
                turns.c.key_id == row.key_id,
                turns.c.project_id == row.project_id,
                turns.c.id < row.id,
                turns.c.id > row.id - (DAY << ID_BITS),
                exists().where(turn_bodies.c.id == turns.c.id),
            )
            .order_by(turns.c.id.desc())
            .limit(1)
        )
        return next(iter(await self._rows(query)), None)

    async def has(self, row: TurnRow) -> bool:
        """Whether this very row is there, and not another turn's by the same id."""
        query = select(turns).where(turns.c.id == row.id)
        return row in await self._rows(query)

    async def bodies(self, turn_id: TurnId) -> TurnBodies | None:
        """Return what a turn's key had kept of it, or None."""
        query = select(turn_bodies).where(turn_bodies.c.id == bounded(turn_id))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return await to_thread(self._beside.opened, turn_id, row.request, row.response)

    async def details(self, turn_ids: Sequence[TurnId]) -> dict[TurnId, TurnDetails]:
        """Return what is told of some turns; of those that simply succeeded there is nothing."""
        query = select(turn_details).where(turn_details.c.id.in_(map(bounded, turn_ids)))
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return {row.id: details_of(row.id, row.told) for row in found}

    async def add(
        self, rows: Sequence[TurnRow], beside: Sequence[TurnBodies | TurnDetails] = ()
    ) -> None:
        """Write rows with their sums and what they have beside, all or nothing.

        Raises `IntegrityError` where an id is taken, and `StoreUnavailable`.
        """
        if not rows:
            return
        sums = added_up(rows)
        statements: list[Statement] = [
            (self._insert, list(rows)),
            (self._upsert, whole(sums)),
            (self._upsert_reasons, sums),
            (self._add_to_runs, rows_of_runs(rows)),
            (self._add_to_latencies, buckets_of(measured(rows))),
        ]
        if beside:
            statements += await to_thread(self._beside.statements, beside)
        writer = self._database.writer
        if writer is not None:
            await to_thread(writer.write, statements)
            return
        async with self._database.write() as connection:
            for statement, values in statements:
                if values:
                    await connection.exec_driver_sql(statement, values)

    async def _rows(self, query: Select[Any]) -> tuple[TurnRow, ...]:
        async with self._database.read() as connection:
            return tuple(TurnRow(*row) for row in await connection.execute(query))

    def _page(
        self, wanted: TurnFilter, bounds: Sequence[ColumnElement[bool]], most: int
    ) -> Select[Any]:
        """Return the query of a page; that of several projects or keys merges those of each."""
        (column, seen), newest = wanted.seen, turns.c.id.desc()
        is_sqlite = self._database.is_sqlite
        bounds = [*bounds, *times(wanted)]
        if wanted.key_ids is not None and wanted.project_ids is not None:
            bounds.append(turns.c.project_id.in_(wanted.project_ids))

        def page(of: Select[Any], **bound: str) -> Select[Any]:
            found = of.where(*bounds, *conditions(wanted.values(**bound), is_sqlite=is_sqlite))
            return found.order_by(newest).limit(most)

        if seen is None:
            return page(select(turns))
        if len(seen) == 1:
            return page(select(turns), **{column: seen[0]})
        if len(seen) > _MOST_MERGED:
            return page(select(turns).where(turns.c[column].in_(seen)))
        pages = (page(select(turns.c.id), **{column: each}).subquery() for each in seen)
        merged = union_all(*(select(each.c.id) for each in pages))
        return select(turns).where(turns.c.id.in_(merged)).order_by(newest).limit(most)

    def _beginnings(
        self, before: int | None, wanted: TurnFilter
    ) -> Iterator[tuple[ColumnElement[bool], ...]]:
        """Yield where to look for a page, until it is full: on PostgreSQL first in a day of it.

        A query of the whole log locks each of its partitions with all their indexes: some hundred
        of the 6,400 locks that a server has by default.
        """
        if not self._database.is_sqlite:
            end = round(self._clock() * 1000) if before is None else before >> ID_BITS
            if wanted.until is not None:
                end = min(end, wanted.until)
            yield (turns.c.id >= bounded(earliest_id(max(0, end - DAY))),)
        yield ()
