"""The words of kept bodies, in clear, to find turns by: FTS5 on SQLite, a `tsvector` elsewhere.

Law: nothing is written unless the operator allows it, and nothing stays where they no longer do.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    TextClause,
    column,
    delete,
    func,
    select,
    table,
    text,
)

from longwire.core.nouns.access import GREATEST
from longwire.core.nouns.page import Page
from longwire.core.nouns.turn_row import TurnBodies, TurnRow, earliest_id
from longwire.core.rules.words import (
    Phrase,
    is_letter,
    lowered,
    phrases,
    plain,
    snippet,
    words,
)
from longwire.dialects.body_text import body_text
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.log_tables import turns
from longwire.store.paging import Window
from longwire.store.sqlite_writer import Statement
from longwire.store.turn_filter import TurnFilter, bounded, cursor

_APART: Final = "\N{ZERO WIDTH SPACE}"
_LONGEST_WORD: Final = 100
_LAST_POSITION: Final = 16_383
_AT_ONCE: Final = 1_000
_WALKED: Final = 2_000
_INSERT_SQLITE: Final = "INSERT INTO bodies_index (rowid, text) VALUES (?, ?)"
_INSERT: Final = (
    "INSERT INTO bodies_index (id, text, words) VALUES ($1, $2, CAST(CAST($3 AS TEXT) AS TSVECTOR))"
)
_SQLITE: Final = table("bodies_index", column("rowid", BigInteger), column("text"))
_POSTGRESQL: Final = table("bodies_index", column("id", BigInteger), column("text"))


class FoundBody(NamedTuple):
    """A turn whose bodies have what was looked for, and the words around it in pieces."""

    row: TurnRow
    pieces: list[tuple[str, bool]]


class BodySearch:
    """The index of one database; `is_allowed` by its operator."""

    def __init__(self, database: Database, *, is_allowed: bool) -> None:
        self.is_allowed = is_allowed
        self._database = database
        of = _SQLITE if database.is_sqlite else _POSTGRESQL
        self._text = of.c.text
        self._id = of.c.rowid if database.is_sqlite else of.c.id
        self._of = of

    async def page(
        self, search: str, wanted: TurnFilter, first: int = 50, after: str | None = None
    ) -> Page[FoundBody]:
        """Return turns that match and whose bodies have all that is searched, newest first.

        Raises `InvalidFields` for a cursor that is none, or a size that no page has.
        """
        Window(first, after)
        before = None if after is None else cursor(after)
        looked_for = phrases(plain(search))
        if not looked_for or wanted.project_ids == ():
            return Page(())
        query = self._query(looked_for, wanted, before).limit(first + 1)
        async with self._database.read() as connection:
            if self._database.is_sqlite:
                found = (await connection.execute(query)).all()
            else:
                found = await self._walked(connection, query, before)
                if len(found) <= first:
                    found = await self._searched(connection, query, wanted, looked_for)
        edges = tuple((str(row.id), _found(row, looked_for)) for row in found[:first])
        return Page(edges, has_more=len(found) > first)

    async def delete_before(self, end: int) -> None:
        """Delete the words of all turns with ids before `end`, some at a time."""
        chunk = select(self._id).where(self._id < end).order_by(self._id).limit(_AT_ONCE)
        number = _AT_ONCE
        while number == _AT_ONCE:
            async with self._database.write() as connection:
                ids = (await connection.scalars(chunk)).all()
                number = len(ids)
                if ids:
                    await connection.execute(delete(self._of).where(self._id <= ids[-1]))

    async def forget(self) -> None:
        """Delete all words, where none may be kept."""
        if not self.is_allowed:
            await self.delete_before(GREATEST)

    async def _walked(
        self, connection: AsyncConnection, query: Select[Any], before: int | None
    ) -> Sequence[Row[Any]]:
        """Return what is among the newest bodies: for words of many turns that is enough."""
        newest = select(self._id).order_by(self._id.desc()).limit(1).offset(_WALKED)
        if before is not None:
            newest = newest.where(self._id < before)
        floor = await connection.scalar(newest) or 0
        query = query.where(self._id >= floor, turns.c.id >= floor)
        found: Sequence[Row[Any]] = (await connection.execute(query)).all()
        return found

    async def _searched(
        self,
        connection: AsyncConnection,
        query: Select[Any],
        wanted: TurnFilter,
        looked_for: Sequence[Phrase],
    ) -> Sequence[Row[Any]]:
        """Return what is among all bodies: those of the turns that are wanted, where these are few.

        Few is what the column finds that its law puts first.
        """
        columns = [(name, (value,)) for name, value in wanted.values().items()]
        name, values = [*columns, wanted.seen][0]
        if values is not None:
            turns_wanted = select(turns.c.id).where(turns.c[name].in_(values)).limit(_WALKED + 1)
            ids = (await connection.scalars(turns_wanted)).all()
            if len(ids) <= _WALKED:
                found: Sequence[Row[Any]] = (
                    await connection.execute(query.where(self._id.in_(ids), turns.c.id.in_(ids)))
                ).all()
                return found
        return await self._looked_up(connection, query, looked_for)

    async def _looked_up(
        self, connection: AsyncConnection, query: Select[Any], looked_for: Sequence[Phrase]
    ) -> Sequence[Row[Any]]:
        """Return what the index of words finds: PostgreSQL does not know how rare they are.

        Days of the log without any bodies are not looked at, nor locked.
        """
        oldest = await connection.scalar(select(func.min(self._id)))
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        hits = select(self._id).where(self._matching(looked_for))
        found = hits.cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
        bounded_query = query.where(self._id.in_(select(found.c.id)), turns.c.id >= (oldest or 0))
        rows: Sequence[Row[Any]] = (await connection.execute(bounded_query)).all()
        return rows

    def _matching(self, looked_for: Sequence[Phrase]) -> TextClause:
        if self._database.is_sqlite:
            return text("bodies_index MATCH :search").bindparams(search=_match(looked_for))
        match = text("bodies_index.words @@ CAST(CAST(:search AS TEXT) AS TSQUERY)")
        return match.bindparams(search=_tsquery(looked_for))

    def _query(
        self, looked_for: Sequence[Phrase], wanted: TurnFilter, before: int | None
    ) -> Select[Any]:
        query = select(turns, self._text.label("found_text")).join_from(
            self._of, turns, turns.c.id == self._id
        )
        query = query.where(self._matching(looked_for), *self._conditions(wanted))
        if before is not None:
            query = query.where(self._id < before)
        return query.order_by(self._id.desc())

    def _conditions(self, wanted: TurnFilter) -> Iterator[ColumnElement[bool]]:
        """Compare columns by no index of theirs: turns are found by their words already."""
        for name, value in (
            wanted.values() | ({"node": wanted.node} if wanted.node else {})
        ).items():
            yield turns.c[name] + "" == value
        if wanted.project_ids is not None:
            yield (turns.c.project_id + "").in_(wanted.project_ids)
        if wanted.key_ids is not None:
            yield (turns.c.key_id + "").in_(wanted.key_ids)
        if wanted.connection is not None:
            yield turns.c.connection == wanted.connection
        if wanted.has_failed:
            yield turns.c.error_code + "" != ""
        if wanted.since is not None:
            yield self._id >= bounded(earliest_id(wanted.since))
        if wanted.until is not None:
            yield self._id < bounded(earliest_id(wanted.until))


def words_written(kept: Sequence[TurnBodies], *, is_sqlite: bool) -> Statement:
    """Return the statement that writes the words of bodies."""
    texts = [(each.id, plain(body_text(each.request, each.response))) for each in kept]
    if is_sqlite:
        return _INSERT_SQLITE, [(number, _spaced(said)) for number, said in texts]
    return _INSERT, [(number, said, _vector(said)) for number, said in texts]


def _found(row: Any, looked_for: Sequence[Phrase]) -> FoundBody:  # noqa: ANN401 - a row
    said = row.found_text.replace(_APART, "")
    return FoundBody(TurnRow(*row[:-1]), snippet(said, looked_for))


def _spaced(said: str) -> str:
    """Return a text whose letters that are words of their own stand apart, to FTS5's eyes."""
    if said.isascii():
        return said
    return "".join(each + _APART if is_letter(each) else each for each in said)


