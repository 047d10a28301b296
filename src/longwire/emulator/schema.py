"""JSON that fits a schema: arguments of calls, and answers in a format.

Law: the same schema and number give the same JSON. It knows what clients' libraries write: objects,
arrays, enumerations, constants, alternatives and references.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from longwire.emulator.options import Json

EXAMPLES: Mapping[str, Any] = {
    "number": msgspec.Raw(b"1.50"),
    "integer": 7,
    "boolean": True,
    "array": [],
    "object": {},
    "null": None,
}
UNNAMED = {"text": {"type": "string"}, "n": {"type": "number"}}
DEEPEST = 8


def example(schema: Json, number: int) -> str:
    """An object that fits a schema; one without properties gets a text and a number."""
    if not isinstance(schema, dict) or not (members_of(schema) or "$ref" in schema):
        schema = {"type": "object", "properties": UNNAMED}
    return msgspec.json.encode(value_of(schema, schema, number, 0)).decode()


def value_of(rule: Json, root: Mapping[str, Any], number: int, depth: int) -> Json:
    """A value that fits a rule; what is deeper than any client's schema is left empty."""
    rule = resolved(rule, root) if isinstance(rule, dict) else {}
    if "const" in rule:
        return rule["const"]
    if rule.get("enum"):
        return rule["enum"][0]
    kind = rule.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if (members := members_of(rule)) and depth < DEEPEST:
        return {name: value_of(each, root, number, depth + 1) for name, each in members.items()}
    if kind == "array" and rule.get("items") and depth < DEEPEST:
        return [value_of(rule["items"], root, number, depth + 1)]
    return EXAMPLES.get(str(kind), f"naïve ✓ {number}")


def members_of(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """The rules of an object's members."""
    members = rule.get("properties")
    return members if isinstance(members, dict) else {}


def resolved(rule: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a rule refers to, or the first of its alternatives."""
    for _ in range(DEEPEST):
        if isinstance(rule.get("$ref"), str):
            found: Any = root
            for step in rule["$ref"].removeprefix("#").strip("/").split("/"):
                found = found.get(step, {}) if step else found
            rule = found
        elif options := rule.get("anyOf") or rule.get("oneOf") or rule.get("allOf"):
            rule = options[0]
        else:
            break
    return rule
