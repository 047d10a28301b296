"""Gemini's schemas as JSON schemas: what may be null, and what no schema can hold."""

import pytest
from google.genai import types
from jsonschema import Draft202012Validator

from longwire.core.errors import InvalidRequest
from tests.dialects.generate_content.answers import QUESTION, hub, turn_of

INTEGER, STRING, NULL = ({"type": each} for each in ("integer", "string", "null"))
UNION = {"anyOf": [{"type": "INTEGER"}, {"type": "STRING"}], "nullable": True}


def translated(schema, **members):
    """A schema of an answer as the hub has it."""
    config = {"responseMimeType": "application/json", "responseSchema": schema, **members}
    turn = turn_of(QUESTION, generationConfig=config)
    if turn.source.refusal is not None:
        raise turn.source.refusal
    return hub(turn)["text"]["format"]["schema"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "NULL", "nullable": True}, NULL),
        (UNION, {"anyOf": [INTEGER, STRING, NULL]}),
        ({**UNION, "type": "OBJECT"}, {"anyOf": [INTEGER, STRING, NULL]}),
        (
            {"anyOf": [{"type": "NULL"}, {"type": "STRING"}], "nullable": True},
            {"anyOf": [NULL, STRING]},
        ),
        (
            {"type": "STRING", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"enum": ["a", None], "nullable": True}, {"enum": ["a", None]}),
        ({"$ref": "#/$defs/a", "nullable": True}, {"anyOf": [{"$ref": "#/$defs/a"}, NULL]}),
        ({"type": "STRING", "enum": ["a"], "nullable": False}, {**STRING, "enum": ["a"]}),
    ],
)
def test_null_fits_what_may_be_null(schema, expected):
    """By the type, by the values, and by one of the alternatives."""
    assert expected == translated(schema)
    assert {"type": "array", "items": expected} == translated({"type": "ARRAY", "items": schema})


def test_optional_parameters_of_googles_client_may_be_null():
    """It writes `nullable` for each, beside alternatives and values alike."""

    def look(which: int | str | None, how: str | None) -> None:
        """Look."""

    declared = types.FunctionDeclaration.from_callable_with_api_option(
        callable=look, api_option="GEMINI_API"
    )
    function = declared.model_dump(exclude_none=True, by_alias=True, mode="json")
    function["parameters"]["properties"]["how"]["enum"] = ["well"]
    turn = turn_of(QUESTION, tools=[{"functionDeclarations": [function]}])
    check = Draft202012Validator(hub(turn)["tools"][0]["parameters"])
    for which in (None, 1, "a"):
        check.validate({"which": which, "how": None})
    assert not check.is_valid({"which": {}, "how": None})


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (
            {"type": "OBJECT", "properties": {"a": {}}, "propertyOrdering": [["a"]]},
            "propertyOrdering",
        ),
        ({"type": "OBJECT", "properties": {"a": {}}, "propertyOrdering": [{}]}, "propertyOrdering"),
        ({"type": "OBJECT", "properties": {"a": {}}, "propertyOrdering": "a"}, "propertyOrdering"),
        ({"properties": {"a": {"nullable": "yes"}}}, "properties.a.nullable"),
        ({"anyOf": [{"items": {"nullable": []}}]}, "anyOf.0.items.nullable"),
        ({"type": "STRING", "maxLength": "9" * 5000}, "maxLength"),
        ({"type": "STRING", "maxLength": "many"}, "maxLength"),
    ],
)
def test_what_no_schema_can_hold_is_named(schema, field):
    """In a format and in a function alike; to Gemini itself it goes as it is."""
    with pytest.raises(InvalidRequest) as error:
        translated(schema)
    assert f"generationConfig.responseSchema.{field}" == error.value.param
    function = {"name": "look", "parameters": schema}
    turn = turn_of(QUESTION, tools=[{"functionDeclarations": [function]}])
    assert f"tools.0.functionDeclarations.0.parameters.{field}" == turn.source.refusal.param
    assert turn.source.is_unread


ODD = (None, True, 1, 1.5, "", [], {}, [[]], [{}], [None], {"": []}, 10**30)


NAMES = (
    *("type", "format", "enum", "anyOf", "items", "properties", "propertyOrdering", "nullable"),
    *("required", "minItems", "default", "$ref", "additionalProperties", "maximum", "title"),
)


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_a_schema_breaks_its_translation(name, value):
    """It is said, or refused with its name."""
    schema = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, name: value}
    turn = turn_of(QUESTION, generationConfig={"responseSchema": schema})
    assert turn.source.refusal is None or turn.source.refusal.param.startswith("generationConfig")
