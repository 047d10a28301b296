"""Which programs may run on a schema: its own, and older ones where its last steps only add.

Law: a database says itself which is the oldest program that may run on it, since that program does
not have the steps that came after its own. They declare it as `OLDEST_PROGRAM`; a step without that
runs its own program and newer ones alone.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, insert, inspect, select, text

from longwire.store.tables import revisions

MIGRATIONS: Final = Path(__file__).with_name("migrations")
_VERSIONS: Final = "longwire.store.migrations.versions"
_OLDEST: Final = "oldest_program"
"""The name of the row in `revisions`; its number is that of a schema."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of a database, None for none yet; `oldest` is that of the oldest program on it."""

    number: str | None
    oldest: str | None = None

    def serves(self, program: str) -> bool:
        """Whether a program of an older schema may run on it as it is."""
        if self.number is None or self.oldest is None or not self.number.isdecimal():
            return False
        return self.oldest <= program < self.number


def steps() -> dict[str, str]:
    """Return the names of the migration modules by their numbers, the oldest first."""
    names = sorted(path.stem for path in MIGRATIONS.glob("versions/m*.py"))
    return {name[1:5]: name for name in names}


def read_schema(connection: Connection) -> Schema:
    """Return the schema of a database."""
    if not inspect(connection).has_table("alembic_version"):
        return Schema(None)
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    if row is None:
        return Schema(None)
    oldest = connection.scalar(select(revisions.c.number).where(revisions.c.name == _OLDEST))
    return Schema(str(row[0]), None if oldest is None else f"{oldest:04}")


def note_oldest_program(connection: Connection, schema: str) -> None:
    """Write down which is the oldest program that may run on a database of a schema now."""
    mine = {"name": _OLDEST, "number": int(oldest_program(schema))}
    connection.execute(delete(revisions).where(revisions.c.name == _OLDEST))
    connection.execute(insert(revisions).values(mine))


def oldest_program(schema: str) -> str:
    """Return the schema of the oldest program that may run on a schema, by all its steps."""
    declared = (
        getattr(import_module(f"{_VERSIONS}.{name}"), "OLDEST_PROGRAM", number)
        for number, name in steps().items()
        if number <= schema
    )
    return max(declared)
