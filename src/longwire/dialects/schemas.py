"""JSON schemas of tools, as the Responses API takes them."""

import re
from typing import Any, Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import invalid
from longwire.dialects.raw_json import merge, split_members

NO_PARAMETERS: Final = b'{"type":"object","properties":{}}'
"""The schema of a tool that takes nothing."""

_NO_REQUIRED: Final = re.compile(rb'"required"\s*:\s*null')


def answer_schema(raw: bytes | Raw, at: str) -> bytes:
    """Return the schema of an answer. Raises `InvalidRequest` where none is at this path."""
    schema = bytes(raw)
    if schema[:1] != b"{":
        raise invalid(at, "is required: a JSON schema, an object")
    return schema


def with_required(raw: bytes) -> bytes:
    """Return raw JSON with an empty `required` for one that is null, as some clients write it.

    In a text its quotes are escaped, so that no text is changed.
    """
    return _NO_REQUIRED.sub(b'"required":[]', raw) if b'"required"' in raw else raw


def without_dialect(raw: bytes) -> bytes:
    """Return a schema without `$schema`. Raises `msgspec.MsgspecError`."""
    if b'"$schema"' not in raw:
        return raw
    members = split_members(raw)
    return merge(members, {"$schema": None}) if "$schema" in members else raw


def can_be_strict(schema: bytes) -> bool:
    """Whether strict mode takes a schema; what no schema can say is for the upstream to refuse."""
    try:
        return _is_strict(msgspec.json.decode(schema))
    except (msgspec.MsgspecError, TypeError, RecursionError):
        return False


def _is_strict(schema: Any) -> bool:  # noqa: ANN401 - decoded JSON
    """Whether every object of a schema is closed and requires all: what strict mode takes."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        if schema.get("additionalProperties") is not False:
            return False
        if not isinstance(properties, dict) or set(properties) != set(schema.get("required") or ()):
            return False
    return all(map(_is_strict, schema.values()))
