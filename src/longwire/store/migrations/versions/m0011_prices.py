"""Prices that an operator says for a channel, and an index for the APIs that turns went by."""

from alembic import op
from sqlalchemy import JSON, Column, text

revision = "0011"
down_revision = "0010"

_INDEX = "ix_turns_upstream_api_id"


def upgrade() -> None:
    """Add them; most turns are asked in Responses, and stand in no index for it."""
    op.add_column("channels", Column("prices", JSON, nullable=False, server_default="[]"))
    where = text("upstream_api <> 'responses'")
    op.create_index(
        _INDEX, "turns", ["upstream_api", "id"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_index(_INDEX, "turns")
    op.drop_column("channels", "prices")
