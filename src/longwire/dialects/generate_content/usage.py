"""What an answer says of itself beside its content: which it is, how it ended, what it cost."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.usage import Response, response_in
from longwire.dialects.responses.usage import NO_BILL, decode_bill, estimated_usage

_REASONS: Final = {"max_output_tokens": b"MAX_TOKENS", "content_filter": b"SAFETY"}
_encode: Final = msgspec.json.Encoder().encode


def identity(event: Event | None, turn: Turn) -> bytes:
    """Return the members that say which response it is, each with a comma before it."""
    response = response_in(event)
    model, own_id = bytes(response.model), bytes(response.id)
    said = b',"modelVersion":%b' % (_encode(turn.model) if model == b"null" else model)
    created = _time(response)
    if created:
        said += b',"createTime":"%b"' % created
    return said + b',"responseId":%b' % (own_id if own_id != b"null" else b'"resp_unknown"')


def _time(response: Response) -> bytes:
    """Return when a response was created, as RFC 3339 has it; b"" where nobody said so."""
    try:
        created = datetime.fromtimestamp(response.created_at or 0, UTC)
    except (ValueError, OverflowError, OSError):
        return b""
    return created.strftime("%Y-%m-%dT%H:%M:%SZ").encode() if response.created_at else b""


def finish_reason(terminal: Event | None, *, is_refused: bool) -> bytes:
    """Return why an answer ended; without a terminal the gateway has ended it."""
    details = response_in(terminal).incomplete_details
    if details is not None:
        return _REASONS.get(details.reason or "", b"OTHER")
    return b"SAFETY" if is_refused else b"STOP"


def encode_usage(terminal: Event | None, turn: Turn, aggregate: Aggregate) -> bytes:
    """Return the tokens of a response as raw JSON; an estimate where it does not say."""
    bill = NO_BILL if terminal is None else decode_bill(terminal)
    spent = bill.usage or estimated_usage(turn, aggregate)
    said = {
        "promptTokenCount": spent.input,
        "candidatesTokenCount": max(0, spent.output - spent.reasoning),
        "totalTokenCount": spent.input + spent.output,
    }
    said |= {"cachedContentTokenCount": spent.cached} if spent.cached else {}
    said |= {"thoughtsTokenCount": spent.reasoning} if spent.reasoning else {}
    return _encode(said)
