"""What an answer cost, as this API counts it: the input apart from what came from a cache."""

from typing import Final

import msgspec

from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import tolerant
from longwire.dialects.responses.usage import NO_BILL, decode_bill, estimated_usage

NOTHING_YET: Final = (
    b'{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
    b'"output_tokens":0,"service_tier":"standard"}'
)
"""What stands at the beginning of a stream; its end has the figures."""

_FAST: Final = frozenset({"priority", "fast"})


class _Details(msgspec.Struct):
    cache_write_tokens: int | None = None


class _Tokens(msgspec.Struct):
    input_tokens_details: _Details | None = None


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class Response(msgspec.Struct):
    """The state of a response, as far as this API repeats it."""

    status: str | None = None
    incomplete_details: _Incomplete | None = None
    usage: _Tokens | None = None
    service_tier: str | None = None


class _Terminal(msgspec.Struct):
    response: Response


_decode: Final = tolerant(msgspec.json.Decoder(_Terminal).decode)


def response_in(terminal: Event | None) -> Response:
    """Return the response that a terminal carries; an empty one where it carries none."""
    try:
        return Response() if terminal is None else _decode(terminal.raw).response
    except msgspec.MsgspecError:
        return Response()


def usage_of(terminal: Event | None, response: Response, turn: Turn, aggregate: Aggregate) -> bytes:
    """Return the usage of an answer as raw JSON; an estimate where its terminal says nothing."""
    bill = NO_BILL if terminal is None else decode_bill(terminal)
    usage = bill.usage or estimated_usage(turn, aggregate)
    details = response.usage.input_tokens_details if response.usage is not None else None
    written = (details.cache_write_tokens if details is not None else None) or 0
    counted = {
        "input_tokens": max(0, usage.input - usage.cached - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "service_tier": "priority" if response.service_tier in _FAST else "standard",
    }
    return msgspec.json.encode(counted)
