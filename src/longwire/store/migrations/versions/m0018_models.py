"""Models: public names with the targets that serve them."""

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, String, Text, UniqueConstraint

revision = "0018"
down_revision = "0017"
OLDEST_PROGRAM = "0012"


def upgrade() -> None:
    """Add them; an older program serves names as channels list them."""
    op.create_table(
        "models",
        Column("id", String(64), nullable=False, primary_key=True),
        Column("name", String(256), nullable=False),
        Column("description", Text, nullable=False),
        Column("is_enabled", Boolean, nullable=False),
        Column("projects", JSON, nullable=False),
        Column("targets", JSON, nullable=False),
        Column("fallbacks", JSON, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("revision", Integer, nullable=False),
        UniqueConstraint("name", name="uq_models_name"),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("models")
