"""What a response costs: as its terminal says, else an estimate from what was sent and received.

A token is taken for four bytes. Of input that is all that the model reads, also where most of it
was held upstream already, since it is billed each turn; a file in base64 counts as a thousand.
Of output each event is one, for most are deltas; or it is the items that are whole, if more.
"""

from typing import NamedTuple

import msgspec

from longwire.core.events import Event
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn, Usage
from longwire.dialects.raw_json import tolerant
from longwire.dialects.responses.image import output_of

_MOST_TOKENS = 10**9
_BYTES_PER_TOKEN = 4
_USUAL_OUTPUT = 1_000
_FILE_TOKENS = 1_000
_BASE64 = b";base64,"


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    media_tokens: int | None = None
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
    id: str | None = None


class _Bill(msgspec.Struct):
    response: _Billed


class _RawDetails(msgspec.Struct):
    input_tokens_details: msgspec.Raw = msgspec.Raw(b"null")
    output_tokens_details: msgspec.Raw = msgspec.Raw(b"null")


class _RawBilled(msgspec.Struct):
    usage: _RawDetails | None = None


class _RawBill(msgspec.Struct):
    response: _RawBilled


_NO_DETAILS = b'{"cached_tokens":0}', b'{"reasoning_tokens":0}'
_decode_raw_details = tolerant(msgspec.json.Decoder(_RawBill).decode)
_decode_bill = tolerant(msgspec.json.Decoder(_Bill).decode)


class Bill(NamedTuple):
    """What a terminal says of its turn; None and "" where the upstream does not say."""

    usage: Usage | None = None
    model: str = ""
    error_code: str = ""
    error_message: str = ""
    response_id: str = ""
    is_estimated: bool = False


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
    return Bill(usage, billed.model or "", error.code or "", error.message or "", billed.id or "")


def _decode_usage(usage: _Usage | None) -> Usage | None:
    if usage is None:
        return None
    cached, reasoning = usage.input_tokens_details, usage.output_tokens_details
    return Usage(
        input=_tokens(usage.input_tokens),
        cached=_tokens(cached.cached_tokens) if cached else 0,
        output=_tokens(usage.output_tokens),
        reasoning=_tokens(reasoning.reasoning_tokens) if reasoning else 0,
        cache_write=_tokens(cached.cache_write_tokens) if cached else 0,
        media=(cached.media_tokens or 0) if cached else 0,
    )


def encode_usage(usage: Usage) -> bytes:
    """Return the usage of a response as raw JSON."""
    return (
        b'{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d,"cache_write_tokens":%d},'
        b'"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}'
        % (
            usage.input,
            usage.cached,
            usage.cache_write,
            usage.output,
            usage.reasoning,
            usage.input + usage.output,
        )
    )


def decode_details(terminal: Event | None) -> tuple[bytes, bytes]:
    """Return the details of the tokens of input and output, as raw JSON; zeros where it says none.

    Other APIs of OpenAI's have the same members under other names.
    """
    try:
        usage = None if terminal is None else _decode_raw_details(terminal.raw).response.usage
    except msgspec.MsgspecError:
        usage = None
    usage = usage or _RawDetails()
    found = bytes(usage.input_tokens_details), bytes(usage.output_tokens_details)
    into, out = (_NO_DETAILS[at] if raw == b"null" else raw for at, raw in enumerate(found))
    return into, out


def _tokens(count: int | None) -> int:
    """Keep a count to what a response can have: an odd upstream must spoil no sum."""
    return max(0, min(count or 0, _MOST_TOKENS))


def expected_usage(turn: Turn) -> Usage:
    """Estimate what a turn will cost before it is sent: a usual output, or the most it may have."""
    most = turn.members.get("max_output_tokens", b"")
    output = min(int(most[:9]), _USUAL_OUTPUT) if most.isdigit() else _USUAL_OUTPUT
    return Usage(_input_tokens(turn), 0, output)


def estimated_usage(turn: Turn, aggregate: Aggregate, sent: int | None = None) -> Usage:
    """Estimate what a response cost whose usage nobody said.

    Where the turn continued, so that `sent` bytes were enough, the rest was cached.
    """
    tokens = _input_tokens(turn)
    cached = 0 if sent is None else max(0, tokens - sent // _BYTES_PER_TOKEN)
    items = sum(map(len, output_of(aggregate))) // _BYTES_PER_TOKEN
    return Usage(tokens, cached, max(aggregate.output_events, items))


def _input_tokens(turn: Turn) -> int:
    """Count input, instructions and tools; what a response that is only named brings is unknown."""
    members, raw = turn.members, turn.source.body if turn.source.is_unread else turn.input or b""
    size = len(raw) + len(members.get("instructions", b"")) + len(members.get("tools", b""))
    if _BASE64 in raw:
        files = _files(raw)
        size += _BYTES_PER_TOKEN * _FILE_TOKENS * len(files) - sum(files)
    return min(size // _BYTES_PER_TOKEN, _MOST_TOKENS)


def _files(raw: bytes) -> list[int]:
    """Return the sizes of the files that stand in an input as base64."""
    sizes, at = [], raw.find(_BASE64)
    while at >= 0:
        end = raw.find(b'"', at)
        end = len(raw) if end < 0 else end
        sizes.append(end - at)
        at = raw.find(_BASE64, end)
    return sizes
