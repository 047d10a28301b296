"""Sessions and traces: sums of the turns of each, so that no list of them reads the turns.

Laws: sums are written in the transaction that writes their turns, whichever node writes them. A
trace is added up over all keys of its project, and for each key besides: who sees some keys alone
gets the sums of those, never of the whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from operator import add
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    Row,
    case,
    func,
    literal_column,
    select,
    tuple_,
)

from longwire.core.errors import NotFound
from longwire.core.nouns.page import Page
from longwire.core.nouns.run import Kind, Run, RunSums, run_id
from longwire.core.nouns.turn_row import TurnRow
from longwire.store.database import Database
from longwire.store.log_tables import runs
from longwire.store.paging import Order, Window

_CONTINUED: Final = "continued"
_PART: Final = "part"
"""The kind of a row with the turns that one key has in a trace."""
_LONGEST_LIST: Final = 2_000
"""Letters of a list of models or channels from which on none is added to it."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs: "" is any; their last turn ended `since` and before `until`, in ms since 1970.

    `project_ids` and `key_ids` are those that may be seen, None for all; `only` and `but` are ids
    of runs.
    """

    project_ids: tuple[str, ...] | None = None
    key_ids: tuple[str, ...] | None = None
    key_id: str = ""
    model: str = ""
    channel_id: str = ""
    name: str = ""
    since: int | None = None
    until: int | None = None
    only: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()

    def conditions(self, *, is_sqlite: bool) -> list[ColumnElement[bool]]:
        """Return it in SQL; on SQLite, which has no figures of them, by the first one's index."""
        found: list[ColumnElement[bool]] = []
        for column, values in self._columns():
            is_indexed = not is_sqlite or (not found and len(values) == 1)
            place = column if is_indexed else column + ""
            found.append(place == values[0] if len(values) == 1 else place.in_(values))
        has = func.instr if is_sqlite else func.strpos
        lists = ((runs.c.models, self.model), (runs.c.channels, self.channel_id))
        found += [has(column, _entry(value)) > 0 for column, value in lists if value]
        if self.since is not None:
            found.append(runs.c.last_at >= self.since)
        if self.until is not None:
            found.append(runs.c.last_at < self.until)
        if self.only is not None:
            found.append(runs.c.id.in_(self.only))
        return [*found, runs.c.id.not_in(self.but)] if self.but else found

    def _columns(self) -> Iterator[tuple[Column[str], tuple[str, ...]]]:
        """Yield what is compared as it stands, the most selective column first."""
        if self.name:
            yield runs.c.name, (self.name,)
        if self.key_id:
            yield runs.c.key_id, (self.key_id,)
        if self.key_ids is not None:
            yield runs.c.key_id, self.key_ids
        if self.project_ids is not None:
            yield runs.c.project_id, self.project_ids


ANY_RUN: Final = RunFilter()
_SUMMED: Final = tuple(runs.c[name] for name in RunSums._fields)
_LAST_FIRST: Final = Order((runs.c.last_at, runs.c.id), is_descending=True)


