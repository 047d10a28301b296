"""Whole copies of a SQLite database, made and brought back while others may be at work.

The file `secret.key` is not in a copy: keep it apart, for without it no credential can be read.
"""

import os
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

from longwire.core.errors import ConfigurationError
from longwire.logger import structlog

_log = structlog.get_logger()


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database as of now, whole or not at all; the copy is for its owner's eyes alone."""
    beside = target.with_name(f"{target.name}.part")
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(beside)) as written:
            read.backup(written)
            written.execute("PRAGMA journal_mode=DELETE")
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def backup(database: Path, target: Path) -> None:
    """Write a copy of a database to `target`.

    Raises `ConfigurationError` where there is nothing to copy, or something in the way.
    """
    if not database.is_file():
        raise ConfigurationError(f"{database}: no database is there yet; nothing to back up")
    if target.exists():
        raise ConfigurationError(f"{target}: exists; name another file or remove it")
    if not target.parent.is_dir():
        raise ConfigurationError(f"{target.parent}: no such directory; make it first")
    _check_source(database)
    try:
        copy_sqlite(database, target)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"{target}: cannot be written ({error})") from error


def _check_source(database: Path) -> None:
    """Raise `ConfigurationError` where the database itself is in the way."""
    try:
        with closing(sqlite3.connect(database)) as read:
            read.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise ConfigurationError(
            f"{database}: cannot be read ({error}); back it up as the gateway's user, who may "
            "write to it and to its folder"
        ) from error


def restore(copy: Path, database: Path) -> Path | None:
    """Put a copy in a database's place; return where the one before it was kept, if there was one.

    Raises `ConfigurationError` for a copy that is no whole database of Longwire, and while the
    database is in use.
    """
    _check_copy(copy)
    database.parent.mkdir(parents=True, exist_ok=True)
    kept = _set_aside(database) if database.exists() else None
    copy_sqlite(copy, database)
    return kept


def _check_copy(copy: Path) -> None:
    if not copy.is_file():
        raise ConfigurationError(f"{copy}: no such file; name a copy made by longwire backup")
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as read:
            verdict = read.execute("PRAGMA integrity_check").fetchone()[0]
            read.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        raise ConfigurationError(
            f"{copy}: not a whole database of Longwire ({verdict}); name a copy made by "
            "longwire backup"
        )


def _set_aside(database: Path) -> Path:
    """Keep what is there beside it, after making sure that nobody has it open."""
    kept = _free_name(database.with_name(f"{database.name}.before-restore"))
    try:
        with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as own:
            own.execute("PRAGMA locking_mode=EXCLUSIVE")
            own.execute("BEGIN EXCLUSIVE")
            own.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise ConfigurationError(
            f"{database}: is in use ({error}); stop the gateway before restoring"
        ) from error
    except sqlite3.DatabaseError:
        _log.warning("damaged_database_replaced", path=str(database), kept=str(kept))
    for suffix in ("", "-wal", "-shm"):
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.replace(kept.with_name(kept.name + suffix))
    return kept


def _free_name(path: Path) -> Path:
    """Return a path beside which nothing is overwritten, `path.2` after `path` and so on."""
    names = (
        path if number == 1 else path.with_name(f"{path.name}.{number}") for number in count(1)
    )
    return next(each for each in names if not each.exists())
