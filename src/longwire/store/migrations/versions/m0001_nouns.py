"""Every noun: channels, keys, projects, people, turns, settings, audit.

The tables stand here as they were then; `store.tables` has them as they are now.
"""

from time import time_ns

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    insert,
)

revision = "0001"
down_revision = None

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(64)
_NAME = String(256)
_WORD = String(64)

revisions = Table(
    "revisions",
    metadata,
    Column("name", _WORD, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("name", _WORD, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)

keyring = Table(
    "keyring",
    metadata,
    Column("name", _WORD, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False, unique=True),
    Column("description", Text, nullable=False, server_default=""),
    Column("status", _WORD, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("email", _NAME, nullable=False, unique=True),
    Column("name", _NAME, nullable=False, server_default=""),
    Column("password_hash", Text, nullable=False),
    Column("role", _WORD, nullable=False),
    Column("status", _WORD, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_sign_in_at", BigInteger),
    Column("revision", Integer, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("project_id", _ID, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", _ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_memberships_user_id", "user_id"),
)

user_sessions = Table(
    "user_sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("user_id", _ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("address", _NAME, nullable=False, server_default=""),
    Column("agent", Text, nullable=False, server_default=""),
    Index("ix_user_sessions_user_id", "user_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("email", _NAME, nullable=False, server_default=""),
    Column("role", _WORD, nullable=False),
    Column("project_id", _ID, ForeignKey("projects.id", ondelete="SET NULL")),
    Column("invited_by", _NAME, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),
)

channels = Table(
    "channels",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False, unique=True),
    Column("type", _WORD, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("credential", LargeBinary, nullable=False),
    Column("transport", _WORD, nullable=False),
    Column("models", JSON, nullable=False),
    Column("renames", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("weight", Double, nullable=False),
    Column("status", _WORD, nullable=False),
    Column("organization", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("proxy", LargeBinary, nullable=False),
    Column("tls_ca", Text, nullable=False),
    Column("tls_verify", Boolean, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("requests_per_minute", BigInteger),
    Column("tokens_per_minute", BigInteger),
    Column("concurrent_turns", BigInteger),
    Column("handshake_rate", Double, nullable=False),
    Column("handshake_burst", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("channel_id", _ID, ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True),
    Column("api", _WORD, primary_key=True),
    Column("path", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("transport", _WORD, nullable=False),
    Column("position", Integer, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False),
    Column("project_id", _ID, ForeignKey("projects.id"), nullable=False),
    Column("prefix", _WORD, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("previous_digest", LargeBinary(32), unique=True),
    Column("previous_until", BigInteger),
    Column("status", _WORD, nullable=False),
    Column("expires_at", BigInteger),
    Column("models", JSON, nullable=False),
    Column("channels", JSON, nullable=False),
    Column("requests_per_minute", BigInteger),
    Column("tokens_per_minute", BigInteger),
    Column("concurrent_turns", BigInteger),
    Column("tokens_per_day", BigInteger),
    Column("tokens_per_month", BigInteger),
    Column("cost_per_day", BigInteger),
    Column("cost_per_month", BigInteger),
    Column("keeps_bodies", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revision", Integer, nullable=False),
    Index("ix_api_keys_project_id", "project_id"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("request_id", String(128), nullable=False),
    Column("project_id", _ID, nullable=False),
    Column("key_id", _NAME, nullable=False),
    Column("key_name", _NAME, nullable=False),
    Column("session", _NAME, nullable=False),
    Column("channel_id", _NAME, nullable=False),
    Column("channel_name", _NAME, nullable=False),
    Column("api", _WORD, nullable=False),
    Column("transport", _WORD, nullable=False),
    Column("continuity", _WORD, nullable=False),
    Column("reason", _WORD, nullable=False),
    Column("connection", BigInteger),
    Column("model_asked", _NAME, nullable=False),
    Column("model_served", _NAME, nullable=False),
    Column("streams", Boolean, nullable=False),
    Column("outcome", _WORD, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("error_code", _WORD, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("queue_ms", BigInteger, nullable=False),
    Column("first_event_ms", BigInteger),
    Column("total_ms", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("input_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("cost", BigInteger),
)

turn_bodies = Table(
    "turn_bodies",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", _ID, nullable=False),
    Column("actor_name", _NAME, nullable=False),
    Column("address", _NAME, nullable=False),
    Column("action", _WORD, nullable=False),
    Column("noun", _WORD, nullable=False),
    Column("noun_id", _NAME, nullable=False),
    Column("noun_name", _NAME, nullable=False),
    Column("changes", JSON, nullable=False),
)


def upgrade() -> None:
    """Make the tables, the default project and the configuration's first revision."""
    connection = op.get_bind()
    metadata.create_all(connection, checkfirst=False)
    now = time_ns() // 1_000_000
    connection.execute(insert(revisions).values(name="configuration", number=1))
    connection.execute(
        insert(projects).values(
            id="prj_default",
            name="Default",
            status="active",
            created_at=now,
            revision=1,
        )
    )


def downgrade() -> None:
    """Drop everything."""
    metadata.drop_all(op.get_bind())
