"""The engine under everything that is remembered: SQLite in WAL mode, or PostgreSQL.

Law: a writer on SQLite takes its lock when it begins, so none fails half-way because of another.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any, Final

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from longwire.core.errors import ConfigurationError, StoreUnavailable
from longwire.store.engine import AsyncConnection, AsyncEngine, create_async_engine
from longwire.store.postgresql import as_one_host, connect_arguments
from longwire.store.sqlite_writer import SqliteWriter

_BUSY_MS = 10_000
_WRITES = {"longwire_writes": True}
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


@dataclass(frozen=True, slots=True)
class PoolSize:
    """Connections to PostgreSQL: those kept open, and `overflow` more while all are in use."""

    kept: int = 5
    overflow: int = 10


DEFAULT_POOL: Final = PoolSize()


class Database:
    """One database. `read` and `write` give a connection in a transaction of its own.

    Both raise `StoreUnavailable` for whatever the driver raises, but for an `IntegrityError`.
    `path` is the file of a SQLite database, and `writer` writes many rows to it at little cost.
    """

    def __init__(self, url: str, pool: PoolSize = DEFAULT_POOL) -> None:
        """Take `sqlite:///file.db`, `sqlite:///:memory:` or `postgresql://user:pw@host/name`."""
        parsed = _parsed(url)
        hosts = {name: host for name, host in parsed.query.items() if name == "host"}
        self._url = parsed.set(query=hosts)
        self.path = _file_of(parsed)
        self.engine = _engine(parsed, self.path, pool)
        self.writer = SqliteWriter(self.path) if self.path else None

    def __repr__(self) -> str:
        """Tell the kind and the place, never a password."""
        return f"<Database {self._url!r}>"

    @property
    def place(self) -> str:
        """The URL for people: see `place_of`."""
        return place_of(self._url.render_as_string(hide_password=False))

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file, or in memory."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose reads all see the same state."""
        with unavailable():
            async with self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose changes are kept together, when the context ends well."""
        with unavailable():
            async with self.engine.connect() as connection:
                await connection.execution_options(**_WRITES)
                async with connection.begin():
                    yield connection

    async def check(self) -> None:
        """Raise `ConfigurationError` where the database cannot be reached, with the mend.

        A SQLite file that is missing is made, for its owner's eyes alone.
        """
        with self.starting():
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch(mode=0o600)
            async with self.read() as connection:
                await connection.execute(text("SELECT 1"))

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Raise `ConfigurationError`, with the mend, for a database that cannot be used."""
        try:
            yield
        except (StoreUnavailable, OSError) as error:
            reason = getattr(error, "reason", str(error))
            mend = "check that it is there and that this user may write"
            if isinstance(error.__cause__, SSLCertVerificationError):
                mend = "name its authority's file as sslrootcert"
            elif _is_locked(error):
                mend = "another process holds it; try again once that is done, or end it"
            elif self.is_sqlite:
                mend += ", and that the disk is not full"
            raise ConfigurationError(
                f"database.url: {self._url!r} cannot be used ({reason}); {mend}"
            ) from error

    async def close(self) -> None:
        """Close all connections."""
        if self.writer is not None:
            self.writer.close()
        await self.engine.dispose()


@contextmanager
def unavailable() -> Iterator[None]:
    """Let nobody above the store know a driver's errors, or those of the way to a server."""
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, NoConnectionFree, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__]
        raise StoreUnavailable(reason[0]) from error


def _is_locked(error: BaseException) -> bool:
    """Whether another process keeps a SQLite file to itself."""
    cause = getattr(error.__cause__, "orig", None)
    return str(getattr(cause, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


def place_of(url: str) -> str:
    """Return the URL of a database for people: the path absolute, the password hidden."""
    parsed = _parsed(url)
    path = _file_of(parsed)
    if path is not None:
        return f"sqlite:///{path.absolute()}"
    return parsed.set(query={}).render_as_string(hide_password=True)


def is_missing(url: str) -> bool:
    """Whether a URL names a SQLite file that is not there."""
    path = _file_of(_parsed(url))
    return path is not None and not path.exists()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(as_one_host(url))
    except (ArgumentError, ValueError):  # its text would show the password
        parsed = None
    if parsed is None or "@" in (parsed.host or ""):
        raise ConfigurationError(
            "database.url: cannot be read; write sqlite:///file.db or "
            "postgresql://user:password@host:port/name, special characters as %XX"
        )
    return parsed


def _file_of(url: URL) -> Path | None:
    """Return the file of a SQLite database, None for one in memory and for PostgreSQL."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def _engine(url: URL, path: Path | None, pool: PoolSize) -> AsyncEngine:
    driver = _DRIVERS[url.get_backend_name()]
    options: dict[str, Any] = {}
    if driver.startswith("postgresql"):
        options = {"pool_pre_ping": True, "connect_args": connect_arguments(url)}
        options |= {"pool_size": pool.kept, "max_overflow": pool.overflow}
        url = url.set(query={})
    elif url.query:
        raise ConfigurationError("database.url: a SQLite file has no parameters; leave out ?…")
    elif path is None:
        options = {"poolclass": StaticPool}
    engine = create_async_engine(url.set(drivername=driver), **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        event.listen(engine.sync_engine, "invalidate", _release_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin by ourselves: the driver would begin late, and a late writer can be refused."""
    writes = connection.get_execution_options().get("longwire_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _release_sqlite(
    connection: DBAPIConnection, _entry: ConnectionPoolEntry, _error: BaseException | None
) -> None:
    """Give up the lock with the connection of a task that is cancelled.

    SQLite keeps a connection that is closed, and its lock, while any cursor of it is left, as one
    is in the traceback of the cancellation. <https://sqlite.org/c3ref/close.html>
    """
    with suppress(Exception):  # one that is broken holds nothing
        connection.rollback()
