"""Budgets of keys, users, projects and channels; keys that belong to people."""

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Integer, String, UniqueConstraint

revision = "0017"
down_revision = "0016"
OLDEST_PROGRAM = "0012"

_SUMS = ("usage", "usage_reasons")
_ONE_EACH = "uq_budgets_kind_subject_id_period_unit"
_OWNER_INDEX = "ix_api_keys_user_id"


def upgrade() -> None:
    """Add them; every key there is belongs to nobody, and every turn before counts as priced."""
    op.create_table(
        "budgets",
        Column("id", String(64), primary_key=True),
        Column("kind", String(64), nullable=False),
        Column("subject_id", String(256), nullable=False),
        Column("period", String(64), nullable=False),
        Column("unit", String(64), nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("warns_at", JSON, nullable=False),
        Column("action", String(64), nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("revision", Integer, nullable=False),
        UniqueConstraint("kind", "subject_id", "period", "unit", name=_ONE_EACH),
    )
    op.add_column("api_keys", Column("user_id", String(64)))
    op.create_index(_OWNER_INDEX, "api_keys", ["user_id"])
    op.add_column("projects", Column("member_bounds", JSON(none_as_null=True)))
    for name in _SUMS:
        op.add_column(name, Column("unpriced", BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop them again."""
    for name in _SUMS:
        op.drop_column(name, "unpriced")
    op.drop_column("projects", "member_bounds")
    op.drop_index(_OWNER_INDEX, "api_keys")
    op.drop_column("api_keys", "user_id")
    op.drop_table("budgets")
