"""Bring a database to the schema of this program, or say why that cannot be.

Law: one process migrates, the others wait for it; a step happens whole or not at all; and a copy
of a SQLite file is made before it is changed. A program that is older than the schema leaves it as
it is, and runs on it where `compatibility` says so.
"""

from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from longwire.core.errors import ConfigurationError
from longwire.logger import structlog
from longwire.store.backup import copy_sqlite
from longwire.store.compatibility import (
    MIGRATIONS,
    Schema,
    note_oldest_program,
    read_schema,
    steps,
)
from longwire.store.database import Database, unavailable
from longwire.store.engine import AsyncConnection

if TYPE_CHECKING:
    from alembic.config import Config

_log = structlog.get_logger()
_ADVISORY_LOCK = 0x6C6F6E67


def head() -> str:
    """Return the schema that this program reads and writes: that of its newest migration."""
    return max(steps())


async def schema_of(database: Database) -> str | None:
    """Return the number of a database's schema, such as `0001`; None where there is none yet."""
    return (await _read(database)).number


async def migrate(database: Database, target: str | None = None) -> tuple[str | None, Path | None]:
    """Bring a database to a schema, by default this program's; say what it was, and the copy made.

    Without a `target` a newer schema stays that this program may run on. Raises
    `ConfigurationError` for one that it may not, with nothing changed.
    """
    wanted, stays = target or head(), target is None
    found = await _read(database)
    if found.number == wanted or (stays and found.serves(wanted)):
        return _left(found, wanted), None
    async with _migrating(database) as connection:
        found = await connection.run_sync(read_schema)
        if stays and found.serves(wanted):
            return _left(found, wanted), None
        before = found.number
        _check(before, wanted)
        if before == wanted:
            return before, None
        copy = await _copy(database, before) if before is not None else None
        await connection.run_sync(_run, before, wanted)
    return before, copy


async def _read(database: Database) -> Schema:
    async with database.read() as connection:
        return await connection.run_sync(read_schema)


def _left(found: Schema, wanted: str) -> str | None:
    """Say that a newer schema stays as it is, and return its number."""
    if found.number != wanted:
        _log.info("schema_newer", schema=found.number, own=wanted, oldest_program=found.oldest)
    return found.number


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
    note_oldest_program(connection, target)


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
