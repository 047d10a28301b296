"""Which items of an input an upstream takes, where that is not as with its type."""

from alembic import op
from sqlalchemy import JSON, Column

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; channels before it take what their type takes."""
    op.add_column("channels", Column("native_items", JSON))


def downgrade() -> None:
    """Drop the column: what the upstream takes is set nowhere."""
    op.drop_column("channels", "native_items")
