"""The turn log by days on PostgreSQL, and work that one node does for all."""

import time

from alembic import op
from sqlalchemy import BigInteger, Column, Connection, String, text

revision = "0013"
down_revision = "0012"
OLDEST_PROGRAM = "0012"

_LOG = ("turns", "turn_details", "turn_bodies")
_ID_BITS = 21
_DAY = 86_400_000
_INDEXES = text(
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
    "WHERE indrelid = CAST(:name AS regclass) AND NOT indisprimary"
)


def upgrade() -> None:
    """Make the table of jobs; no row of the log is copied, its table becomes the first part."""
    op.create_table(
        "jobs",
        Column("name", String(64), nullable=False, primary_key=True),
        Column("due_at", BigInteger, nullable=False),
    )
    op.execute("INSERT INTO jobs (name, due_at) VALUES ('upkeep', 0)")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for name in _LOG:
            _divide(connection, name)


def _divide(connection: Connection, name: str) -> None:
    """Let a table be a part of a new one of its name: that of all ids before the day after next."""
    before = f"{name}_before"
    op.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
    indexes = connection.execute(_INDEXES, {"name": name}).all()
    newest = connection.scalar(text(f"SELECT max(id) FROM {name}")) or 0  # noqa: S608 - no input
    now = max(newest >> _ID_BITS, time.time_ns() // 1_000_000)
    end = (now - now % _DAY + 2 * _DAY) << _ID_BITS
    op.execute(f"ALTER TABLE {name} RENAME TO {before}")
    op.execute(f"ALTER TABLE {before} RENAME CONSTRAINT pk_{name} TO pk_{before}")
    for index, _ in indexes:
        op.execute(f"ALTER INDEX {index} RENAME TO {index}_before")
    op.execute(
        f"CREATE TABLE {name} (LIKE {before} INCLUDING DEFAULTS, "
        f"CONSTRAINT pk_{name} PRIMARY KEY (id)) PARTITION BY RANGE (id)"
    )
    _give_sequence(connection, before, name)
    for _, definition in indexes:
        op.execute(definition)
    bounds = f"FROM (MINVALUE) TO ({end})"
    op.execute(f"ALTER TABLE {name} ATTACH PARTITION {before} FOR VALUES {bounds}")
    op.execute(f"CREATE TABLE {name}_other PARTITION OF {name} DEFAULT")


def _give_sequence(connection: Connection, owner: str, heir: str) -> None:
    """Let the sequence of ids, which nobody uses, not go when its owner is dropped."""
    query = text("SELECT pg_get_serial_sequence(:name, 'id')")
    sequence = connection.scalar(query, {"name": owner})
    op.execute(f"ALTER SEQUENCE {sequence} OWNED BY {heir}.id")


def downgrade() -> None:
    """Copy the rows of all days into one table again."""
    op.drop_table("jobs")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for name in _LOG:
            _unite(connection, name)


def _unite(connection: Connection, name: str) -> None:
    whole = f"{name}_whole"
    indexes = connection.execute(_INDEXES, {"name": name}).all()
    op.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
    op.execute(f"CREATE TABLE {whole} (LIKE {name} INCLUDING DEFAULTS)")
    op.execute(f"INSERT INTO {whole} SELECT * FROM {name}")  # noqa: S608 - no input
    _give_sequence(connection, name, whole)
    op.execute(f"DROP TABLE {name}")
    op.execute(f"ALTER TABLE {whole} RENAME TO {name}")
    op.execute(f"ALTER TABLE {name} ADD CONSTRAINT pk_{name} PRIMARY KEY (id)")
    for _, definition in indexes:
        op.execute(definition.replace(" ON ONLY ", " ON "))
