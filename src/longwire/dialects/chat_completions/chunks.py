"""What an upstream of Chat Completions sends, as far as it is read: its chunks and whole answers.

What vendors write in more than one form stays raw, so that no form of it is malformed.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import Raw

from longwire.dialects.raw_json import NULL, keeping_halves, tolerant


class CalledFunction(msgspec.Struct):
    """What a call calls, or more of it; arguments are a text, or the object itself."""

    name: Raw = NULL
    arguments: Raw = NULL


class CallDelta(msgspec.Struct):
    """A call, or more of it. Gemini's `extra_content` has the signature of its thoughts."""

    index: Raw = NULL
    id: Raw = NULL
    function: CalledFunction | None = None
    extra_content: Raw = NULL


class Delta(msgspec.Struct):
    """More of the message, or all of it."""

    content: Raw = NULL
    reasoning_content: Raw = NULL
    reasoning: Raw = NULL
    reasoning_details: Raw = NULL
    refusal: Raw = NULL
    tool_calls: list[CallDelta] | None = None
    function_call: CalledFunction | None = None


class Logprobs(msgspec.Struct):
    """Logprobs of a text."""

    content: Raw = NULL


class Choice(msgspec.Struct):
    """One answer among those asked for."""

    index: Raw = Raw(b"0")
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Raw = NULL
    logprobs: Logprobs | None = None
    error: Raw = NULL


class Chunk(msgspec.Struct):
    """One event of a stream, or a whole answer. Groq repeats its usage in `x_groq`."""

    id: Raw = NULL
    model: Raw = NULL
    created: Raw = NULL
    choices: list[Choice] | None = None
    usage: Raw = NULL
    x_groq: Raw = NULL
    error: Raw = NULL


class ContentPart(msgspec.Struct):
    """One part of a content; `thinking` holds parts again, or a text."""

    type: str = ""
    text: Raw = NULL
    thinking: Raw = NULL


_TEXTS: Final = ("content", "reasoning_content", "reasoning", "refusal", "arguments")
_NO_NUMBER: Final = re.compile(rb'("(?:[^"\\]|\\.)*+")|-?(?:NaN|Infinity)', re.DOTALL)
_decode_chunk: Final = keeping_halves(msgspec.json.Decoder(Chunk).decode, *_TEXTS)
decode_parts: Final = keeping_halves(
    msgspec.json.Decoder(list[ContentPart]).decode, "text", "thinking"
)
decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)
decode_any: Final = tolerant(msgspec.json.Decoder(Any).decode)


def decode_chunk(data: bytes) -> Chunk:
    """Decode a chunk; what some write for numbers that JSON has not is null.

    Raises `msgspec.MsgspecError`.
    """
    try:
        return _decode_chunk(data)
    except msgspec.DecodeError:
        numbered = _NO_NUMBER.sub(lambda found: found[1] or b"null", data)
        if numbered == data:
            raise
        return _decode_chunk(numbered)


def text_in(raw: Raw) -> bytes:
    """Return a raw JSON text that says something; b"" for an empty one and any other value."""
    value = bytes(raw)
    return value if value[:1] == b'"' and value != b'""' else b""


def is_count(value: object) -> bool:
    """Whether a value counts anything."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def count_in(value: object) -> int:
    """Return a count, 0 for what is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return max(0, int(value))
    return 0
