"""Which turns cost what is estimated, since no upstream said it."""

from alembic import op
from sqlalchemy import Boolean, Column, false

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; nothing was estimated before it."""
    column = Column("is_estimated", Boolean, nullable=False, server_default=false())
    op.add_column("turns", column)


def downgrade() -> None:
    """Drop the column: estimates look like figures of an upstream."""
    op.drop_column("turns", "is_estimated")
