"""Sums of turns by hour and day, filled from the turns that are there; an index for each filter.

Charts read the sums; a page of the turn log with one filter is a range of one index.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, text

revision = "0002"
down_revision = "0001"

_NAME = String(256)
_INDICES = {
    "ix_turns_project_id_id": "project_id",
    "ix_turns_key_id_id": "key_id",
    "ix_turns_session_id": "session",
    "ix_turns_channel_id_id": "channel_id",
    "ix_turns_model_asked_id": "model_asked",
    "ix_turns_outcome_id": "outcome",
    "ix_turns_continuity_id": "continuity",
    "ix_turns_error_code_id": "error_code",
}
_PARTIAL = {"ix_turns_session_id": "session <> ''", "ix_turns_error_code_id": "error_code <> ''"}
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
_FILL = """
    INSERT INTO usage (
        span, start, project_id, channel_id, model, key_id, turns, continued, failures,
        input_tokens, cached_tokens, output_tokens, cost, bytes_received, bytes_sent
    )
    SELECT
        :span, started_at / :length * :length, project_id, channel_id,
        CASE WHEN channel_id = '' THEN '' ELSE model_asked END, key_id,
        count(*),
        sum(CASE WHEN continuity = 'continued' THEN 1 ELSE 0 END),
        sum(CASE WHEN error_code = '' THEN 0 ELSE 1 END),
        coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0),
        coalesce(sum(output_tokens), 0), coalesce(sum(cost), 0),
        sum(bytes_received), sum(bytes_sent)
    FROM turns
    GROUP BY 2, 3, 4, 5, 6
"""
_SPANS = {"h": 3_600_000, "d": 86_400_000}


def upgrade() -> None:
    """Make and fill the sums, make the indices."""
    op.create_table(
        "usage",
        Column("span", String(1), nullable=False),
        Column("start", BigInteger, nullable=False),
        Column("project_id", String(64), nullable=False),
        Column("channel_id", _NAME, nullable=False),
        Column("model", _NAME, nullable=False),
        Column("key_id", _NAME, nullable=False),
        *(Column(name, BigInteger, nullable=False) for name in _SUMS),
        PrimaryKeyConstraint(
            "span", "start", "project_id", "channel_id", "model", "key_id", name="pk_usage"
        ),
        sqlite_with_rowid=False,
    )
    for span, length in _SPANS.items():
        op.get_bind().execute(text(_FILL), {"span": span, "length": length})
    for name, column in _INDICES.items():
        where = text(_PARTIAL[name]) if name in _PARTIAL else None
        op.create_index(name, "turns", [column, "id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop the sums and the indices; the turns stay."""
    for name in _INDICES:
        op.drop_index(name, "turns")
    op.drop_table("usage")
