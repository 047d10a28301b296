"""What is read of `GenerateContentResponse`, whole or as one chunk of a stream."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.raw_json import NULL, keeping_halves


class PartialArgument(msgspec.Struct, rename="camel"):
    """A piece of one argument, which `json_path` names."""

    json_path: str = "$"
    string_value: str | None = None
    number_value: Raw = NULL
    bool_value: bool | None = None


class FunctionCall(msgspec.Struct, rename="camel"):
    """A call, or a piece of one."""

    id: str | None = None
    name: str | None = None
    args: Raw = NULL
    partial_args: list[PartialArgument] | None = None
    will_continue: bool | None = None


class ExecutableCode(msgspec.Struct):
    """Code that Google's servers run."""

    language: str | None = None
    code: str = ""


class CodeResult(msgspec.Struct):
    """What it printed."""

    output: str = ""


class Blob(msgspec.Struct, rename="camel"):
    """Data in base64, or where it is."""

    mime_type: str | None = None
    data: Raw = NULL
    file_uri: str | None = None


class Part(msgspec.Struct, rename="camel"):
    """One part of what the model said."""

    text: Raw = NULL
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    executable_code: ExecutableCode | None = None
    code_execution_result: CodeResult | None = None
    inline_data: Blob | None = None
    file_data: Blob | None = None


class Content(msgspec.Struct):
    """What the model said."""

    parts: list[Part] | None = None


class Web(msgspec.Struct):
    """A page that was found."""

    uri: str | None = None
    title: str | None = None


class GroundingChunk(msgspec.Struct):
    """A source of an answer."""

    web: Web | None = None


class Segment(msgspec.Struct, rename="camel"):
    """A stretch of the text, in bytes."""

    start_index: int | None = None
    end_index: int | None = None


class GroundingSupport(msgspec.Struct, rename="camel"):
    """Which sources a stretch of the text has."""

    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class Grounding(msgspec.Struct, rename="camel"):
    """What was searched for, and what was found."""

    web_search_queries: list[str] | None = None
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None


class LogProbability(msgspec.Struct, rename="camel"):
    """A token, and how likely it was."""

    token: str = ""
    log_probability: Raw = NULL


class TopCandidates(msgspec.Struct):
    """The likeliest tokens in one place."""

    candidates: list[LogProbability] | None = None


class LogProbabilities(msgspec.Struct, rename="camel"):
    """The tokens of what was said, and those that might have been."""

    chosen_candidates: list[LogProbability] | None = None
    top_candidates: list[TopCandidates] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    """One answer; only the first is ever asked for."""

    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None
    grounding_metadata: Grounding | None = None
    logprobs_result: LogProbabilities | None = None


class PromptFeedback(msgspec.Struct, rename="camel"):
    """Why a prompt got no answer."""

    block_reason: str | None = None


class UsageMetadata(msgspec.Struct, rename="camel", gc=False):
    """Tokens so far: each chunk's replace those before."""

    prompt_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None


class Chunk(msgspec.Struct, rename="camel"):
    """One response, or what comes of it at once."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None
    error: Raw = NULL

    @property
    def created_at(self) -> int:
        """When it was made, in seconds since 1970 UTC; 0 where it does not say."""
        try:
            return int(datetime.fromisoformat(self.create_time or "").timestamp())
        except (ValueError, OverflowError):
            return 0


decode_chunk: Final = keeping_halves(msgspec.json.Decoder(Chunk).decode, "text")
