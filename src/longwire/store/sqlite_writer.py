"""Writes to a SQLite file past the engine, in a thread: many rows for little processor time.

Between the steps of a statement the thread waits for its turn to run Python, long while turns keep
the other one busy: many rows a statement mean few steps, but much to parse where all are in one.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from longwire.core.errors import StoreUnavailable

Statement = tuple[str, Sequence[tuple[Any, ...]]]
"""SQL that inserts one row, and rows for it."""

_BUSY: Final = 10.0
_ROWS_AT_ONCE: Final = 100


class SqliteWriter:
    """One connection to a file, kept open: opening one costs more than writing a few rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: sqlite3.Connection | None = None
        self._alone = Lock()

    def write(self, statements: Sequence[Statement]) -> None:
        """Write all or nothing; blocks. Raises `IntegrityError` and `StoreUnavailable`."""
        joined = [each for statement, rows in statements for each in _joined(statement, rows)]
        with self._alone:
            try:
                self._run(joined)
            except sqlite3.IntegrityError as error:
                self._drop()
                raise IntegrityError(None, None, error) from error
            except sqlite3.Error as error:
                self._drop()
                raise StoreUnavailable(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        with self._alone:
            self._drop()

    def _run(self, statements: Sequence[tuple[str, list[Any]]]) -> None:
        connection = self._kept = self._kept or self._open()
        connection.execute("BEGIN IMMEDIATE")
        for statement, values in statements:
            connection.execute(statement, values)
        connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        place = f"{self._path.absolute().as_uri()}?mode=rw"  # a file that is gone stays gone
        connection = sqlite3.connect(
            place, _BUSY, isolation_level=None, check_same_thread=False, uri=True
        )
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def _drop(self) -> None:
        """Close the connection, and with it whatever was begun; the next one is a new one."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()


def _joined(statement: str, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, list[Any]]]:
    """Yield a statement with some rows at once, until all are written."""
    if not rows:
        return
    row = f"({', '.join('?' * len(rows[0]))})"
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[first : first + _ROWS_AT_ONCE]
        several = statement.replace(row, ", ".join([row] * len(part)), 1)
        yield several, list(chain.from_iterable(part))