class Runs:
    """The sessions and traces of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, kind: Kind, wanted: RunFilter = ANY_RUN, first: int = 50, after: str | None = None
    ) -> Page[Run]:
        """Return runs that match, those with the latest turns first.

        Raises `InvalidFields` for a cursor that is none, or a size that no page has.
        """
        is_sqlite = self._database.is_sqlite
        stored = _stored(kind, wanted)
        # To look through all lists is five times as fast in the order of the table as in that of
        # an index, which leads to each row by itself.
        reads_all = is_sqlite and bool(wanted.model or wanted.channel_id)
        place = runs.c.kind + "" if reads_all else runs.c.kind
        conditions = wanted.conditions(is_sqlite=is_sqlite)
        query = select(runs).where(place == stored, *conditions)
        if stored == _PART:
            query = query.where(_is_last_of(wanted.key_ids or ()))
        page = await _LAST_FIRST.read(self._database, query, Window(first, after), _run)
        if stored != _PART:
            return page
        whole = await self._added_up(page.items, wanted.key_ids or ())
        return replace(page, edges=tuple((at, whole.get(run.id, run)) for at, run in page.edges))

    async def _added_up(self, found: Sequence[Run], key_ids: tuple[str, ...]) -> dict[str, Run]:
        """Return traces by id, each with the sums of all its parts of these keys."""
        ids = [run.id for run in found]
        query = select(runs).where(runs.c.id.in_(ids), runs.c.part.in_(key_ids))
        whole: dict[str, Run] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(query.order_by(runs.c.last_at, runs.c.part)):
                part = _run(row)
                earlier = whole.get(part.id)
                whole[part.id] = part if earlier is None else earlier.plus(part)
        return whole

    async def get(self, kind: Kind, which: str, seen: RunFilter = ANY_RUN) -> Run:
        """Return the run of an id, or the latest one of a name, in the projects and keys seen.

        Raises `NotFound`.
        """
        stored = _stored(kind, seen)
        for column in (runs.c.id, runs.c.name):
            query = select(runs).where(runs.c.kind == stored, column == which)
            # What is seen must not be the index that it is found by.
            if seen.project_ids is not None:
                query = query.where((runs.c.project_id + "").in_(seen.project_ids))
            if seen.key_ids is not None:
                query = query.where((runs.c.key_id + "").in_(seen.key_ids))
            async with self._database.read() as connection:
                found = await connection.execute(query.order_by(runs.c.last_at.desc()).limit(1))
                row = found.first()
            if row is not None:
                run = _run(row)
                is_part = stored == _PART
                whole = await self._added_up([run], seen.key_ids or ()) if is_part else {}
                return whole.get(run.id, run)
        raise NotFound(kind, which)


def _stored(kind: Kind, seen: RunFilter) -> str:
    """Return the kind of the rows to read: of a trace the parts, where some keys alone are seen."""
    return _PART if kind == "trace" and seen.key_ids is not None else kind


def _is_last_of(key_ids: tuple[str, ...]) -> ColumnElement[bool]:
    """Return whether a part is the last one of its trace, of the parts of these keys."""
    other = runs.alias("other")
    is_later = tuple_(other.c.last_at, other.c.part) > tuple_(runs.c.last_at, runs.c.part)
    query = select(other.c.id).where(other.c.id == runs.c.id, other.c.part.in_(key_ids), is_later)
    return ~query.exists()


def add_to_runs(dialect: Dialect) -> str:
    """Return the statement that adds what `rows_of_runs` returns to the runs there are."""
    own = import_module(f"sqlalchemy.dialects.{dialect.name}")  # the other's would be loaded too
    fresh = own.insert(runs)
    newer = fresh.excluded
    changes: dict[str, Any] = {
        **{column.name: column + newer[column.name] for column in _SUMMED},
        **{name: literal_column(_joined(name)) for name in ("models", "channels")},
        "first_at": case((newer.first_at < runs.c.first_at, newer.first_at), else_=runs.c.first_at),
        "last_at": case((newer.last_at > runs.c.last_at, newer.last_at), else_=runs.c.last_at),
        "key_id": newer.key_id,
        "key_name": newer.key_name,
    }
    statement = fresh.on_conflict_do_update(index_elements=list(runs.primary_key), set_=changes)
    return str(statement.compile(dialect=dialect))


def _joined(name: str) -> str:
    r"""Return the SQL that puts one more entry to a list, as "\na\nb\n", unless it is there."""
    held, newer = f"runs.{name}", f"excluded.{name}"
    return (
        f"CASE WHEN {newer} = '' OR length({held}) > {_LONGEST_LIST} "
        f"OR replace({held}, {newer}, '') <> {held} THEN {held} "
        f"WHEN {held} = '' THEN {newer} ELSE {held} || substr({newer}, 2) END"
    )


def rows_of_runs(rows: Iterable[TurnRow]) -> list[tuple[Any, ...]]:
    """Add turns up to rows of the table, in one order for all writers: none waits crosswise.

    A row has one model and one channel at most, so that the lists grow by one entry at a time.
    """
    found: dict[tuple[str, ...], _Added] = {}
    for row in rows:
        model = row.model_asked if row.channel_id else ""
        for kind, name in (("session", row.session), ("trace", row.trace), (_PART, row.trace)):
            if not name:
                continue
            key = "" if kind == "trace" else row.key_id
            place = (kind, row.project_id, key, name, row.channel_id, model)
            before = found.get(place)
            added = _Added(row, row.started_at, row.started_at + row.total_ms, _counts(row))
            found[place] = added if before is None else before.plus(added)
    return sorted(_values(place, added) for place, added in found.items())


class _Added(NamedTuple):
    """Turns of one run at one channel by one model, with the last one of them."""

    row: TurnRow
    first_at: int
    last_at: int
    sums: RunSums

    def plus(self, other: "_Added") -> "_Added":
        return _Added(
            other.row if other.last_at >= self.last_at else self.row,
            min(self.first_at, other.first_at),
            max(self.last_at, other.last_at),
            RunSums(*map(add, self.sums, other.sums)),
        )


def _values(place: tuple[str, ...], added: _Added) -> tuple[Any, ...]:
    kind, project, key, name, channel, model = place
    is_session = kind == "session"
    return (
        run_id("session", name, project, key) if is_session else run_id("trace", name, project),
        key if kind == _PART else "",
        kind,
        name,
        project,
        added.row.key_id,
        added.row.key_name,
        added.first_at,
        added.last_at,
        _entry(model),
        _entry(channel),
        *added.sums,
    )


def _counts(row: TurnRow) -> RunSums:
    return RunSums(
        1,
        row.continuity == _CONTINUED,
        row.error_code != "",
        row.bytes_received,
        row.bytes_sent,
        row.input_tokens or 0,
        row.cached_tokens or 0,
        row.output_tokens or 0,
        row.cost or 0,
    )


def _entry(text: str) -> str:
    return f"\n{text}\n" if text else ""


def _entries(text: str) -> tuple[str, ...]:
    return tuple(text.strip("\n").split("\n")) if text else ()


def _run(row: Row[Any]) -> Run:
    sums: Sequence[int] = [getattr(row, name) for name in RunSums._fields]
    return Run(
        row.id,
        "trace" if row.kind == _PART else row.kind,
        row.name,
        row.project_id,
        row.key_id,
        row.key_name,
        row.first_at,
        row.last_at,
        _entries(row.models),
        _entries(row.channels),
        RunSums(*sums),
    )
