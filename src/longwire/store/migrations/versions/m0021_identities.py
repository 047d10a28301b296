"""Identities of users at a provider of sign-ins, and proxies that are not trusted."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, String, UniqueConstraint

revision = "0021"
down_revision = "0020"
OLDEST_PROGRAM = "0012"


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "identities",
        Column("id", String(64), nullable=False, primary_key=True),
        Column("user_id", String(64), nullable=False),
        Column("issuer", String(256), nullable=False),
        Column("subject", String(256), nullable=False),
        Column("email", String(256), nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("last_sign_in_at", BigInteger, nullable=False),
        UniqueConstraint("issuer", "subject", name="uq_identities_issuer_subject"),
        ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_identities_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_identities_user_id", "identities", ["user_id"])
    op.add_column("user_sessions", Column("identity_id", String(64)))
    op.create_table(
        "untrusted_proxies",
        Column("address", String(256), nullable=False, primary_key=True),
        Column("seen_at", BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("untrusted_proxies")
    op.drop_column("user_sessions", "identity_id")
    op.drop_table("identities")
