"""What the vendors of Chat Completions do differently, as data.

Law: a vendor is a row of this table; who reads a request or tells an answer looks at its traits and
never at its name. Shapes are those of recorded answers, refusals those that vendors were seen with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Thinking = Literal["hidden", "reasoning_content", "reasoning", "parts"]
Counts = Literal[
    "plain", "audio_too", "hits_and_misses", "cached_on_top", "reasoning_beside", "bare"
]

NOT_OPENAI = frozenset(("system", "user", "assistant", "tool"))


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor: the traits of its answers first, then what it refuses."""

    thinking: Thinking = "reasoning_content"
    """Where the reasoning of an answer stands."""
    first: Mapping[str, Any] | None = field(default_factory=lambda: {"content": ""})
    """The delta that brings the role; None: the first one with output does."""
    pairs: bool = False
    """Whether each delta has both `content` and `reasoning_content`, one of them null."""
    calls: Literal["pieces", "whole", "at_the_end"] = "pieces"
    later_piece: Mapping[str, Any] = field(default_factory=dict)
    """What the later pieces of a call repeat."""
    shows_index: bool = True
    """Whether a call in a stream has its `index` and `type`."""
    last: Mapping[str, Any] = field(default_factory=dict)
    """The delta of the chunk with the finish reason."""
    usage: Literal["if_wanted", "always", "finish"] = "if_wanted"
    """When a chunk of its own brings the usage, or whether the finish chunk does."""
    counts: Counts = "plain"
    """How the usage is said."""
    null_finish: bool = True
    """Whether chunks before the last one have `finish_reason: null`."""
    names_object: bool = True
    id_prefix: str = "chatcmpl-"
    calls_end: str = "tool_calls"
    """The finish reason of an answer with calls."""
    signs: bool = False
    """Whether the first call of a step has a thought signature, which has to come back."""
    obfuscates: bool = False
    comments: bool = False
    """Whether a stream begins with a comment line."""
    envelope: Literal["nested", "flat", "list"] = "nested"

    roles: frozenset[str] = NOT_OPENAI
    extra_members: frozenset[str] = frozenset()
    ignores_unknown: bool = True
    one_system: bool = False
    """One system message, at the beginning."""
    parts: frozenset[str] = frozenset(("text", "image_url"))
    short_ids: bool = False
    """Whether ids of calls are exactly nine letters and digits."""
    forces: bool = True
    """Whether a call can be forced while the model thinks."""
    forces_any: bool = True
    """Whether `required` is known while the model thinks."""
    formats: frozenset[str] = frozenset(("text", "json_object", "json_schema"))
    needs_reasoning: bool = False
    """Whether turns with calls need `reasoning_content` while the model thinks."""
    token_limits: frozenset[str] = frozenset(("max_tokens", "max_completion_tokens"))
    ends_with_question: bool = False
    """Whether the last message must be one of the user or of a tool."""
    thinkers: tuple[str, ...] = ()
    """How names of models begin that refuse `max_tokens` and settings of sampling."""
    efforts: frozenset[str] = frozenset()
    """The efforts that there are; none: any text."""


OPENAI = Vendor(
    thinking="hidden",
    first={"content": "", "refusal": None},
    counts="audio_too",
    obfuscates=True,
    roles=NOT_OPENAI | {"developer"},
    thinkers=("gpt-5", "gpt-6", "o1", "o3", "o4"),
    ignores_unknown=False,
    parts=frozenset(("text", "image_url", "file", "input_audio")),
    efforts=frozenset(("none", "minimal", "low", "medium", "high", "xhigh")),
)
PAIRED: Mapping[str, Any] = {"content": "", "reasoning_content": None}
NO_TEXT: Mapping[str, Any] = {"content": None, "reasoning_content": ""}
VENDORS: Mapping[str, Vendor] = {
    "openai": OPENAI,
    "deepseek": Vendor(
        first=NO_TEXT,
        pairs=True,
        last=PAIRED,
        usage="finish",
        counts="hits_and_misses",
        id_prefix="",
        forces=False,
        formats=frozenset(("text", "json_object")),
        needs_reasoning=True,
        parts=frozenset(("text",)),
        efforts=frozenset(("low", "medium", "high", "xhigh", "max")),
    ),
    "mistral": Vendor(
        thinking="parts",
        calls="at_the_end",
        shows_index=False,
        last={"content": ""},
        usage="finish",
        counts="bare",
        id_prefix="",
        envelope="flat",
        ignores_unknown=False,
        short_ids=True,
        token_limits=frozenset(("max_tokens",)),
        ends_with_question=True,
    ),
    "kimi": Vendor(
        first=None,
        usage="finish",
        counts="cached_on_top",
        names_object=False,
        forces_any=False,
        forces=False,
        needs_reasoning=True,
    ),
    "qwen": Vendor(
        first=NO_TEXT,
        pairs=True,
        last=PAIRED,
        later_piece={"id": "", "type": "function"},
    ),
    "glm": Vendor(usage="finish", id_prefix="", efforts=frozenset(("low", "high", "max"))),
    "groq": Vendor(thinking="reasoning", calls="whole", usage="finish", ignores_unknown=False),
    "xai": Vendor(
        first=None,
        calls="whole",
        usage="always",
        counts="reasoning_beside",
        null_finish=False,
        id_prefix="",
    ),
    "vllm": Vendor(thinking="reasoning", one_system=True, envelope="flat"),
    "ollama": Vendor(thinking="reasoning", calls="whole"),
    "openrouter": Vendor(
        thinking="reasoning",
        usage="always",
        id_prefix="gen-",
        comments=True,
        roles=NOT_OPENAI | {"developer"},
        parts=frozenset(("text", "image_url", "file", "input_audio")),
    ),
    "gemini": Vendor(
        thinking="hidden",
        calls="whole",
        id_prefix="",
        calls_end="stop",
        signs=True,
        envelope="list",
        ignores_unknown=False,
        roles=NOT_OPENAI | {"developer"},
    ),
}
