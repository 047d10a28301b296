"""The spans of a turn that ended: one of the server, and below it one for each attempt.

Law: never a prompt, never an answer, never a key; texts are those of the row, which is cut to size.
"""

from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
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
    row, trace, failures = turn.row, turn.trace, turn.failures
    began = row.started_at * _MS
    ended = began + row.total_ms * _MS
    own = (trace.trace_id, f"{operation_of(row.api)} {row.model_asked}", trace.state)
    has_failed = bool(row.error_code)
    since = began
    for number, failure in enumerate(failures):
        until = max(since, began + round(failure.ended * 1000) * _MS)
        place = (trace.attempt_id(number), trace.span_id, since, until)
        yield encoded(Span(*own, *place, _failed(row, failure), is_error=True))
        since = until
    if row.attempts > len(failures):
        place = (trace.attempt_id(len(failures)), trace.span_id, since, max(since, ended))
        yield encoded(Span(*own, *place, _answered(row, turn.provider), has_failed))
    place = (trace.span_id, trace.parent_id, began, ended)
    is_error = has_failed and row.status not in _CALLERS_FAULTS
    yield encoded(Span(*own, *place, _served(row), is_error, is_server=True))


_SERVED: Final = {
    "api": OPERATION,
    "model_asked": REQUEST_MODEL,
    "error_code": ERROR_TYPE,
    "status": "http.response.status_code",
    "key_name": "longwire.key",
    "channel_name": "longwire.channel",
    "outcome": "longwire.outcome",
    "continuity": "longwire.continuity",
    "reason": "longwire.reason",
    "attempts": "longwire.attempts",
}
_ANSWERED: Final = {
    "api": OPERATION,
    "model_asked": REQUEST_MODEL,
    "model_served": RESPONSE_MODEL,
    "error_code": ERROR_TYPE,
    "channel_name": "longwire.channel",
    "transport": "longwire.transport",
}
"""What many turns say alike, by the column of the row that it is in."""

_FAILED_NAMES: Final = (
    OPERATION,
    REQUEST_MODEL,
    ERROR_TYPE,
    "longwire.channel",
    "longwire.transport",
)
_SERVED_NAMES: Final = tuple(_SERVED.values())
_ANSWERED_NAMES: Final = tuple(_ANSWERED.values())
_served_alike = attrgetter(*_SERVED)
_answered_alike = attrgetter(*_ANSWERED)


def _served(row: TurnRow) -> bytes:
    """Return what the span of the server says: how the turn went."""
    return _alike(_SERVED_NAMES, _served_alike(row)) + attributes(
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
    own = attributes(
        {
            "gen_ai.response.id": row.response_id,
            "gen_ai.usage.input_tokens": row.input_tokens,
            "gen_ai.usage.output_tokens": row.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": row.cached_tokens,
            "longwire.bytes.sent": row.bytes_sent,
        }
    )
    return _alike(_ANSWERED_NAMES, _answered_alike(row)) + _whose(provider) + own


def _failed(row: TurnRow, failure: Failure) -> bytes:
    """Return what the span of an attempt says that came to nothing."""
    trouble = failure.trouble.name.lower()
    values = (row.api, row.model_asked, trouble, failure.channel, failure.transport)
    return _alike(_FAILED_NAMES, values)


@lru_cache(_KEPT)
def _alike(names: tuple[str, ...], values: tuple[str, ...]) -> bytes:
    """Encode attributes that many spans have alike, the first being the API."""
    return attributes(dict(zip(names, (operation_of(values[0]), *values[1:]), strict=True)))


@lru_cache(_KEPT)
def _whose(provider: Provider) -> bytes:
    return attributes(provider.attributes())
