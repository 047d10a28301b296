"""Errors of the Responses API with the names of what the client of this API sent."""

import re
from typing import Final

import msgspec

from longwire.dialects.raw_json import splice, split_members

_OWN: Final = (
    (r"reasoning\.effort", "reasoning_effort"),
    (r"text\.verbosity", "verbosity"),
    (r"text\.format\.(name|description|schema|strict)\b(.*)", r"response_format.json_schema.\1\2"),
    (r"text\.format\b(.*)", r"response_format\1"),
    (r"max_output_tokens", "max_completion_tokens"),
    (r"input\b.*", "messages"),
    (r"(tools\[\d+\])\..*", r"\1"),
)
"""What of the hub is named otherwise here; where it is not sure, what it is in is named."""


def own_param(param: str) -> str:
    """Return what a field of the Responses API is to a client of this one."""
    for pattern, own in _OWN:
        found = re.fullmatch(pattern, param, re.DOTALL)
        if found:
            return found.expand(own)
    return param


def with_own_param(body: bytes) -> bytes:
    """Return the body of an upstream's error with its field as this API names it."""
    try:
        error = split_members(body)["error"]
        param = msgspec.json.decode(split_members(error)["param"], type=str)
        own = own_param(param)
        if own == param:
            return body
        named = splice(error, {"param": msgspec.json.encode(own)})
        return splice(body, {"error": named})
    except (msgspec.MsgspecError, KeyError):
        return body
