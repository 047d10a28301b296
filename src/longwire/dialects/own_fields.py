"""Fields of a request as its client has named them, where an error names them as another API does.

Law: a path in the client's own body is exact; where that is not known any more, the member of it is
named that the field is in, and never a path of another API.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from longwire.dialects.ports import Problem
from longwire.dialects.raw_json import splice, split_members

Fields = Sequence[tuple[str, str]]
"""Patterns of whole paths in other APIs, each with what it is in the client's; the first holds."""

CHAT: Final[Fields] = (
    (r"reasoning\.effort", "reasoning_effort"),
    (r"text\.verbosity", "verbosity"),
    (r"text\.format\.(name|description|schema|strict)\b(.*)", r"response_format.json_schema.\1\2"),
    (r"text\.format\b(.*)", r"response_format\1"),
    (r"max_output_tokens", "max_completion_tokens"),
    (r"(input|instructions|system|contents)\b.*", "messages"),
    (r"(tools\[\d+\])\..*", r"\1"),
    (r"(tools\.\d+)\..*", r"\1"),
    (r"tool_choice\..*", "tool_choice"),
)
MESSAGES: Final[Fields] = (
    (r"(input|contents)\b.*", "messages"),
    (r"instructions", "system"),
    (r"max_output_tokens|max_completion_tokens", "max_tokens"),
    (r"reasoning\.effort|reasoning_effort", "output_config.effort"),
    (r"reasoning\b.*", "thinking"),
    (r"(text|response_format)\b.*", "output_config.format"),
    (r"(tools\.\d+)\..*", r"\1"),
    (r"tools\[\d+\].*", "tools"),
    (r"tool_choice\..*", "tool_choice"),
    (r"parallel_tool_calls", "tool_choice.disable_parallel_tool_use"),
)
GEMINI: Final[Fields] = (
    (r"max_output_tokens|max_completion_tokens|max_tokens", "generationConfig.maxOutputTokens"),
    (r"temperature", "generationConfig.temperature"),
    (r"top_p", "generationConfig.topP"),
    (r"top_logprobs", "generationConfig.logprobs"),
    (r"(reasoning|reasoning_effort)\b.*", "generationConfig.thinkingConfig"),
    (r"(text|response_format)\b.*", "generationConfig.responseSchema"),
    (r"(input|messages)\b.*", "contents"),
    (r"instructions|system", "systemInstruction"),
    (r"(tool_choice|parallel_tool_calls)\b.*", "toolConfig"),
    (r"tools\b.*", "tools"),
    (r"service_tier", "serviceTier"),
)
RESPONSES: Final[Fields] = (
    (r"(messages|system|contents)\b.*", "input"),
    (r"max_tokens|max_completion_tokens", "max_output_tokens"),
    (r"reasoning_effort", "reasoning.effort"),
    (r"verbosity", "text.verbosity"),
    (r"response_format\.json_schema\b(.*)", r"text.format\1"),
    (r"response_format\b(.*)", r"text.format\1"),
)


def own_field(param: str, fields: Fields) -> str:
    """Return what a field of another API is to the client; one that is none stays."""
    for pattern, own in fields:
        found = re.fullmatch(pattern, param, re.DOTALL)
        if found:
            return found.expand(own)
    return param


def with_own_field(body: bytes, fields: Fields) -> bytes:
    """Return the body of an upstream's error with its field as the client calls it."""
    try:
        error = split_members(body)["error"]
        param = msgspec.json.decode(split_members(error)["param"], type=str)
        own = own_field(param, fields)
        if own == param:
            return body
        named = splice(error, {"param": msgspec.json.encode(own)})
        return splice(body, {"error": named})
    except (msgspec.MsgspecError, KeyError):
        return body


def in_own_words(problem: Problem, fields: Fields) -> Problem:
    """Return a problem with a turn that names the client's own fields; an upstream's words stay."""
    if problem.body is not None:
        return replace(problem, body=with_own_field(problem.body, fields))
    if problem.param is None:
        return problem
    own = own_field(problem.param, fields)
    message = problem.message.replace(f"'{problem.param}'", f"'{own}'")
    return replace(problem, param=own, message=message)
