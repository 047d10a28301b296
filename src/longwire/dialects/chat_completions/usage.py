"""What an answer says of its tokens, its model and how it ended."""

import msgspec
from msgspec import Raw

from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import NULL, tolerant
from longwire.dialects.responses.usage import (
    NO_BILL,
    decode_bill,
    decode_details,
    estimated_usage,
)


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class Response(msgspec.Struct):
    """The state of a response, as far as this API repeats it."""

    id: Raw = NULL
    created_at: float | None = None
    model: Raw = NULL
    service_tier: Raw = NULL
    incomplete_details: _Incomplete | None = None


class _Carrier(msgspec.Struct):
    response: Response


_decode_carrier = tolerant(msgspec.json.Decoder(_Carrier).decode)


def response_in(event: Event | None) -> Response:
    """Return the response that an event carries; an empty one where it carries none."""
    try:
        return Response() if event is None else _decode_carrier(event.raw).response
    except msgspec.MsgspecError:
        return Response()


def finish_reason(terminal: Event | None, response: Response, *, calls: str) -> bytes:
    """Return why an answer ended, as raw JSON; `calls` says it where there are any, else ""."""
    if terminal is not None and terminal.kind is Kind.INCOMPLETE:
        details = response.incomplete_details
        is_filtered = details is not None and details.reason == "content_filter"
        return b'"content_filter"' if is_filtered else b'"length"'
    return msgspec.json.encode(calls or "stop")


def encode_usage(terminal: Event | None, turn: Turn, aggregate: Aggregate) -> bytes:
    """Return the tokens of a response, with all details; an estimate where it does not say."""
    bill = NO_BILL if terminal is None else decode_bill(terminal)
    spent = bill.usage or estimated_usage(turn, aggregate)
    details = decode_details(terminal)
    return (
        b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,'
        b'"prompt_tokens_details":%b,"completion_tokens_details":%b}'
    ) % (spent.input, spent.output, spent.input + spent.output, *details)
