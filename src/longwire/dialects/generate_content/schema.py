"""Gemini's schemas, a part of OpenAPI's with types in capitals, as JSON schemas."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from longwire.dialects.fields import invalid
from longwire.dialects.generate_content.wire import camel
from longwire.dialects.schemas import NO_PARAMETERS, with_required, without_dialect

_LEFT_OUT: Final = frozenset({"propertyOrdering", "example", "nullable"})
_COUNTS: Final = frozenset(
    {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
)
_OWN_FORMATS: Final = ("enum", "float", "double", "int32", "int64")
"""Formats that say how a value is kept, and nothing of what it is."""

_NULL: Final = {"type": "null"}
_LONGEST_COUNT: Final = 18
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
Schema = Any
"""Decoded JSON: what no schema can say is for the upstream to refuse."""


def parameters_of(own: bytes, json_schema: bytes, at: str) -> bytes:
    """Return the parameters of a function as a JSON schema. Raises `InvalidRequest`."""
    for name, raw in (("parametersJsonSchema", json_schema), ("parameters", own)):
        if raw not in (b"null", b"{}"):
            if raw[:1] != b"{":
                raise invalid(f"{at}.{name}", "must be a schema, an object")
            if name == "parameters":
                return with_required(_translated(raw, f"{at}.{name}"))
            return with_required(without_dialect(raw))
    return NO_PARAMETERS


def format_of(own: bytes, json_schema: bytes) -> bytes:
    """Return the schema of an answer, whose objects have no other members than those it names."""
    if json_schema != b"null":
        return json_schema
    return _translated(own, "generationConfig.responseSchema", closes=True)


def _translated(raw: bytes, at: str, *, closes: bool = False) -> bytes:
    try:
        return _encode(_schema(_decode(raw), at, closes=closes))
    except (msgspec.MsgspecError, RecursionError):
        raise invalid(at, "nests too deeply, or is no JSON") from None


def _schema(schema: Schema, at: str, *, closes: bool) -> Schema:
    if not isinstance(schema, dict):
        return schema
    said = {camel(name): value for name, value in schema.items()}
    found: dict[str, Schema] = {}
    for name, value in said.items():
        if name == "properties" and isinstance(value, dict):
            order = _order(said, at)
            found[name] = {
                each: _schema(value[each], f"{at}.{name}.{each}", closes=closes)
                for each in dict.fromkeys([*filter(value.__contains__, order), *value])
            }
        elif name == "anyOf" and isinstance(value, list):
            found[name] = [
                _schema(inner, f"{at}.{name}.{number}", closes=closes)
                for number, inner in enumerate(value)
            ]
        elif name in {"items", "additionalProperties"}:
            found[name] = _schema(value, f"{at}.{name}", closes=closes)
        elif not _is_left_out(name, value):
            found[name] = _plain(name, value, at)
    if "anyOf" in found and "properties" not in found and found.get("type") == "object":
        del found["type"]  # google-genai writes it there, whatever the alternatives are
    if closes and "properties" in found:
        found.setdefault("additionalProperties", False)
    return _nullable(found) if _is_nullable(said, at) else found


def _is_left_out(name: str, value: Schema) -> bool:
    own = {"type": ("TYPE_UNSPECIFIED",), "format": _OWN_FORMATS}
    return name in _LEFT_OUT or value in own.get(name, ())


def _plain(name: str, value: Schema, at: str) -> Schema:
    """Return a member that holds no schema: a type in small letters, a count as a number."""
    if not isinstance(value, str):
        return value
    if name == "type":
        return value.lower()
    if name not in _COUNTS:
        return value
    if not value.isdecimal() or len(value) > _LONGEST_COUNT:
        raise invalid(f"{at}.{name}", "must be a number")
    return int(value)


def _is_nullable(said: Mapping[str, Schema], at: str) -> bool:
    wanted = said.get("nullable")
    if not isinstance(wanted, bool | None):
        raise invalid(f"{at}.nullable", "must be true or false")
    return bool(wanted)


def _nullable(schema: dict[str, Schema]) -> Schema:
    """Return a schema that null fits, too: by its type, its values and its alternatives."""
    if "$ref" in schema or "ref" in schema:
        return {"anyOf": [schema, _NULL]}
    kind, values, alternatives = (schema.get(name) for name in ("type", "enum", "anyOf"))
    if isinstance(kind, str) and kind != "null":
        schema["type"] = [kind, "null"]
    if isinstance(values, list) and None not in values:
        schema["enum"] = [*values, None]
    if isinstance(alternatives, list) and _NULL not in alternatives:
        schema["anyOf"] = [*alternatives, _NULL]
    return schema


def _order(said: Mapping[str, Schema], at: str) -> list[str]:
    """Return the order that a schema wants its properties in. Raises `InvalidRequest`."""
    order = said.get("propertyOrdering") or []
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        raise invalid(f"{at}.propertyOrdering", "must be an array of names")
    return order