def _match(looked_for: Sequence[Phrase]) -> str:
    """Return a search as FTS5 has it, which knows cases itself: words have no quotes in them."""
    return " ".join('"' + " ".join(phrase) + '"' for phrase in looked_for)


def _vector(said: str) -> str:
    """Return the words of a text with their places, as PostgreSQL writes a `tsvector`."""
    places: dict[str, list[str]] = {}
    found = [lowered(each) for each in words(said)]
    for at, (word, following) in enumerate(zip(found, [*found[1:], ""], strict=True)):
        if len(word) <= _LONGEST_WORD and at < _LAST_POSITION:
            places.setdefault(_lexeme(word, following), []).append(str(at + 1))
    return " ".join(f"'{word}':{','.join(at[:255])}" for word, at in places.items())


def _lexeme(word: str, following: str) -> str:
    """Two letters that are words of their own are kept together: single ones are in every text."""
    return word + following if is_letter(word) and following and is_letter(following) else word


def _tsquery(looked_for: Sequence[Phrase]) -> str:
    return " & ".join(f"({_tsphrase(phrase)})" for phrase in looked_for)


def _tsphrase(phrase: Phrase) -> str:
    """Return a phrase as a `tsquery`; its last letter is the beginning of any pair."""
    phrase = tuple(map(lowered, phrase))
    pairs = [*pairwise(phrase), (phrase[-1], "")]
    parts: list[tuple[int, str]] = []
    for at, (word, following) in enumerate(pairs):
        if not is_letter(word):
            parts.append((at, f"'{word}'"))
        elif following and is_letter(following):
            parts.append((at, f"'{word}{following}'"))
        elif at == 0 or not is_letter(phrase[at - 1]):
            parts.append((at, f"'{word}':*"))
    query = parts[0][1]
    for (before, _), (at, part) in pairwise(parts):
        query += f" <{at - before}> {part}"
    return query
