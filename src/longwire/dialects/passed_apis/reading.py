"""An answer of whatever kind that passes, of which only what it cost is read.

Usage stands at the end of what these APIs answer, or near its beginning: so no more than both is
kept. In a text of JSON the quotes would be escaped, so what reads as a member is one.
"""

import json
import re
from typing import Any, Final

from longwire.core.events import Event, Kind
from longwire.core.rules.turn import Usage
from longwire.dialects.passing import Ending, passing, terminal_of

_KEPT: Final = 16 * 1024
_MOST_TOKENS: Final = 10**9
_USAGE: Final = re.compile(rb'"usage"\s*:\s*(?=\{)')
_MODEL: Final = re.compile(rb'"model"\s*:\s*"([^"\\]{1,256})"')
_scan: Final = json.JSONDecoder().raw_decode


class PassedBytes:
    """Reads one answer, whose parts are events as they come."""

    __slots__ = ("_head", "_tail")

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""

    def feed(self, chunk: bytes) -> list[Event]:
        """Give a part of it as it is."""
        if len(self._head) < _KEPT:
            self._head += chunk[: _KEPT - len(self._head)]
        self._tail = (self._tail + chunk[-_KEPT:])[-_KEPT:]
        return [passing(Kind.OUTPUT, chunk)]

    def end(self) -> list[Event]:
        """Give its terminal, which says what it cost as far as it said so."""
        models = _MODEL.findall(self._tail) or _MODEL.findall(self._head)
        model = models[-1].decode("utf-8", "replace") if models else ""
        usage = _usage_in(self._tail) or _usage_in(self._head)
        raw = b"null" if usage is None else _encoded(usage)
        return [terminal_of(Ending("", model, usage=raw), b"")]

    def whole(self, body: bytes) -> list[Event]:
        """Read one that comes whole, likewise."""
        return [*self.feed(body), *self.end()]


def _usage_in(text: bytes) -> Usage | None:
    """Return the last usage that stands in a part of an answer."""
    for found in reversed([*_USAGE.finditer(text)]):
        try:
            usage, _ = _scan(text[found.end() :].decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue  # it is cut
        if (read := _usage_of(usage)) is not None:
            return read
    return None


def _usage_of(said: dict[str, Any]) -> Usage | None:
    """Return a usage in any of its spellings; None where it does not count in tokens."""
    names = ("input_tokens", "prompt_tokens", "total_tokens")
    input_name = next((name for name in names if _count(said.get(name)) is not None), None)
    if input_name is None:
        return None
    details: Any = next((said[name] for name in _DETAILS if isinstance(said.get(name), dict)), {})
    media = [_count(details.get(name)) or 0 for name in ("audio_tokens", "image_tokens")]
    output = _count(said.get("output_tokens")) or _count(said.get("completion_tokens")) or 0
    return Usage(
        input=_count(said[input_name]) or 0,
        cached=_count(details.get("cached_tokens")) or 0,
        output=output,
        media=sum(media),
    )


_DETAILS: Final = ("input_tokens_details", "input_token_details", "prompt_tokens_details")


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return min(value, _MOST_TOKENS) if is_count and isinstance(value, int) else None


def _encoded(usage: Usage) -> bytes:
    return (
        b'{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d,"media_tokens":%d},'
        % (
            usage.input,
            usage.cached,
            usage.media,
        )
        + b'"output_tokens":%d}' % usage.output
    )
