"""What the vendors of Chat Completions do differently, as data.

Law: a vendor is a row of this table; who reads a request or tells an answer looks at its traits and
never at its name. Shapes are those of recorded answers, refusals those that vendors were seen with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Names = frozenset[str]


def names(text: str) -> Names:
    """The words of a text."""
    return frozenset(text.split())


ROLES = names("system user assistant tool")
IN_CHUNKS = names("object system_fingerprint logprobs finish_reason usage")
PARTS = names("text image_url")
FORMATS = names("text json_object json_schema")
TAGS = ("<think>\n", "\n</think>\n\n")


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor: the shape of its answers first, then what it refuses."""

    thinking: Literal[
        "hidden", "reasoning_content", "reasoning", "reasoning_details", "parts", "tags"
    ] = "reasoning_content"
    """Where the reasoning of an answer stands."""
    first: Mapping[str, Any] | None = field(default_factory=lambda: {"content": ""})
    """The delta that brings the role; None: the first one with output does."""
    last: Mapping[str, Any] = field(default_factory=dict)
    """The delta of the chunk with the finish reason."""
    pairs: bool = False
    """Whether each delta has both `content` and `reasoning_content`, one of them null."""
    in_chunks: Names = IN_CHUNKS
    """What each chunk has, if only as null; `usage` only where it is wanted."""
    calls: Literal["pieces", "whole", "at_the_end"] = "pieces"
    later_piece: Mapping[str, Any] = field(default_factory=dict)
    """What the later pieces of a call repeat; there is an empty one behind them."""
    first_index: int | None = 0
    """The index of the first call; None: calls have neither index nor type."""
    calls_end: str = "tool_calls"
    """The finish reason of an answer with calls."""
    usage: Literal["if_wanted", "always", "finish"] = "if_wanted"
    """When a chunk of its own brings the usage, or whether the finish chunk does."""
    counts: Literal[
        "plain", "audio_too", "hits_and_misses", "cached_on_top", "reasoning_beside", "bare"
    ] = "plain"
    """How the usage is said."""
    id_prefix: str = "chatcmpl-"
    fingerprint: str | None = "fp_emulator"
    signs: bool = False
    """Whether the first call of a step has a thought signature, which has to come back."""
    refuses_apart: bool = False
    """Whether a refusal of the model, and what it cites, stand beside its text."""
    obfuscates: bool = False
    filters: bool = False
    """Whether a chunk without choices comes first, with what was filtered."""
    comments: bool = False
    """Whether a stream begins with a comment line."""
    envelope: Literal["nested", "flat", "bad_request", "list"] = "nested"
    key_header: str = ""
    """Where a key may stand beside `Authorization`."""

    roles: Names = ROLES
    parts: Names = PARTS
    formats: Names = FORMATS
    efforts: Names = frozenset()
    """The efforts that there are; none: any text."""
    limits: tuple[str, ...] = ("max_completion_tokens", "max_tokens")
    ignores_unknown: bool = True
    unknown_status: int = 400
    """The status of a refusal of what is unknown."""
    has_custom_tools: bool = False
    thinkers: tuple[str, ...] = ()
    """How names of models begin that refuse `max_tokens` and settings of sampling."""
    plain_models: tuple[str, ...] = ()
    """How names of models begin that do not think."""
    one_system: bool = False
    """Whether there is one system message at most, at the beginning."""
    short_ids: bool = False
    """Whether ids of calls are exactly nine letters and digits."""
    forces: bool = True
    """Whether a call can be forced while the model thinks."""
    needs_reasoning: bool = False
    """Whether turns with calls need `reasoning_content` while the model thinks."""
    ends_with_question: bool = False
    """Whether the last message must be one of the user or of a tool."""


OPENAI = Vendor(
    thinking="hidden",
    first={"content": "", "refusal": None},
    counts="audio_too",
    refuses_apart=True,
    obfuscates=True,
    roles=ROLES | {"developer"},
    parts=names("text image_url file input_audio"),
    efforts=names("none minimal low medium high xhigh"),
    ignores_unknown=False,
    has_custom_tools=True,
    thinkers=("gpt-5", "gpt-6", "o1", "o3", "o4"),
)
NO_TEXT: Mapping[str, Any] = {"content": None, "reasoning_content": ""}
NO_MORE: Mapping[str, Any] = {"content": "", "reasoning_content": None}
VLLM = Vendor(thinking="reasoning", one_system=True, envelope="bad_request")
VENDORS: Mapping[str, Vendor] = {
    "openai": OPENAI,
    "azure": replace(
        OPENAI, filters=True, key_header="api-key", parts=names("text image_url input_audio")
    ),
    "deepseek": Vendor(
        first=NO_TEXT,
        last=NO_MORE,
        pairs=True,
        usage="finish",
        counts="hits_and_misses",
        id_prefix="",
        parts=names("text"),
        formats=names("text json_object"),
        efforts=names("low medium high xhigh max"),
        limits=("max_tokens",),
        plain_models=("deepseek-chat",),
        forces=False,
        needs_reasoning=True,
    ),
    "kimi": Vendor(
        first=None,
        in_chunks=names("finish_reason"),
        usage="finish",
        counts="cached_on_top",
        efforts=names("low medium high max"),
        forces=False,
        needs_reasoning=True,
    ),
    "glm": Vendor(
        usage="finish", id_prefix="", efforts=names("low high max"), limits=("max_tokens",)
    ),
    "qwen": Vendor(
        first=NO_TEXT,
        last=NO_MORE,
        pairs=True,
        later_piece={"id": "", "type": "function"},
        fingerprint=None,
    ),
    "mistral": Vendor(
        thinking="parts",
        last={"content": ""},
        in_chunks=names("object finish_reason"),
        calls="at_the_end",
        first_index=None,
        usage="finish",
        counts="bare",
        id_prefix="",
        envelope="flat",
        limits=("max_tokens",),
        ignores_unknown=False,
        unknown_status=422,
        short_ids=True,
        ends_with_question=True,
    ),
    "groq": Vendor(
        thinking="reasoning",
        in_chunks=IN_CHUNKS - {"usage"},
        calls="whole",
        usage="finish",
        ignores_unknown=False,
    ),
    "xai": Vendor(
        first=None,
        in_chunks=names("object system_fingerprint"),
        calls="whole",
        usage="always",
        counts="reasoning_beside",
        id_prefix="",
    ),
    "vllm": VLLM,
    "vllm_unparsed": replace(VLLM, thinking="tags"),
    "ollama": Vendor(thinking="reasoning", calls="whole"),
    "openrouter": Vendor(
        thinking="reasoning_details",
        usage="always",
        id_prefix="gen-",
        comments=True,
        roles=ROLES | {"developer"},
        parts=names("text image_url file input_audio"),
        limits=("max_tokens",),
    ),
    "gemini": Vendor(
        thinking="hidden",
        first=None,
        in_chunks=names("object"),
        calls="whole",
        calls_end="stop",
        id_prefix="",
        signs=True,
        envelope="list",
        ignores_unknown=False,
        plain_models=("gemini-2",),
    ),
    "anthropic": Vendor(
        thinking="hidden",
        first={},
        in_chunks=names("object finish_reason"),
        first_index=1,
        id_prefix="msg_",
    ),
}
