"""Where sessions and what upstreams hold are at home."""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, PrimaryKeyConstraint, String

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table; homes from before it are found anew."""
    op.create_table(
        "homes",
        Column("digest", LargeBinary(16), nullable=False),
        Column("home", String(256), nullable=False),
        Column("written_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("digest", name="pk_homes"),
    )
    op.create_index("ix_homes_written_at", "homes", ["written_at"])


def downgrade() -> None:
    """Drop the table: homes last as long as a process again."""
    op.drop_table("homes")
