"""Sums of turns by the reason why they were not continued, and sessions found by their beginning.

The sums of turns that are in the log are made once the gateway serves: see `store/filled`.
"""

from collections.abc import Mapping
from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, text
from sqlalchemy.types import TypeEngine

revision = "0015"
down_revision = "0014"
OLDEST_PROGRAM = "0012"

_KEY: Mapping[str, TypeEngine[Any]] = {
    "span": String(1),
    "start": BigInteger(),
    "project_id": String(64),
    "channel_id": String(256),
    "model": String(256),
    "key_id": String(256),
    "api": String(64),
    "reason": String(64),
}
_SUMS = (
    "turns",
    "continued",
    "failures",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "cost",
    "bytes_received",
    "bytes_sent",
)
_NOTE = (
    "INSERT INTO revisions (name, number) "
    "SELECT 'reasons_before', max(id) + 1 FROM turns HAVING max(id) IS NOT NULL"
)
"""Turns with ids before that are yet to be added up."""


def upgrade() -> None:
    """Make the table, and note what of the log is to be added up."""
    op.create_table(
        "usage_reasons",
        *(Column(name, kind, nullable=False) for name, kind in _KEY.items()),
        *(Column(name, BigInteger, nullable=False) for name in _SUMS),
        PrimaryKeyConstraint(*_KEY, name="pk_usage_reasons"),
        sqlite_with_rowid=False,
    )
    op.execute(_NOTE)
    _index_sessions("varchar_pattern_ops")


def downgrade() -> None:
    """Drop the sums; the turns stay."""
    op.drop_table("usage_reasons")
    op.execute("DELETE FROM revisions WHERE name = 'reasons_before'")
    _index_sessions("varchar_ops")


def _index_sessions(operators: str) -> None:
    """Let PostgreSQL compare sessions as bytes, or else by its language; SQLite does as bytes."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.drop_index("ix_turns_session_id", "turns")
    op.create_index(
        "ix_turns_session_id",
        "turns",
        ["session", "id"],
        postgresql_where=text("session <> ''"),
        postgresql_ops={"session": operators},
    )
