"""Latencies over time: histograms by hour and day.

Those of turns that are in the log are made once the gateway serves: see `store/filled`.
"""

from collections.abc import Mapping
from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, SmallInteger, String
from sqlalchemy.types import TypeEngine

revision = "0023"
down_revision = "0022"
OLDEST_PROGRAM = "0012"

_KEY: Mapping[str, TypeEngine[Any]] = {
    "figure": String(1),
    "span": String(1),
    "start": BigInteger(),
    "project_id": String(64),
    "channel_id": String(256),
    "model": String(256),
    "bucket": SmallInteger(),
}
_NOTE = (
    "INSERT INTO revisions (name, number) "
    "SELECT 'latencies_before', max(id) + 1 FROM turns HAVING max(id) IS NOT NULL"
)
"""Turns with ids before that are yet to be added up."""


def upgrade() -> None:
    """Make the table, and note what of the log is to be added up."""
    op.create_table(
        "latencies",
        *(Column(name, kind, nullable=False) for name, kind in _KEY.items()),
        Column("turns", BigInteger, nullable=False),
        Column("total", BigInteger, nullable=False),
        PrimaryKeyConstraint(*_KEY, name="pk_latencies"),
        sqlite_with_rowid=False,
    )
    op.execute(_NOTE)


def downgrade() -> None:
    """Drop them; the turns stay."""
    op.drop_table("latencies")
    op.execute("DELETE FROM revisions WHERE name = 'latencies_before'")
