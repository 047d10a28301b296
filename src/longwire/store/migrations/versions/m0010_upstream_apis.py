"""Channels of other APIs than Responses, and the API in which the upstream of a turn was asked."""

from alembic import op
from sqlalchemy import JSON, Boolean, Column, String, false

revision = "0010"
down_revision = "0009"

_OF_CHANNELS = ("threads", "unsupported", "quirks", "profile", "apis")


def upgrade() -> None:
    """Add them: channels offer what their type does, and all turns were asked in Responses."""
    op.add_column("channels", Column("apis", JSON(none_as_null=True)))
    profile = Column("profile", String(64), nullable=False, server_default="")
    op.add_column("channels", profile)
    op.add_column("channels", Column("quirks", JSON, nullable=False, server_default="[]"))
    unsupported = Column("unsupported", String(16), nullable=False, server_default="refuse")
    op.add_column("channels", unsupported)
    threads = Column("threads", Boolean, nullable=False, server_default=false())
    op.add_column("channels", threads)
    upstream_api = Column("upstream_api", String(64), nullable=False, server_default="responses")
    op.add_column("turns", upstream_api)


def downgrade() -> None:
    """Drop them again."""
    op.drop_column("turns", "upstream_api")
    for name in _OF_CHANNELS:
        op.drop_column("channels", name)
