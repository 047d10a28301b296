"""The tables of the turn log: turns, what stands beside them, and their sums."""

from typing import Any, Final, get_type_hints

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

from longwire.core.nouns.turn_row import (
    LONGEST_REQUEST_ID,
    Name,
    RequestId,
    Small,
    TurnId,
    TurnRow,
    Word,
)
from longwire.store.schema import ID, NAME, WORD, metadata

_COLUMNS_OF_TURNS: Final[dict[object, TypeEngine[Any]]] = {
    TurnId: BigInteger().with_variant(Integer, "sqlite"),
    RequestId: String(LONGEST_REQUEST_ID),
    Name: NAME,
    Word: WORD,
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
    Index("ix_turns_reason_id", "reason", "id", sqlite_where=text("reason <> ''")),
    Index("ix_turns_request_id_id", "request_id", "id"),
    Index("ix_turns_response_id_id", "response_id", "id", sqlite_where=text("response_id <> ''")),
    Index("ix_turns_trace_id", "trace", "id", sqlite_where=text("trace <> ''")),
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

usage = Table(
    "usage",
    metadata,
    Column("span", String(1), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("project_id", ID, primary_key=True),
    Column("channel_id", NAME, primary_key=True),
    Column("model", NAME, primary_key=True),
    Column("key_id", NAME, primary_key=True),
    Column("api", WORD, primary_key=True),
    Column("turns", BigInteger, nullable=False),
    Column("continued", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("unpriced", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
"""Sums of turns by hour (`span` "h") and UTC day ("d"), written with the turns themselves.

Charts read days and never the turns, which retention deletes. `start` is the span's beginning.
On SQLite the rows lie in the order of their key, so that a chart reads them in one go.
"""

runs = Table(
    "runs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("part", NAME, primary_key=True),
    Column("kind", WORD, nullable=False),
    Column("name", NAME, nullable=False),
    Column("project_id", ID, nullable=False),
    Column("key_id", NAME, nullable=False),
    Column("key_name", NAME, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("models", Text, nullable=False),
    Column("channels", Text, nullable=False),
    Column("turns", BigInteger, nullable=False),
    Column("continued", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Index("ix_runs_kind_last_at_id", "kind", "last_at", "id"),
    Index("ix_runs_name_kind_last_at_id", "name", "kind", "last_at", "id"),
    Index("ix_runs_key_id_kind_last_at_id", "key_id", "kind", "last_at", "id"),
    Index("ix_runs_project_id_kind_last_at_id", "project_id", "kind", "last_at", "id"),
)
"""Sums of turns by session and by trace, written with the turns themselves: see `store.runs`.

A trace has a row of its project, and one of each key besides: its kind is "part", its part the key.
"""

usage_reasons = Table(
    "usage_reasons",
    metadata,
    Column("span", String(1), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("project_id", ID, primary_key=True),
    Column("channel_id", NAME, primary_key=True),
    Column("model", NAME, primary_key=True),
    Column("key_id", NAME, primary_key=True),
    Column("api", WORD, primary_key=True),
    Column("reason", WORD, primary_key=True),
    *(
        Column(
            sums.name,
            BigInteger,
            nullable=False,
            server_default="0" if sums.server_default is not None else None,
        )
        for sums in usage.columns
        if not sums.primary_key
    ),
    sqlite_with_rowid=False,
)
"""The same sums by `reason`, too: why turns were not continued, else how they went.

That is "continued" or "as-given", and "" for what was never sent. The table is its own since it is
younger than `usage`, which has what was deleted from the log before.
"""

latencies = Table(
    "latencies",
    metadata,
    Column("figure", String(1), primary_key=True),
    Column("span", String(1), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("project_id", ID, primary_key=True),
    Column("channel_id", NAME, primary_key=True),
    Column("model", NAME, primary_key=True),
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("turns", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How long served turns took, as histograms by hour and UTC day: see `store.latencies`.

`turns` are how many fell into a `bucket` of `core.rules.latency`, `total` is what they add up to.
Of each figure there is a histogram of its own, which lies in one place.
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
