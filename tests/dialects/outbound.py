"""What upstreams of other APIs can be asked for: each member of a request, tried at each of them.

`docs/generate.py` prints the table into the reference of dialects.

A member is said where the request differs with it, left out where it does not, and refused where
the dialect says so. Nothing is claimed that was not tried.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from longwire.core.errors import InvalidRequest
from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.ports import Terms, UpstreamCall
from longwire.dialects.profiles.known import profile_of
from longwire.dialects.responses.request import decode_request
from longwire.dialects.upstreams import UPSTREAMS

Json = dict[str, Any]
_TRIED: Mapping[str, tuple[str, str, Terms]] = {
    "Chat Completions": ("chat_completions", "a-model", Terms(profile_of("generic", ""))),
    "Messages": ("messages", "claude-opus-4-6", Terms()),
    "Gemini": ("generate_content", "gemini-3-pro-preview", Terms()),
}
"""API, model and terms by the title of a column."""

_SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False, "required": []}
_FORMAT = {"type": "json_schema", "name": "it", "strict": True, "schema": _SCHEMA}
_FUNCTION = {"type": "function", "name": "look", "parameters": _SCHEMA, "strict": False}
_MEMBERS: Mapping[str, object] = {
    "instructions": "Be brief.",
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "max_output_tokens": 4000,
    "max_tool_calls": 3,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_logprobs": 2,
    "reasoning.effort": "high",
    "reasoning.summary": "auto",
    "text.format": _FORMAT,
    "text.verbosity": "low",
    "truncation": "auto",
    "context_management": [{"type": "compaction", "compact_threshold": 200_000}],
    "service_tier": "priority",
    "metadata": {"a": "b"},
    "store": True,
    "include": ["reasoning.encrypted_content"],
    "user": "u",
    "safety_identifier": "s",
    "prompt_cache_key": "k",
    "client_metadata": {"a": "b"},
    "background": True,
    "generate": False,
    "prompt": {"id": "pmpt_1"},
    "conversation": "conv_1",
    "previous_response_id": "resp_1",
}
_TOOLS: Mapping[str, Json] = {
    "custom": {"name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "a"}},
    "namespace": {"name": "files", "description": "Files.", "tools": [_FUNCTION]},
    "local_shell": {},
    "shell": {},
    "apply_patch": {},
    "web_search": {},
    "file_search": {"vector_store_ids": ["vs_1"]},
    "code_interpreter": {"container": {"type": "auto"}},
    "image_generation": {},
    "mcp": {"server_label": "docs", "server_url": "https://example.org/mcp"},
    "computer": {},
}
_PARTS: Mapping[str, Json] = {
    "input_image": {"image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"},
    "input_file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
    "input_audio": {"input_audio": {"data": "UklGRg==", "format": "wav"}},
}


def table() -> Iterator[str]:
    """One row for each member, tool and part of a content."""
    yield f"| of a request | {' | '.join(_TRIED)} |"
    yield f"|---{'|---' * len(_TRIED)}|"
    for name, body in _bodies():
        cells = (_fate(body, title) for title in _TRIED)
        yield f"| {name} | {' | '.join(cells)} |"


def _bodies() -> Iterator[tuple[str, Json]]:
    for name, value in _MEMBERS.items():
        member, _, inner = name.partition(".")
        yield f"`{name}`", {member: {inner: value} if inner else value}
    for kind, members in _TOOLS.items():
        yield f"a tool `{kind}`", {"tools": [_FUNCTION, {"type": kind, **members}]}
    for kind, members in _PARTS.items():
        content = [{"type": kind, **members}, {"type": "input_text", "text": "What is it?"}]
        yield f"an `{kind}`", {"input": [{"role": "user", "content": content}]}


def _fate(members: Json, title: str) -> str:
    plain = _call(title, {"tools": [_FUNCTION]})
    try:
        call = _call(title, {"tools": [_FUNCTION], **members})
    except InvalidRequest:
        return "refused"
    if set(call.dropped) - set(plain.dropped):
        return "left out, named"
    return "yes" if (call.body, call.headers) != (plain.body, plain.headers) else "left out"


def _call(title: str, members: Json) -> UpstreamCall:
    api, model, terms = _TRIED[title]
    body = {"model": model, "input": "What is it?", **members}
    turn = decode_request(json.dumps(body).encode(), {}, EVERYTHING)
    return UPSTREAMS[api].translate(turn, {}, terms)
