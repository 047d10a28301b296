"""What an upstream of Chat Completions says an answer cost, wherever its vendor says it."""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.passing import Spent


class _Input(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _Output(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    """`prompt_cache_hit_tokens` is DeepSeek's, `cached_tokens` beside the others is Kimi's."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _Input | None = None
    completion_tokens_details: _Output | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None


_decode: Final = msgspec.json.Decoder(_Usage | None, strict=False).decode


def decode_cost(raw: bytes | Raw) -> Spent | None:
    """Return the tokens that a `usage` counts, None where it counts nothing.

    Some count reasoning beside the output (xAI): that shows in the sum, and is output, too.
    """
    try:
        usage = _decode(raw)
    except msgspec.MsgspecError:
        return None
    if usage is None or (usage.prompt_tokens is None and usage.completion_tokens is None):
        return None
    details = usage.prompt_tokens_details or _Input()
    tokens, output = usage.prompt_tokens or 0, usage.completion_tokens or 0
    thought = usage.completion_tokens_details or _Output()
    reasoning = thought.reasoning_tokens or 0
    if reasoning and usage.total_tokens == tokens + output + reasoning:
        output += reasoning
    cached = details.cached_tokens or usage.prompt_cache_hit_tokens or usage.cached_tokens or 0
    return Spent(tokens, cached, details.cache_write_tokens or 0, output, reasoning)
