"""The tokens of an answer of Chat Completions as the Responses API counts them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from longwire.core.rules.turn import Usage
from longwire.dialects.chat_completions.chunks import count_in, decode_any, is_count
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.responses.usage import encode_usage

_CACHED: Final = (
    ("prompt_tokens_details", "cached_tokens"),
    ("", "prompt_cache_hit_tokens"),
    ("", "cached_tokens"),
)
"""Where vendors say how much of the input came from a cache: in all places the same, or nothing."""

_WRITTEN: Final = (
    ("prompt_tokens_details", "cache_write_tokens"),
    ("", "cache_creation_input_tokens"),
)
_REASONING: Final = (("completion_tokens_details", "reasoning_tokens"), ("", "reasoning_tokens"))
Places = tuple[tuple[str, str], ...]


def usage_of(raw: Raw, profile: Profile) -> bytes:
    """Return the usage of a response as raw JSON, null where nothing is said, or no number."""
    usage = decode_any(raw)
    if not isinstance(usage, dict) or not is_count(usage.get("prompt_tokens")):
        return b"null"
    said = usage.get("completion_tokens")
    if said is not None and not is_count(said):
        return b"null"
    into, out = count_in(usage["prompt_tokens"]), count_in(said)
    reasoning, written = _first(usage, _REASONING), _first(usage, _WRITTEN)
    if profile.has_reasoning_beside:
        out = max(out + reasoning, count_in(usage.get("total_tokens")) - into)
    cached = min(_first(usage, _CACHED), into)
    return encode_usage(Usage(into, cached, out, reasoning, written))


def usage_beside(raw: Raw) -> Raw:
    """Return the usage that Groq repeats apart from its place."""
    beside = decode_any(raw)
    usage = beside.get("usage") if isinstance(beside, dict) else None
    return Raw(msgspec.json.encode(usage))


def _first(usage: Mapping[str, Any], places: Places) -> int:
    """Return the first count that is there."""
    for inside, name in places:
        found = usage.get(inside) if inside else usage
        if isinstance(found, dict) and (count := count_in(found.get(name))):
            return count
    return 0
