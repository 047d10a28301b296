"""What clients of other dialects bring: keys that show reasoning, turns by API, what they drop."""

from alembic import op
from sqlalchemy import Boolean, Column, String, false

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add it: no key shows reasoning until it is set, and nothing was dropped before."""
    shows = Column("shows_reasoning", Boolean, nullable=False, server_default=false())
    op.add_column("api_keys", shows)
    dropped = Column("dropped", String(256), nullable=False, server_default="")
    op.add_column("turns", dropped)
    op.create_index("ix_turns_api_id", "turns", ["api", "id"])


def downgrade() -> None:
    """Drop it again."""
    op.drop_index("ix_turns_api_id", "turns")
    op.drop_column("turns", "dropped")
    op.drop_column("api_keys", "shows_reasoning")
