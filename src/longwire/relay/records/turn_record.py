"""The row of a turn that has ended, and what some turns have beside it, for the journals.

Law: text of callers and upstreams is cut to what a column holds, so that no row is refused for it.
A plain turn that succeeded costs its row and nothing more.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from longwire.core.errors import UpstreamError
from longwire.core.nouns.secret import concealed
from longwire.core.nouns.turn_row import (
    ID_BITS,
    LONGEST_NAME,
    LONGEST_REQUEST_ID,
    LONGEST_WORD,
    TurnAttempt,
    TurnBodies,
    TurnDetails,
    TurnId,
    TurnRow,
)
from longwire.core.rules.routing import Manner
from longwire.core.rules.session import LOGGED_HEADERS, trace_id
from longwire.core.rules.turn import Purpose
from longwire.dialects.clients import dialect_of
from longwire.dialects.passed_apis.upstream import asks_for_stream, kept_form
from longwire.dialects.responses.call import encode_body
from longwire.dialects.responses.recall import as_received
from longwire.dialects.responses.usage import Bill
from longwire.relay.records.accounting import Failure, TurnRecord
from longwire.relay.records.journal import Journal, TurnIds
from longwire.relay.records.pricing import Prices
from longwire.relay.records.route import route_of

_LONGEST_MESSAGE = 512
_MOST_ATTEMPTS = 50
_CLIENT_CLOSED = 499
"""What nginx calls a request whose client left; there is no status of its own for it."""
_OK = 200
_WENT_WELL = frozenset({"completed", "incomplete"})

Note = Callable[[TurnRow, Sequence[TurnBodies | TurnDetails]], None]
"""Takes note of a turn with something beside it."""

Observe = Callable[[TurnRow, TurnRecord], None]
"""Takes the row of a turn with its record. Never waits, never fails."""

Explain = Callable[[Exception], tuple[int, str, str]]
"""Gives the HTTP status, the code and the message of a failure."""


@dataclass(frozen=True, slots=True)
class TurnRecorder:
    """Writes turns that ended on a `node` into journals; `trace_headers` name runs, too.

    `costs` are the sums of all turns by channel, in billionths of a US dollar.
    """

    journals: Sequence[Journal]
    ids: TurnIds
    prices: Prices
    explain: Explain
    node: str = ""
    trace_headers: Sequence[str] = ()
    observe: Observe | None = None
    costs: Counter[str] = field(default_factory=Counter)
    note: Note = lambda *_: None

    def keep(self, record: TurnRecord, seconds: float) -> None:
        """Write a turn that took so many seconds."""
        row = self._row(record, seconds)
        beside: tuple[TurnBodies | TurnDetails, ...] = ()
        if record.request.caller.grant.keeps_bodies:
            beside = (_bodies(row.id, record), self._details(row, record))
        elif record.failures or record.outcome not in _WENT_WELL:
            beside = (self._details(row, record),)
        if beside:
            self.note(row, beside)
        for journal in self.journals:
            journal.write(row, *beside)
        if row.cost:
            self.costs[row.channel_name] += row.cost
        if self.observe is not None:
            self.observe(row, record)

    def _row(self, record: TurnRecord, seconds: float) -> TurnRow:
        turn_id, duration = self.ids.next(), round(seconds * 1000)
        request, bill = record.request, record.bill
        turn, grant = request.turn, request.caller.grant
        status, error_code = self._verdict(record)
        session = _fit(request.session, LONGEST_NAME)
        run = trace_id(request.headers, request.session, self.trace_headers)
        return TurnRow(
            id=turn_id,
            request_id=_fit(request.id, LONGEST_REQUEST_ID),
            project_id=grant.project_id,
            key_id=grant.key_id,
            key_name=_fit(request.caller.name, LONGEST_NAME),
            session=session,
            channel_id=record.channel_id,
            channel_name=_fit(record.channel, LONGEST_NAME),
            api=turn.source.api,
            **_travelled(record),
            model_asked=_fit(turn.model, LONGEST_NAME),
            model_served=_fit(bill.model, LONGEST_NAME),
            streams=turn.streams or (turn.purpose is Purpose.PASSED and _is_streamed(record)),
            outcome=record.outcome,
            status=status,
            error_code=_fit(error_code, LONGEST_WORD) if error_code else "",
            attempts=record.attempts,
            started_at=(turn_id >> ID_BITS) - duration,
            first_event_ms=_milliseconds(record.first_event),
            total_ms=duration,
            bytes_received=turn.source.body_size,
            **_tokens(bill),
            cost=record.cost if record.is_priced else self._cost(record),
            is_estimated=bill.is_estimated,
            dropped=_listed(record.dropped) if record.dropped else "",
            upstream_api=record.way.api,
            node=self.node,
            account_id=record.account_id,
            response_id=_fit(bill.response_id or _begun(record), LONGEST_NAME),
            trace=session if run == request.session else _fit(run, LONGEST_NAME),
        )

    def _cost(self, record: TurnRecord) -> int | None:
        name = record.model_there or record.request.turn.model
        usage, models = record.bill.usage, (record.bill.model, name)
        return self.prices.cost(usage, *models, configured=record.price_of) if usage else None

    def _verdict(self, record: TurnRecord) -> tuple[int, str]:
        """Return the status that the client saw, and the code of what failed, "" for nothing."""
        has_terminal = record.aggregate is not None and record.aggregate.terminal is not None
        if record.outcome == "abandoned":
            return _CLIENT_CLOSED, ""
        match record.error:
            case Exception() as error if not has_terminal:
                status, code, _ = self.explain(error)
                passes = record.request.turn.purpose is Purpose.PASSED  # on whatever comes first
                streams = passes or record.request.turn.streams
                has_begun = streams and record.first_event is not None
                return _OK if has_begun else status, code or record.outcome
            case _:
                failed = record.outcome if record.outcome == "failed" else ""
                return _OK, record.bill.error_code or failed

    def _details(self, row: TurnRow, record: TurnRecord) -> TurnDetails:
        """Return who sent it, and each attempt; of very many the last ones."""
        sent = record.request.headers
        headers = {
            name: _fit(sent[name], LONGEST_NAME) for name in LOGGED_HEADERS if sent.get(name)
        }
        message = self._message(row, record)
        attempts = [self._failed(each) for each in record.failures]
        if row.attempts > len(attempts):
            attempts.append(_last(row, message))
        route = route_of(record, time.monotonic())
        return TurnDetails(row.id, headers, tuple(attempts[-_MOST_ATTEMPTS:]), message, route)

    def _failed(self, failure: Failure) -> TurnAttempt:
        status, code, message = self.explain(failure.error)
        return TurnAttempt(
            channel_id=_fit(failure.channel_id, LONGEST_NAME),
            channel_name=_fit(failure.channel, LONGEST_NAME),
            transport=failure.transport,
            trouble=failure.trouble.name.lower(),
            status=status,
            code=_fit(code, LONGEST_WORD),
            message=_shown(message),
            ended_ms=round(failure.ended * 1000),
        )

    def _message(self, row: TurnRow, record: TurnRecord) -> str:
        """Return the error message that the client got, "" for none."""
        if not row.error_code:
            return ""
        if record.aggregate is not None and record.aggregate.terminal is not None:
            return _shown(record.bill.error_message)
        return _shown(self.explain(record.error)[2]) if isinstance(record.error, Exception) else ""


def _last(row: TurnRow, message: str) -> TurnAttempt:
    """Return the attempt that ended as its turn did."""
    return TurnAttempt(
        channel_id=row.channel_id,
        channel_name=row.channel_name,
        transport=row.transport,
        trouble="",
        status=row.status,
        code=row.error_code,
        message=message,
        ended_ms=row.total_ms,
    )


def _travelled(record: TurnRecord) -> dict[str, Any]:
    """Return how a turn went upstream; of one that never left, by which way it was to go."""
    delivery, sent = record.delivery, record.bytes_lost
    if delivery is None:
        nothing = {"continuity": "", "reason": "", "changed": "", "connection": None}
        return {**nothing, "transport": record.transport, "queue_ms": 0, "bytes_sent": sent}
    return {
        "transport": delivery.transport,
        "continuity": delivery.continuity,
        "reason": delivery.reason or "",
        "changed": delivery.changed,
        "connection": delivery.connection,
        "queue_ms": round(delivery.queued * 1000),
        "bytes_sent": sent + delivery.bytes_sent,
    }


def _begun(record: TurnRecord) -> str:
    """Return the id of a response that began and came to no end: its client may know it."""
    opening = record.aggregate.opening if record.aggregate else None
    return (opening.response_id or "") if opening else ""


def _tokens(bill: Bill) -> dict[str, Any]:
    """Return the tokens of a turn; nobody estimates what part of the output is reasoning."""
    usage = bill.usage
    return {
        "input_tokens": usage.input if usage else None,
        "cached_tokens": usage.cached if usage else None,
        "output_tokens": usage.output if usage else None,
        "reasoning_tokens": usage.reasoning if usage and not bill.is_estimated else None,
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _listed(names: Sequence[str]) -> str:
    return _fit(", ".join(names), LONGEST_NAME)


def _shown(message: str) -> str:
    """Cut a message, which may quote anything, and leave out what looks like a secret in it."""
    return _fit(concealed(message), _LONGEST_MESSAGE)


def _fit(text: str, most: int) -> str:
    """Make a text storable anywhere: PostgreSQL takes no NUL, and neither takes lone surrogates."""
    if text.isprintable() and text.isascii():
        return text[:most]
    return (
        text[:most].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    )


def _is_streamed(record: TurnRecord) -> bool:
    """Return whether a passed turn asked for a stream, or its answer is one of events."""
    delivery = record.delivery
    media_type = "" if delivery is None else delivery.media_type
    return media_type.startswith("text/event-stream") or asks_for_stream(record.request.turn)


def _bodies(turn_id: TurnId, record: TurnRecord) -> TurnBodies:
    """Return request and response as the client sent and got them, but for their spacing."""
    turn = as_received(record.request.turn)
    is_form = turn.purpose is Purpose.PASSED and not turn.source.body
    request = kept_form(turn) if is_form else turn.source.body
    request = request or encode_body(turn, streams=turn.streams)
    aggregate = record.aggregate
    if aggregate is None or aggregate.terminal is None:
        return TurnBodies(turn_id, request, b"")
    terminal = aggregate.terminal
    if record.way.manner is Manner.NATIVE:
        return TurnBodies(turn_id, request, b"".join(record.passed_on) or terminal.wire)
    answer = dialect_of(turn.source.api).answer(turn, aggregate, record.request.headers)
    try:
        return TurnBodies(turn_id, request, answer.whole(terminal))
    except (KeyError, UpstreamError, msgspec.MsgspecError):
        return TurnBodies(turn_id, request, terminal.raw)
