"""Pages of a table: each begins behind the last row of the one before, whatever was added since."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Row, Select, tuple_

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.page import Page
from longwire.store.database import Database

T = TypeVar("T")
MOST_AT_ONCE: Final = 200
_GREATEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list: the `first` so many items behind the cursor `after`."""

    first: int
    after: str | None

    def __post_init__(self) -> None:
        """Raise `InvalidFields` for a size that no page has."""
        if not 1 <= self.first <= MOST_AT_ONCE:
            raise InvalidFields([FieldProblem("first", f"must be 1 to {MOST_AT_ONCE}")])


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: by columns that together differ for every row."""

    columns: tuple[ColumnElement[Any], ...]
    is_descending: bool = False

    def select(self, query: Select[Any], window: Window) -> Select[Any]:
        """Return the query of one page; one row more than it holds tells whether more follow."""
        if window.after is not None:
            place = tuple_(*self.columns)
            behind = self._decode(window.after)
            query = query.where(place < behind if self.is_descending else place > behind)
        columns = [each.desc() if self.is_descending else each for each in self.columns]
        return query.order_by(*columns).limit(window.first + 1)

    async def read(
        self,
        database: Database,
        query: Select[Any],
        window: Window,
        make: Callable[[Row[Any]], T],
    ) -> Page[T]:
        """Read the page of a query."""
        async with database.read() as connection:
            rows = (await connection.execute(self.select(query, window))).all()
        return self.page(rows, window, make)

    def page(
        self, rows: Sequence[Row[Any]], window: Window, make: Callable[[Row[Any]], T]
    ) -> Page[T]:
        """Return the page that the rows of `select` make."""
        edges = tuple((self._encode(row), make(row)) for row in rows[: window.first])
        return Page(edges, has_more=len(rows) > window.first)

    def _encode(self, row: Row[Any]) -> str:
        place = [row._mapping[column] for column in self.columns]  # noqa: SLF001 - its public way
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")

    def _decode(self, cursor: str) -> tuple[Any, ...]:
        padded = cursor + "=" * (-len(cursor) % 4)
        try:
            place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError):
            place = None
        kinds = [column.type.python_type for column in self.columns]
        is_place = isinstance(place, list) and [type(each) for each in place] == kinds
        if not is_place or any(type(n) is int and not 0 <= n <= _GREATEST for n in place):
            raise InvalidFields([FieldProblem("after", "is no cursor of this list; leave it out")])
        return tuple(place)
