"""What an answer of Anthropic's cost, as the Responses API says it."""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.rules.turn import Usage
from longwire.dialects.raw_json import tolerant
from longwire.dialects.responses.usage import encode_usage


class _Details(msgspec.Struct):
    thinking_tokens: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _Details | None = None


_decode: Final = tolerant(msgspec.json.Decoder(_Usage | None).decode)
_COUNTS: Final = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)


class Counts:
    """The tokens of one answer: figures are cumulative, so that later ones replace earlier ones."""

    __slots__ = ("_counts", "_thinking")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._thinking = 0

    def take(self, raw: Raw) -> None:
        """Take what an event says of it; what is malformed says nothing."""
        try:
            usage = _decode(raw)
        except msgspec.MsgspecError:
            return
        if usage is None:
            return
        for name in _COUNTS:
            count = getattr(usage, name)
            if count is not None and count >= 0:
                self._counts[name] = count
        details = usage.output_tokens_details
        if details is not None and details.thinking_tokens is not None:
            self._thinking = details.thinking_tokens

    @property
    def raw(self) -> bytes:
        """The usage as raw JSON, whose input counts what came from the cache and went into it."""
        if not self._counts:
            return b"null"
        fresh, written, read, output = (self._counts.get(name, 0) for name in _COUNTS)
        total = fresh + written + read
        return encode_usage(Usage(total, read, output, self._thinking, written))
