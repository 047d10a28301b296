"""The spans of a turn that ended: one of the server, and below it one for each attempt.

Law: never a prompt, never an answer, never a key; texts are those of the row, which is cut to size.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from longwire.core.nouns.turn_row import TurnRow
from longwire.core.rules.trace_context import TraceContext
from longwire.relay.records.accounting import Failure
from longwire.relay.records.telemetry.conventions import (
    ERROR_TYPE,
    OPERATION,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    Provider,
    operation_of,
)
from longwire.relay.records.telemetry.wire import Span, attributes, encoded

_CALLERS_FAULTS: Final = range(400, 500)
_MS: Final = 1_000_000
_KEPT: Final = 4_096


class EndedTurn(NamedTuple):
    """A turn that waits to be sent: its row, its attempts that failed, its span, who answered."""

    row: TurnRow
    failures: tuple[Failure, ...]
    trace: TraceContext
    provider: Provider


def spans_of(turn: EndedTurn) -> Iterator[bytes]:
    """Yield the encoded spans of a turn."""
    row, trace = turn.row, turn.trace
    began = row.started_at * _MS
    ended = began + row.total_ms * _MS
    name = f"{operation_of(row.api)} {row.model_asked}"
    own = Span(trace.trace_id, 0, trace.span_id, False, False, name, trace.state, began, ended, b"")  # noqa: FBT003 - replaced below
    since = began
    for number, failure in enumerate(turn.failures):
        until = max(since, began + round(failure.ended * 1000) * _MS)
        yield encoded(
            own._replace(
                id=trace.attempt_id(number),
                is_error=True,
                start=since,
                end=until,
                attributes=_failed(row, failure),
            )
        )
        since = until
    if row.attempts > len(turn.failures):
        yield encoded(
            own._replace(
                id=trace.attempt_id(len(turn.failures)),
                is_error=bool(row.error_code),
                start=since,
                end=max(since, ended),
                attributes=_answered(row, turn.provider),
            )
        )
    yield encoded(
        own._replace(
            id=trace.span_id,
            parent=trace.parent_id,
            is_server=True,
            is_error=bool(row.error_code) and row.status not in _CALLERS_FAULTS,
            attributes=_served(row),
        )
    )


def _served(row: TurnRow) -> bytes:
    """Return what the span of the server says: how the turn went."""
    return _repeated(
        (OPERATION, operation_of(row.api)),
        (REQUEST_MODEL, row.model_asked),
        (ERROR_TYPE, row.error_code),
        ("http.response.status_code", row.status),
        ("longwire.key", row.key_name),
        ("longwire.channel", row.channel_name),
        ("longwire.outcome", row.outcome),
        ("longwire.continuity", row.continuity),
        ("longwire.reason", row.reason),
        ("longwire.attempts", row.attempts),
    ) + attributes(
        {
            "gen_ai.conversation.id": row.session,
            "longwire.request.id": row.request_id,
            "longwire.changed": row.changed,
            "longwire.bytes.received": row.bytes_received,
            "longwire.cost": row.cost,
        }
    )


def _answered(row: TurnRow, provider: Provider) -> bytes:
    """Return what the span of the last attempt says: what its upstream answered."""
    return _repeated(
        (OPERATION, operation_of(row.api)),
        (REQUEST_MODEL, row.model_asked),
        (RESPONSE_MODEL, row.model_served),
        (ERROR_TYPE, row.error_code),
        ("longwire.channel", row.channel_name),
        ("longwire.transport", row.transport),
        *provider.attributes().items(),
    ) + attributes(
        {
            "gen_ai.response.id": row.response_id,
            "gen_ai.usage.input_tokens": row.input_tokens,
            "gen_ai.usage.output_tokens": row.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": row.cached_tokens,
            "longwire.bytes.sent": row.bytes_sent,
        }
    )


def _failed(row: TurnRow, failure: Failure) -> bytes:
    """Return what the span of an attempt says that came to nothing."""
    return _repeated(
        (OPERATION, operation_of(row.api)),
        (REQUEST_MODEL, row.model_asked),
        (ERROR_TYPE, failure.trouble.name.lower()),
        ("longwire.channel", failure.channel),
        ("longwire.transport", failure.transport),
    )


@lru_cache(_KEPT)
def _repeated(*known: tuple[str, str | int]) -> bytes:
    """Encode attributes that many spans have alike."""
    return attributes(dict(known))
