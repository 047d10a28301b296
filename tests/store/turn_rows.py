"""Rows of the turn log, made for tests."""

from longwire.core.nouns.turn_row import (
    TurnAttempt,
    TurnBodies,
    TurnDetails,
    TurnId,
    TurnRow,
    earliest_id,
)

NOON = 1_790_000_000_000
"""A time in ms since 1970 UTC, 13:33 on a Monday in September."""

ROW = TurnRow(
    id=TurnId(0),
    request_id="req_1",
    project_id="prj_1",
    key_id="key_1",
    key_name="dev",
    session="agent-1",
    channel_id="ch_1",
    channel_name="main",
    api="responses",
    transport="websocket",
    continuity="continued",
    reason="",
    connection=7,
    model_asked="gpt-5.5",
    model_served="gpt-5.5-2026-04-01",
    streams=True,
    outcome="completed",
    status=200,
    error_code="",
    attempts=1,
    started_at=NOON,
    queue_ms=1,
    first_event_ms=200,
    total_ms=900,
    bytes_received=1_000,
    bytes_sent=100,
    input_tokens=10,
    cached_tokens=4,
    output_tokens=5,
    reasoning_tokens=2,
    cost=1_000,
    is_estimated=False,
    upstream_api="responses",
    dropped="seed, prediction",
    node="lw-0",
    account_id="acc_1",
    changed="",
    response_id="resp_1",
    trace="trace-1",
)


def row(number=0, at=NOON, **changes):
    """A row that ended at a time, the `number`th of its millisecond."""
    return ROW._replace(id=TurnId(earliest_id(at) + number), started_at=at, **changes)


def bodies(of, request=b'{"model":"gpt-5.5"}', response=b'{"id":"resp_1"}'):
    """The bodies of a row."""
    return TurnBodies(of.id, request, response)


def details(of, message="it is full", **headers):
    """The details of a row that needed two attempts."""
    asked = "ch_1", "main"
    return TurnDetails(
        of.id,
        headers or {"user-agent": "agent/1"},
        (
            TurnAttempt(*asked, "websocket", "lost", 502, "upstream_disconnected", "gone", 20),
            TurnAttempt(*asked, "http", "", 503, "overloaded", message, 40),
        ),
        message,
    )
