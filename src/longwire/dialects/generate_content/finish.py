"""How an answer ended: Gemini's finish reasons, and what its tokens cost."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from longwire.core.rules.turn import Usage
from longwire.dialects.generate_content.chunks import UsageMetadata
from longwire.dialects.responses.usage import encode_usage

COMPLETED: Final = frozenset({"STOP", "FINISH_REASON_UNSPECIFIED"})
"""With these an answer is whole, calls and all."""

INCOMPLETE: Final = {
    "MAX_TOKENS": "max_output_tokens",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_OTHER": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "NO_IMAGE": "content_filter",
    "ESCALATION": "content_filter",
}
"""With these it stopped early. All others are failures: the model went wrong, and may do better."""


_COUNTS: Final = [attrgetter(name) for name in UsageMetadata.__struct_fields__]


def failure_message(reason: str, detail: str | None) -> str:
    """Say what went wrong."""
    said = f": {detail}" if detail else "."
    return f"Gemini ended its answer with {reason}{said}"


def merged(counts: Sequence[UsageMetadata]) -> UsageMetadata | None:
    """Return the last counts, and the earlier ones where those say nothing."""
    if not counts:
        return None
    said = (
        next((value for each in reversed(counts) if (value := read(each)) is not None), None)
        for read in _COUNTS
    )
    return UsageMetadata(*said)


def usage_of(counts: UsageMetadata | None) -> bytes:
    """Return `usage` as the Responses API has it, as raw JSON; null where nothing was counted.

    Cached tokens are among those of the prompt, thoughts are not among those of the candidates.
    """
    if counts is None or not has_counts(counts):
        return b"null"
    into = (counts.prompt_token_count or 0) + (counts.tool_use_prompt_token_count or 0)
    thoughts = counts.thoughts_token_count or 0
    out = (counts.candidates_token_count or 0) + thoughts
    return encode_usage(Usage(into, counts.cached_content_token_count or 0, out, thoughts))


def has_counts(counts: UsageMetadata | None) -> bool:
    """Whether anything was counted."""
    return counts is not None and counts.prompt_token_count is not None
