"""Several keys of a channel, and what a channel sets, defaults or removes in requests."""

from alembic import op
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
)

revision = "0020"
down_revision = "0019"
OLDEST_PROGRAM = "0012"


def upgrade() -> None:
    """Make the table, and the column; a channel has one key and changes nothing as before."""
    op.create_table(
        "channel_keys",
        Column("id", String(64), nullable=False),
        Column("channel_id", String(64), nullable=False),
        Column("secret", LargeBinary(), nullable=False),
        Column("label", String(256), nullable=False, server_default=""),
        Column("weight", Double(), nullable=False),
        Column("is_enabled", Boolean(), nullable=False),
        Column("position", Integer(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_channel_keys"),
        ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name="fk_channel_keys_channel_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_channel_keys_channel_id", "channel_keys", ["channel_id"])
    op.add_column("channels", Column("overrides", JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Drop them again: a channel keeps the key that is its own."""
    op.drop_column("channels", "overrides")
    op.drop_table("channel_keys")
