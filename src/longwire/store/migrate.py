"""Bring a database to the schema of this program, or say why that cannot be.

Law: one process migrates, the others wait for it; a step happens whole or not at all; and a copy
of a SQLite file is made before it is changed.
"""

from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from longwire.core.errors import ConfigurationError
from longwire.store.backup import copy_sqlite
from longwire.store.database import Database, unavailable
from longwire.store.engine import AsyncConnection

if TYPE_CHECKING:
    from alembic.config import Config

_ADVISORY_LOCK = 0x6C6F6E67
_MIGRATIONS = Path(__file__).with_name("migrations")


def head() -> str:
    """Return the schema that this program reads and writes: that of its newest migration."""
    return max(step.stem[1:5] for step in _MIGRATIONS.glob("versions/m*.py"))


async def schema_of(database: Database) -> str | None:
    """Return the number of a database's schema, such as `0001`; None where there is none yet."""
    async with database.read() as connection:
        return await connection.run_sync(_schema_of)


async def migrate(database: Database, target: str | None = None) -> tuple[str | None, Path | None]:
    """Bring a database to a schema, by default this program's; say what it was, and the copy made.

    Raises `ConfigurationError` for a database that a newer Longwire wrote, with nothing changed.
    """
    target = target or head()
    if await schema_of(database) == target:
        return target, None
    async with _migrating(database) as connection:
        before = await connection.run_sync(_schema_of)
        _check(before, target)
        copy = await _copy(database, before) if before not in {None, target} else None
        await connection.run_sync(_run, before, target)
    return before, copy


@asynccontextmanager
async def _migrating(database: Database) -> AsyncIterator[AsyncConnection]:
    """Give a connection that alone may migrate, in one transaction."""
    with unavailable():
        async with database.engine.connect() as connection, _alone(database, connection):
            yield connection


@asynccontextmanager
async def _alone(database: Database, connection: AsyncConnection) -> AsyncIterator[None]:
    await connection.execution_options(longwire_writes=True)
    if database.is_sqlite:
        async with _without_foreign_keys(connection), connection.begin():
            yield
        return
    async with connection.begin():
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        yield


@asynccontextmanager
async def _without_foreign_keys(connection: AsyncConnection) -> AsyncIterator[None]:
    """SQLite alters a table by building it anew, which must not cascade to others."""
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise AssertionError("a connection in use has a driver's one")
    await driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        await driver.execute("PRAGMA foreign_keys=ON")


async def _copy(database: Database, before: str | None) -> Path | None:
    if database.path is None:
        return None
    copy = database.path.with_name(f"{database.path.name}.before-{before}")
    await to_thread(copy_sqlite, database.path, copy)
    return copy


def _schema_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return str(row[0]) if row else None


def _check(before: str | None, target: str) -> None:
    for number in (before, target):
        if number is not None and not (number.isdecimal() and number <= head()):
            raise ConfigurationError(
                f"the database has schema {before}, this Longwire knows up to {head()} and was "
                f"asked for {target}; install the newer Longwire, or restore a backup from "
                "before it"
            )


def _run(connection: Connection, before: str | None, target: str) -> None:
    from alembic import command

    go = command.upgrade if before is None or before < target else command.downgrade
    go(_config(connection), target)


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
