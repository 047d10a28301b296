"""What changed in a turn, its response and its trace; and indexes to find turns by."""

from alembic import op
from sqlalchemy import Column, String, text

revision = "0014"
down_revision = "0013"
OLDEST_PROGRAM = "0012"

_COLUMNS = ("changed", "response_id", "trace")
_RARE = ("reason", "response_id", "trace")
"""Columns that many turns have empty: those stand in no index for it."""


def upgrade() -> None:
    """Add them; what was logged before tells none of the three."""
    for name in _COLUMNS:
        op.add_column("turns", Column(name, String(256), nullable=False, server_default=""))
    op.create_index(
        "ix_turns_request_id_id", "turns", ["request_id", "id"], postgresql_ops=_ops("request_id")
    )
    for name in _RARE:
        where = text(f"{name} <> ''")
        op.create_index(
            _index(name),
            "turns",
            [name, "id"],
            sqlite_where=where,
            postgresql_where=where,
            postgresql_ops=_ops(name),
        )


def downgrade() -> None:
    """Drop them again."""
    for name in ("request_id", *_RARE):
        op.drop_index(_index(name), "turns")
    for name in _COLUMNS:
        op.drop_column("turns", name)


def _ops(column: str) -> dict[str, str]:
    """Let ids be found by their beginning, whatever the language of the database."""
    return {column: "varchar_pattern_ops"}


def _index(column: str) -> str:
    return f"ix_turns_{column}_id"
