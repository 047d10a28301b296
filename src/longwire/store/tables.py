"""The tables of what is configured, and of who may; those of the log are in `log_tables`.

What must not be read from a stolen file is encrypted (LargeBinary) or a digest; see `secrets`.
"""

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
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from longwire.store.schema import ID, NAME, WORD, metadata

revisions = Table(
    "revisions",
    metadata,
    Column("name", WORD, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""`configuration` grows with every change that running gateways must take over.

`oldest_program` is the schema of the oldest program that may run on this one: see `compatibility`.
"""

settings = Table(
    "settings",
    metadata,
    Column("name", WORD, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)

keyring = Table(
    "keyring",
    metadata,
    Column("name", WORD, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
"""Secrets of the gateway itself, sealed by the vault: the pepper of the key digests."""

projects = Table(
    "projects",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("description", Text, nullable=False, server_default=""),
    Column("status", WORD, nullable=False),
    Column("member_bounds", JSON(none_as_null=True)),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    Column("email", NAME, nullable=False, unique=True),
    Column("name", NAME, nullable=False, server_default=""),
    Column("password_hash", Text, nullable=False),
    Column("role", WORD, nullable=False),
    Column("status", WORD, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_sign_in_at", BigInteger),
    Column("revision", Integer, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("project_id", ID, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_memberships_user_id", "user_id"),
)

user_sessions = Table(
    "user_sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("address", NAME, nullable=False, server_default=""),
    Column("agent", Text, nullable=False, server_default=""),
    Column("identity_id", ID),
    Index("ix_user_sessions_user_id", "user_id"),
)

identities = Table(
    "identities",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("issuer", NAME, nullable=False),
    Column("subject", NAME, nullable=False),
    Column("email", NAME, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_sign_in_at", BigInteger, nullable=False),
    UniqueConstraint("issuer", "subject"),
    Index("ix_identities_user_id", "user_id"),
)
"""Who users are to a provider of sign-ins: it never gives a subject to somebody else."""

untrusted_proxies = Table(
    "untrusted_proxies",
    metadata,
    Column("address", NAME, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
)
"""Who said of a client where it comes from, and is no trusted proxy; a few of them."""

invitations = Table(
    "invitations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("email", NAME, nullable=False, server_default=""),
    Column("role", WORD, nullable=False),
    Column("project_id", ID, ForeignKey("projects.id", ondelete="SET NULL")),
    Column("invited_by", NAME, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),
)
"""The row `setup` is the one-time token of the first start: its bearer becomes the owner."""

channels = Table(
    "channels",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("type", WORD, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("credential", LargeBinary, nullable=False),
    Column("transport", WORD, nullable=False),
    Column("models", JSON, nullable=False),
    Column("renames", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("weight", Double, nullable=False),
    Column("status", WORD, nullable=False),
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
    Column("native_items", JSON(none_as_null=True)),
    Column("apis", JSON(none_as_null=True)),
    Column("profile", String(64), nullable=False, server_default=""),
    Column("quirks", JSON, nullable=False, server_default="[]"),
    Column("unsupported", String(16), nullable=False, server_default="refuse"),
    Column("threads", Boolean, nullable=False, server_default=false()),
    Column("prices", JSON, nullable=False, server_default="[]"),
    Column("overrides", JSON, nullable=False, server_default="[]"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)

channel_keys = Table(
    "channel_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("channel_id", ID, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("label", NAME, nullable=False, server_default=""),
    Column("weight", Double, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Index("ix_channel_keys_channel_id", "channel_id"),
)
"""The keys of a channel that has several, besides the one in its own row."""

endpoints = Table(
    "endpoints",
    metadata,
    Column("channel_id", ID, ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True),
    Column("api", WORD, primary_key=True),
    Column("path", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("transport", WORD, nullable=False),
    Column("position", Integer, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", ID, primary_key=True),
    Column(
        "channel_id", ID, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("email", NAME, nullable=False),
    Column("account_id", NAME, nullable=False),
    Column("plan", NAME, nullable=False),
    Column("access_token", LargeBinary, nullable=False),
    Column("refresh_token", LargeBinary, nullable=False),
    Column("identity_token", LargeBinary, nullable=False),
    Column("expires_at", BigInteger),
    Column("refreshed_at", BigInteger),
    Column("status", WORD, nullable=False),
    Column("problem", Text, nullable=False),
    Column("tokens_revision", Integer, nullable=False),
    Column("lease", WORD, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("quota", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)
"""Accounts of channels. `lease` names who alone may renew the tokens, until `lease_until`."""

pending_sign_ins = Table(
    "pending_sign_ins",
    metadata,
    Column("id", ID, primary_key=True),
    Column("channel_id", ID, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("node", NAME, nullable=False),
    Column("actor_id", ID, nullable=False),
    Column("actor_name", NAME, nullable=False),
    Column("actor_address", NAME, nullable=False),
    Column("method", WORD, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("stage", WORD, nullable=False),
    Column("error", Text, nullable=False),
    Column("account_id", ID, nullable=False),
)
"""Sign-ins of accounts under way; `sealed` is what proves them: a verifier or a device code."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("project_id", ID, ForeignKey("projects.id"), nullable=False),
    Column("user_id", ID),
    Column("prefix", WORD, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("previous_digest", LargeBinary(32), unique=True),
    Column("previous_until", BigInteger),
    Column("status", WORD, nullable=False),
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
    Column("shows_reasoning", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revision", Integer, nullable=False),
    Index("ix_api_keys_project_id", "project_id"),
    Index("ix_api_keys_user_id", "user_id"),
)
"""`user_id` stays when its user is deleted: the key of nobody any more opens nothing."""

budgets = Table(
    "budgets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", WORD, nullable=False),
    Column("subject_id", NAME, nullable=False),
    Column("period", WORD, nullable=False),
    Column("unit", WORD, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("warns_at", JSON, nullable=False),
    Column("action", WORD, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("kind", "subject_id", "period", "unit"),
)
"""What a key, a user, a project or a channel may spend; `amount` is tokens or nano-dollars."""

models = Table(
    "models",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("projects", JSON, nullable=False),
    Column("targets", JSON, nullable=False),
    Column("fallbacks", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("name", WORD, primary_key=True),
    Column("due_at", BigInteger, nullable=False),
)
"""Work that one node does for all, and when it is due again by the database's clock.

`node:<name>` is a node of a fleet, and until when it is there unless it says so again.
"""

homes = Table(
    "homes",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),
    Column("home", NAME, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_homes_written_at", "written_at"),
)
"""Which channel, or account of one, a session or what an upstream holds is at home with.

`digest` is that of caller and id: see `core.rules.homes`.
"""

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
    Column("actor_id", ID, nullable=False),
    Column("actor_name", NAME, nullable=False),
    Column("address", NAME, nullable=False),
    Column("action", WORD, nullable=False),
    Column("noun", WORD, nullable=False),
    Column("noun_id", NAME, nullable=False),
    Column("noun_name", NAME, nullable=False),
    Column("changes", JSON, nullable=False),
)
"""What was changed by whom; `changes` maps fields to old and new value, a secret to "***"."""
