"""The tables of alerts: rules, destinations, what fired, and what was sent of it."""

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
    Table,
    Text,
)

from longwire.store.schema import ID, NAME, WORD, metadata

alert_rules = Table(
    "alert_rules",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("watched", WORD, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("window", Integer, nullable=False),
    Column("lasts", Integer, nullable=False),
    Column("least_turns", Integer, nullable=False),
    Column("repeat_after", Integer, nullable=False),
    Column("destinations", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)

alert_destinations = Table(
    "alert_destinations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False, unique=True),
    Column("kind", WORD, nullable=False),
    Column("url", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("format", WORD, nullable=False),
    Column("host", NAME, nullable=False),
    Column("port", Integer, nullable=False),
    Column("security", WORD, nullable=False),
    Column("user", NAME, nullable=False),
    Column("password", LargeBinary, nullable=False),
    Column("sender", NAME, nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)
"""The URL of a webhook is sealed, too: who knows that of a chat may write there."""

alerts = Table(
    "alerts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("rule_id", ID, nullable=False),
    Column("rule_name", NAME, nullable=False),
    Column("watched", WORD, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("subject", NAME, nullable=False),
    Column("label", NAME, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("fired_at", BigInteger),
    Column("informed_at", BigInteger),
    Column("until", BigInteger),
    Column("value", Double, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_alerts_until", "until"),
    Index("ix_alerts_fired_at_id", "fired_at", "id"),
)
"""What a rule saw; without `fired_at` it did not last long enough yet, without `until` it lasts."""

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("alert_id", ID, ForeignKey("alerts.id", ondelete="CASCADE")),
    Column("destination_id", ID, nullable=False),
    Column("destination_name", NAME, nullable=False),
    Column("event", WORD, nullable=False),
    Column("message", JSON, nullable=False),
    Column("status", WORD, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("answer", Text, nullable=False),
    Index("ix_alert_deliveries_alert_id", "alert_id"),
    Index("ix_alert_deliveries_next_at", "next_at"),
)
"""What is sent of an alert to each destination; `next_at` is when to try again, None for never.

Without `alert_id` it is a test.
"""
