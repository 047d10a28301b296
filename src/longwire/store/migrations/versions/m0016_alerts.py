"""Alerts: rules, destinations, what fired, and what was sent of it; a first set of rules."""

import time

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    column,
    table,
)

revision = "0016"
down_revision = "0015"
OLDEST_PROGRAM = "0012"

_ID, _WORD, _NAME = String(64), String(64), String(256)
_HOUR, _DAY = 3600, 24 * 3600
_RULES = (
    # id, name, watched, threshold, window, lasts, least turns, repeat after; seconds
    ("alr_channel_resting", "A channel rests", "channel_resting", 1.0, 900, 60, 20, _DAY),
    ("alr_sign_in_needed", "An account must sign in", "sign_in_needed", 1.0, 900, 0, 20, _DAY),
    ("alr_budget_share", "A budget is nearly spent", "budget_share", 0.8, 900, 0, 20, 0),
    ("alr_error_rate", "Many turns fail", "error_rate", 0.2, 900, 120, 20, 6 * _HOUR),
    ("alr_continued_drop", "Fewer turns are continued", "continued_drop", 0.25, _HOUR, 300, 50, 0),
    ("alr_turn_log_failing", "Turns cannot be logged", "turn_log_failing", 1.0, 900, 60, 20, _HOUR),
    ("alr_turn_log_full", "The turn log falls behind", "turn_log_full", 0.5, 900, 60, 20, _HOUR),
    ("alr_turns_dropped", "Turns were not logged", "turns_dropped", 1.0, _HOUR, 0, 20, 0),
    ("alr_disk_free", "The disk is nearly full", "disk_free", 0.1, 900, 60, 20, _DAY),
    ("alr_node_gone", "A node is gone", "node_gone", 1.0, 900, 0, 20, 0),
)
_COLUMNS = (
    *("id", "name", "watched", "threshold", "window", "lasts", "least_turns", "repeat_after"),
)


def upgrade() -> None:
    """Make the tables, and the rules that somebody who has none should have."""
    _make_rules()
    _make_destinations()
    _make_alerts()
    op.execute("INSERT INTO jobs (name, due_at) VALUES ('alerts', 0)")
    now = time.time_ns() // 1_000_000
    names = (*_COLUMNS, "destinations", "enabled", "created_at", "revision")
    kinds = {"destinations": JSON}
    op.bulk_insert(
        table("alert_rules", *(column(name, kinds.get(name)) for name in names)),
        [dict(zip(names, (*each, [], True, now, 1), strict=True)) for each in _RULES],
    )


def _make_rules() -> None:
    op.create_table(
        "alert_rules",
        Column("id", _ID, nullable=False, primary_key=True),
        Column("name", _NAME, nullable=False),
        Column("watched", _WORD, nullable=False),
        Column("threshold", Double, nullable=False),
        *(
            Column(name, Integer, nullable=False)
            for name in ("window", "lasts", "least_turns", "repeat_after")
        ),
        Column("destinations", JSON, nullable=False),
        Column("enabled", Boolean, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("revision", Integer, nullable=False),
        UniqueConstraint("name", name="uq_alert_rules_name"),
    )


def _make_destinations() -> None:
    op.create_table(
        "alert_destinations",
        Column("id", _ID, nullable=False, primary_key=True),
        Column("name", _NAME, nullable=False),
        Column("kind", _WORD, nullable=False),
        Column("url", LargeBinary, nullable=False),
        Column("secret", LargeBinary, nullable=False),
        Column("format", _WORD, nullable=False),
        Column("host", _NAME, nullable=False),
        Column("port", Integer, nullable=False),
        Column("security", _WORD, nullable=False),
        Column("user", _NAME, nullable=False),
        Column("password", LargeBinary, nullable=False),
        Column("sender", _NAME, nullable=False),
        Column("recipients", JSON, nullable=False),
        Column("enabled", Boolean, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("revision", Integer, nullable=False),
        UniqueConstraint("name", name="uq_alert_destinations_name"),
    )


def _make_alerts() -> None:
    op.create_table(
        "alerts",
        Column("id", _ID, nullable=False, primary_key=True),
        Column("rule_id", _ID, nullable=False),
        Column("rule_name", _NAME, nullable=False),
        Column("watched", _WORD, nullable=False),
        Column("threshold", Double, nullable=False),
        Column("subject", _NAME, nullable=False),
        Column("label", _NAME, nullable=False),
        Column("since", BigInteger, nullable=False),
        *(Column(name, BigInteger) for name in ("fired_at", "informed_at", "until")),
        Column("value", Double, nullable=False),
        Column("note", Text, nullable=False),
    )
    op.create_index("ix_alerts_until", "alerts", ["until"])
    op.create_index("ix_alerts_fired_at_id", "alerts", ["fired_at", "id"])
    op.create_table(
        "alert_deliveries",
        Column("id", _ID, nullable=False, primary_key=True),
        Column(
            "alert_id",
            _ID,
            ForeignKey("alerts.id", name="fk_alert_deliveries_alert_id_alerts", ondelete="CASCADE"),
        ),
        Column("destination_id", _ID, nullable=False),
        Column("destination_name", _NAME, nullable=False),
        Column("event", _WORD, nullable=False),
        Column("message", JSON, nullable=False),
        Column("status", _WORD, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("next_at", BigInteger),
        Column("ended_at", BigInteger),
        Column("answer", Text, nullable=False),
    )
    op.create_index("ix_alert_deliveries_alert_id", "alert_deliveries", ["alert_id"])
    op.create_index("ix_alert_deliveries_next_at", "alert_deliveries", ["next_at"])


def downgrade() -> None:
    """Drop them again."""
    for name in ("alert_deliveries", "alerts", "alert_destinations", "alert_rules"):
        op.drop_table(name)
    op.execute("DELETE FROM jobs WHERE name = 'alerts'")
