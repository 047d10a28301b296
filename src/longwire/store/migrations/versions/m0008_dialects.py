"""What clients of other dialects need: keys that show reasoning."""

from alembic import op
from sqlalchemy import Boolean, Column, false

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; no key shows reasoning until it is set."""
    column = Column("shows_reasoning", Boolean, nullable=False, server_default=false())
    op.add_column("api_keys", column)


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("api_keys", "shows_reasoning")
