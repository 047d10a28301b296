"""What is told of turns that did not simply succeed: attempts, headers, the error's message."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table; of turns before it nothing more is known."""
    op.create_table(
        "turn_details",
        Column("id", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
        Column("told", Text, nullable=False),
        PrimaryKeyConstraint("id", name="pk_turn_details"),
    )


def downgrade() -> None:
    """Drop the table: attempts are counted as before, and no more is told of them."""
    op.drop_table("turn_details")
