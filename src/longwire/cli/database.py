"""`longwire migrate`, `backup`, `restore`: what is done to the database as a whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.store import show_database
from longwire.core.errors import ConfigurationError

if TYPE_CHECKING:
    from longwire.store.database import Database

Config = Annotated[Path | None, typer.Option(help="The TOML file to read.", dir_okay=False)]
To = Annotated[
    str | None, typer.Option(metavar="SCHEMA", help="Another schema than the newest, as 0001.")
]
Target = Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")]
Copy = Annotated[Path, typer.Argument(metavar="FILE", help="A copy made by longwire backup.")]


def migrate(config: Config = None, to: To = None) -> None:
    """Bring the database to the schema of this version; `serve` does so by itself.

    A copy of a SQLite file is made beside it first. A newer schema that this version may run on
    stays as it is. A step back drops what the older schema does not have.
    """
    import asyncio

    from longwire.store.migrate import head

    database = _database(config)
    before, copy = asyncio.run(_migrate(database, to))
    show_database(database)
    target = to or head()
    if to is None and before is not None and before > target:
        typer.echo(
            f"the database has schema {before}, on which this version (schema {target}) may run; "
            "nothing was changed"
        )
        return
    if before == target:
        typer.echo(f"the database has schema {target} already")
        return
    typer.echo(f"from schema {before or 'none'} to {target}")
    if copy:
        typer.echo(f"copy of the one before: {copy}")


async def _migrate(database: "Database", target: str | None) -> tuple[str | None, Path | None]:
    from longwire.store.migrate import migrate as bring

    try:
        await database.check()
        with database.starting():
            return await bring(database, target)
    finally:
        await database.close()


def backup(file: Target, config: Config = None) -> None:
    """Copy the SQLite database to FILE, whole, while the gateway may run.

    The file secret.key is not in the copy; keep it apart.
    """
    from longwire.store.backup import backup as copy_to

    database = _database(config)
    copy_to(_file(database, "pg_dump"), file)
    show_database(database)
    typer.echo(f"{file}: {file.stat().st_size} bytes; without secret.key, which you keep apart")


def restore(file: Copy, config: Config = None) -> None:
    """Put FILE in the SQLite database's place; the gateway must not be running.

    What was there before is kept beside it.
    """
    from longwire.store.backup import restore as bring_back

    database = _database(config)
    target = _file(database, "pg_restore")
    kept = bring_back(file, target)
    show_database(database)
    typer.echo(f"{target} restored from {file}")
    if kept:
        typer.echo(f"the one before: {kept}")


def _database(config: Path | None) -> "Database":
    from longwire.settings import load
    from longwire.store.database import Database

    return Database(load(config).database.url.get_secret_value())


def _file(database: "Database", instead: str) -> Path:
    if database.path is None:
        raise ConfigurationError(f"database.url: no SQLite file; use {instead} for PostgreSQL")
    return database.path
