"""The node and the account of a turn, and sign-ins under way that any node can finish."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Text

revision = "0012"
down_revision = "0011"
OLDEST_PROGRAM = "0011"


def upgrade() -> None:
    """Add them; what was logged before tells neither."""
    op.add_column("turns", Column("node", String(256), nullable=False, server_default=""))
    op.add_column("turns", Column("account_id", String(64), nullable=False, server_default=""))
    op.create_table(
        "pending_sign_ins",
        Column("id", String(64), nullable=False, primary_key=True),
        Column(
            "channel_id",
            String(64),
            ForeignKey(
                "channels.id", name="fk_pending_sign_ins_channel_id_channels", ondelete="CASCADE"
            ),
            nullable=False,
        ),
        Column("node", String(256), nullable=False),
        Column("actor_id", String(64), nullable=False),
        Column("actor_name", String(256), nullable=False),
        Column("actor_address", String(256), nullable=False),
        Column("method", String(64), nullable=False),
        Column("sealed", LargeBinary, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("stage", String(64), nullable=False),
        Column("error", Text, nullable=False),
        Column("account_id", String(64), nullable=False),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("pending_sign_ins")
    op.drop_column("turns", "account_id")
    op.drop_column("turns", "node")
