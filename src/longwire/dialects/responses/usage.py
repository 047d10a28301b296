"""What the terminal event of a response says of its turn: tokens, model, and what failed."""

from typing import NamedTuple

import msgspec

from longwire.core.events import Event
from longwire.core.rules.turn import Usage
from longwire.dialects.raw_json import tolerant

_MOST_TOKENS = 10**9


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Billed(msgspec.Struct):
    usage: _Usage | None = None
    model: str | None = None
    error: _Error | None = None


class _Bill(msgspec.Struct):
    response: _Billed


_decode_bill = tolerant(msgspec.json.Decoder(_Bill).decode)


class Bill(NamedTuple):
    """What a terminal says of its turn; None and "" where the upstream does not say."""

    usage: Usage | None = None
    model: str = ""
    error_code: str = ""
    error_message: str = ""


NO_BILL = Bill()
_NO_ERROR = _Error()


def decode_bill(event: Event) -> Bill:
    """Return the tokens that a terminal event bills, the model that served, and what failed."""
    try:
        billed = _decode_bill(event.raw).response
    except msgspec.MsgspecError:
        return NO_BILL
    error = billed.error or _NO_ERROR
    usage = _decode_usage(billed.usage)
    return Bill(usage, billed.model or "", error.code or "", error.message or "")


def _decode_usage(usage: _Usage | None) -> Usage | None:
    if usage is None:
        return None
    cached, reasoning = usage.input_tokens_details, usage.output_tokens_details
    return Usage(
        input=_tokens(usage.input_tokens),
        cached=_tokens(cached.cached_tokens) if cached else 0,
        output=_tokens(usage.output_tokens),
        reasoning=_tokens(reasoning.reasoning_tokens) if reasoning else 0,
    )


def _tokens(count: int | None) -> int:
    """Keep a count to what a response can have: an odd upstream must spoil no sum."""
    return max(0, min(count or 0, _MOST_TOKENS))
