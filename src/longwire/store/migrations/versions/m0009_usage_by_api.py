"""Sums of turns by the API that clients speak.

Turns that the log still has are counted by their API. What retention deleted keeps its sums, with
the API "": before this schema the Responses API was served beside its compaction and its count of
tokens, later Chat Completions and Messages, too, and the sums do not say which turns were whose.
"""

from collections.abc import Mapping
from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Insert,
    PrimaryKeyConstraint,
    Select,
    String,
    TableClause,
    and_,
    column,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.types import TypeEngine

revision = "0009"
down_revision = "0008"

_Types = Mapping[str, TypeEngine[Any]]
_KEY: _Types = {
    "span": String(1),
    "start": BigInteger(),
    "project_id": String(64),
    "channel_id": String(256),
    "model": String(256),
    "key_id": String(256),
}
_API: _Types = {"api": String(64)}
_SUMS = (
    "turns",
    "continued",
    "failures",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "cost",
    "bytes_received",
    "bytes_sent",
)
_SPANS = {"h": 3_600_000, "d": 86_400_000}
_FROM_THE_LOG = """
    INSERT INTO usage (
        span, start, project_id, channel_id, model, key_id, api, turns, continued, failures,
        input_tokens, cached_tokens, output_tokens, cost, bytes_received, bytes_sent
    )
    SELECT
        :span, started_at / :length * :length, project_id, channel_id,
        CASE WHEN channel_id = '' THEN '' ELSE model_asked END, key_id, api,
        count(*),
        sum(CASE WHEN continuity = 'continued' THEN 1 ELSE 0 END),
        sum(CASE WHEN error_code = '' THEN 0 ELSE 1 END),
        coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0),
        coalesce(sum(output_tokens), 0), coalesce(sum(cost), 0),
        sum(bytes_received), sum(bytes_sent)
    FROM turns
    GROUP BY 2, 3, 4, 5, 6, 7
"""
_usage = table("usage", *map(column, (*_KEY, *_API, *_SUMS)))
_before = table("usage_before", *map(column, (*_KEY, *_SUMS)))


def upgrade() -> None:
    """Make the table anew with the API in its key; what it summed up stays the same."""
    _make_anew({**_KEY, **_API})
    for span, length in _SPANS.items():
        op.get_bind().execute(text(_FROM_THE_LOG), {"span": span, "length": length})
    op.execute(_not_in_the_log())
    op.drop_table("usage_before")


def downgrade() -> None:
    """Add the APIs up again."""
    _make_anew(_KEY)
    op.execute(insert(_usage).from_select([*_KEY, *_SUMS], _added_up(_before)))
    op.drop_table("usage_before")


def _not_in_the_log() -> Insert:
    """Return the statement that keeps what the sums had beyond the turns of the log."""
    logged = _added_up(_usage).subquery("logged")
    is_same = and_(*(_before.c[name] == logged.c[name] for name in _KEY))
    rest = (
        select(
            *(_before.c[name] for name in _KEY),
            literal_column("''"),
            *(_before.c[name] - func.coalesce(logged.c[name], 0) for name in _SUMS),
        )
        .select_from(_before.outerjoin(logged, is_same))
        .where(_before.c.turns > func.coalesce(logged.c.turns, 0))
    )
    return insert(_usage).from_select([*_KEY, *_API, *_SUMS], rest)


def _added_up(sums: TableClause) -> Select[Any]:
    keys = [sums.c[name] for name in _KEY]
    figures = (func.sum(sums.c[name]).label(name) for name in _SUMS)
    return select(*keys, *figures).group_by(*keys)


def _make_anew(key: _Types) -> None:
    """Set the rows aside as `usage_before`, for SQLite cannot change the key that they lie by."""
    op.execute("CREATE TABLE usage_before AS SELECT * FROM usage")
    op.drop_table("usage")
    op.create_table(
        "usage",
        *(Column(name, kind, nullable=False) for name, kind in key.items()),
        *(Column(name, BigInteger, nullable=False) for name in _SUMS),
        PrimaryKeyConstraint(*key, name="pk_usage"),
        sqlite_with_rowid=False,
    )
