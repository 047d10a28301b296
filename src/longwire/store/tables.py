"""The schema. Times are ms since 1970 UTC, costs billionths of a US dollar, ids short texts.

What must not be read from a stolen file is encrypted (LargeBinary) or a digest; see `secrets`.
"""

from typing import Any, Final, get_type_hints

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
    false,
    text,
)
from sqlalchemy.types import TypeEngine

from longwire.core.nouns.turn_row import (
    LONGEST_NAME,
    LONGEST_REQUEST_ID,
    LONGEST_WORD,
    Name,
    RequestId,
    Small,
    TurnId,
    TurnRow,
    Word,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(64)
_NAME = String(LONGEST_NAME)
_WORD = String(LONGEST_WORD)


revisions = Table(
    "revisions",
    metadata,
    Column("name", _WORD, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""`configuration` grows with every change that running gateways must take over.

`oldest_program` is the schema of the oldest program that may run on this one: see `compatibility`.
"""

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
"""Secrets of the gateway itself, sealed by the vault: the pepper of the key digests."""

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
"""The row `setup` is the one-time token of the first start: its bearer becomes the owner."""

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
    Column("native_items", JSON(none_as_null=True)),
    Column("apis", JSON(none_as_null=True)),
    Column("profile", String(64), nullable=False, server_default=""),
    Column("quirks", JSON, nullable=False, server_default="[]"),
    Column("unsupported", String(16), nullable=False, server_default="refuse"),
    Column("threads", Boolean, nullable=False, server_default=false()),
    Column("prices", JSON, nullable=False, server_default="[]"),
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

accounts = Table(
    "accounts",
    metadata,
    Column("id", _ID, primary_key=True),
    Column(
        "channel_id", _ID, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("email", _NAME, nullable=False),
    Column("account_id", _NAME, nullable=False),
    Column("plan", _NAME, nullable=False),
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
)
"""Accounts of channels. `lease` names who alone may renew the tokens, until `lease_until`."""

pending_sign_ins = Table(
    "pending_sign_ins",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("channel_id", _ID, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("node", _NAME, nullable=False),
    Column("actor_id", _ID, nullable=False),
    Column("actor_name", _NAME, nullable=False),
    Column("actor_address", _NAME, nullable=False),
    Column("method", _WORD, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("stage", _WORD, nullable=False),
    Column("error", Text, nullable=False),
    Column("account_id", _ID, nullable=False),
)
"""Sign-ins of accounts under way; `sealed` is what proves them: a verifier or a device code."""

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
    Column("shows_reasoning", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revision", Integer, nullable=False),
    Index("ix_api_keys_project_id", "project_id"),
)

_COLUMNS_OF_TURNS: Final[dict[object, TypeEngine[Any]]] = {
    TurnId: BigInteger().with_variant(Integer, "sqlite"),
    RequestId: String(LONGEST_REQUEST_ID),
    Name: _NAME,
    Word: _WORD,
    bool: Boolean(),
    Small: SmallInteger(),
    int: BigInteger(),
    int | None: BigInteger(),
}

turns = Table(
    "turns",
    metadata,
    *(
        Column(
            name, _COLUMNS_OF_TURNS[kind], primary_key=kind is TurnId, nullable=kind == int | None
        )
        for name, kind in get_type_hints(TurnRow, include_extras=True).items()
    ),
    Index("ix_turns_project_id_id", "project_id", "id"),
    Index("ix_turns_key_id_id", "key_id", "id"),
    Index("ix_turns_session_id", "session", "id", sqlite_where=text("session <> ''")),
    Index("ix_turns_channel_id_id", "channel_id", "id"),
    Index("ix_turns_model_asked_id", "model_asked", "id"),
    Index("ix_turns_outcome_id", "outcome", "id"),
    Index("ix_turns_continuity_id", "continuity", "id"),
    Index("ix_turns_api_id", "api", "id"),
    Index("ix_turns_error_code_id", "error_code", "id", sqlite_where=text("error_code <> ''")),
    Index(
        "ix_turns_upstream_api_id",
        "upstream_api",
        "id",
        sqlite_where=text("upstream_api <> 'responses'"),
    ),
)
"""A column for each field of a `TurnRow`, in its order; a page is a range of ids.

Each filter of the log has its index with the id behind it: it serves filter, order and span of
time at once. A partial one serves only what repeats its condition, and costs nothing elsewhere; it
is partial on PostgreSQL too, but to say so here would load that dialect for everybody. There this
table, and those of what is beside its rows, have a partition for each UTC day: see `partitions`.
"""

jobs = Table(
    "jobs",
    metadata,
    Column("name", _WORD, primary_key=True),
    Column("due_at", BigInteger, nullable=False),
)
"""Work that one node does for all, and when it is due again by the database's clock.

`node:<name>` is a node of a fleet, and until when it is there unless it says so again.
"""

usage = Table(
    "usage",
    metadata,
    Column("span", String(1), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("project_id", _ID, primary_key=True),
    Column("channel_id", _NAME, primary_key=True),
    Column("model", _NAME, primary_key=True),
    Column("key_id", _NAME, primary_key=True),
    Column("api", _WORD, primary_key=True),
    Column("turns", BigInteger, nullable=False),
    Column("continued", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Sums of turns by hour (`span` "h") and UTC day ("d"), written with the turns themselves.

Charts read days and never the turns, which retention deletes. `start` is the span's beginning.
On SQLite the rows lie in the order of their key, so that a chart reads them in one go.
"""

turn_bodies = Table(
    "turn_bodies",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
)
"""Bodies of turns, compressed and sealed; written only for keys that ask for it."""

turn_details = Table(
    "turn_details",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("told", Text, nullable=False),
)
"""JSON of `core.nouns.turn_row.TurnDetails`: of turns that did not just succeed, or keep bodies."""

homes = Table(
    "homes",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),
    Column("home", _NAME, nullable=False),
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
    Column("actor_id", _ID, nullable=False),
    Column("actor_name", _NAME, nullable=False),
    Column("address", _NAME, nullable=False),
    Column("action", _WORD, nullable=False),
    Column("noun", _WORD, nullable=False),
    Column("noun_id", _NAME, nullable=False),
    Column("noun_name", _NAME, nullable=False),
    Column("changes", JSON, nullable=False),
)
"""What was changed by whom; `changes` maps fields to old and new value, a secret to "***"."""
