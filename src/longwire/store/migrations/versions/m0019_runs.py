"""Sums of turns by session and by trace."""

from alembic import op
from sqlalchemy import BigInteger, Column, String, Text

revision = "0019"
down_revision = "0018"
OLDEST_PROGRAM = "0012"

_SUMS = (
    "turns",
    "continued",
    "failures",
    "bytes_received",
    "bytes_sent",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "cost",
)


def upgrade() -> None:
    """Make the table; what was logged before stands in no run."""
    op.create_table(
        "runs",
        Column("id", String(64), nullable=False, primary_key=True),
        Column("part", String(256), nullable=False, primary_key=True),
        Column("kind", String(64), nullable=False),
        Column("name", String(256), nullable=False),
        Column("project_id", String(64), nullable=False),
        Column("key_id", String(256), nullable=False),
        Column("key_name", String(256), nullable=False),
        Column("first_at", BigInteger, nullable=False),
        Column("last_at", BigInteger, nullable=False),
        Column("models", Text, nullable=False),
        Column("channels", Text, nullable=False),
        *(Column(name, BigInteger, nullable=False) for name in _SUMS),
    )
    op.create_index("ix_runs_kind_last_at_id", "runs", ["kind", "last_at", "id"])
    for column in ("name", "key_id", "project_id"):
        index = f"ix_runs_{column}_kind_last_at_id"
        op.create_index(index, "runs", [column, "kind", "last_at", "id"])


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("runs")
