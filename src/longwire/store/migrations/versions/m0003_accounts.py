"""Accounts of channels, with their tokens and the lease of who renews them."""

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
)

revision = "0003"
down_revision = "0002"

_ID, _WORD, _NAME = String(64), String(64), String(256)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "accounts",
        Column("id", _ID, nullable=False),
        Column("channel_id", _ID, nullable=False),
        *(Column(name, _NAME, nullable=False) for name in ("email", "account_id", "plan")),
        Column("access_token", LargeBinary, nullable=False),
        Column("refresh_token", LargeBinary, nullable=False),
        Column("identity_token", LargeBinary, nullable=False),
        Column("expires_at", BigInteger),
        Column("refreshed_at", BigInteger),
        Column("status", _WORD, nullable=False),
        Column("problem", Text, nullable=False),
        Column("tokens_revision", Integer, nullable=False),
        Column("lease", _WORD, nullable=False),
        Column("lease_until", BigInteger, nullable=False),
        Column("quota", JSON, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("revision", Integer, nullable=False),
        PrimaryKeyConstraint("id", name="pk_accounts"),
        ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name="fk_accounts_channel_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_accounts_channel_id", "accounts", ["channel_id"])


def downgrade() -> None:
    """Drop the table: every account must be signed in again."""
    op.drop_table("accounts")
