"""Gemini's schemas, a part of OpenAPI's with types in capitals, as JSON schemas."""

from typing import Any, Final

import msgspec

from longwire.dialects.fields import invalid
from longwire.dialects.generate_content.wire import camel
from longwire.dialects.schemas import NO_PARAMETERS, with_required, without_dialect

_LEFT_OUT: Final = frozenset({"propertyOrdering", "example", "nullable", "format"})
_COUNTS: Final = frozenset(
    {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
)
_OWN_FORMATS: Final = frozenset({"enum", "float", "double", "int32", "int64"})
"""Formats that say how a value is kept, and nothing of what it is."""
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
                return with_required(_encode(_schema(_read(raw, at))))
            return with_required(without_dialect(raw))
    return NO_PARAMETERS


def format_of(own: bytes, json_schema: bytes) -> bytes:
    """Return the schema of an answer, whose objects have no other members than those it names."""
    if json_schema != b"null":
        return json_schema
    return _encode(_schema(_read(own, "generationConfig.responseSchema"), closes=True))


def _read(raw: bytes, at: str) -> Schema:
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        raise invalid(at, "nests too deeply, or is no JSON") from None


def _schema(schema: Schema, *, closes: bool = False) -> Schema:
    if not isinstance(schema, dict):
        return schema
    said = {camel(name): value for name, value in schema.items()}
    found: dict[str, Schema] = {}
    for name, value in said.items():
        if name == "type" and isinstance(value, str):
            found |= _type(value, is_nullable=said.get("nullable") is True)
        elif name == "properties" and isinstance(value, dict):
            found[name] = _properties(value, said.get("propertyOrdering"), closes=closes)
        elif name == "anyOf" and isinstance(value, list):
            found[name] = [_schema(each, closes=closes) for each in value]
        elif name in {"items", "additionalProperties"}:
            found[name] = _schema(value, closes=closes)
        elif name in _COUNTS and isinstance(value, str) and value.isdecimal():
            found[name] = int(value)
        elif name not in _LEFT_OUT or (name == "format" and value not in _OWN_FORMATS):
            found[name] = value
    if closes and "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def _type(name: str, *, is_nullable: bool) -> dict[str, Schema]:
    if name == "TYPE_UNSPECIFIED":
        return {}
    return {"type": [name.lower(), "null"] if is_nullable else name.lower()}


def _properties(properties: dict[str, Schema], order: Schema, *, closes: bool) -> Schema:
    """Return properties in the order that the schema wants them in."""
    wanted = [name for name in order if name in properties] if isinstance(order, list) else []
    names = dict.fromkeys([*wanted, *properties])
    return {name: _schema(properties[name], closes=closes) for name in names}
