"""The clock of the database itself, by which nodes agree however wrong their own clocks are."""

from typing import Final

from sqlalchemy import BigInteger, ColumnElement, literal_column

from longwire.store.database import Database

_SQLITE: Final = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
_POSTGRESQL: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


def database_now(database: Database) -> ColumnElement[int]:
    """Return, as SQL, the ms since 1970 UTC at which a statement is carried out.

    Of SQLite that is this machine's clock.
    """
    return literal_column(_SQLITE if database.is_sqlite else _POSTGRESQL, BigInteger())
