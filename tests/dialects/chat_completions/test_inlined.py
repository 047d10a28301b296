"""Schemas without references, for vendors that do not follow them."""

import json
from typing import Any

import pytest

from longwire.core.errors import InvalidRequest
from longwire.dialects.chat_completions.inlined import inlined
from longwire.dialects.profiles.known import profile_of
from tests.dialects.chat_completions.upstreams import body_of


def written(schema: Any) -> Any:
    return json.loads(inlined(json.dumps(schema).encode(), "tools.0.parameters"))


def doubled(levels: int) -> dict[str, Any]:
    """A schema each of whose definitions refers twice to the next one."""
    definitions: dict[str, Any] = {
        f"d{level}": {
            "a": {"$ref": f"#/$defs/d{level + 1}"},
            "b": {"$ref": f"#/$defs/d{level + 1}"},
        }
        for level in range(levels)
    }
    definitions[f"d{levels}"] = {"type": "string"}
    return {"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": definitions}


def test_definitions_that_double_at_each_level_are_refused():
    """A small schema cannot become a large one: the refusal names the field."""
    with pytest.raises(InvalidRequest) as refused:
        written(doubled(16))
    assert "tools.0.parameters" == refused.value.param
    assert "at most 10000" in str(refused.value)


def test_a_mesh_of_definitions_is_refused_in_good_time():
    """Each of them refers to all others, so that none is the same everywhere."""
    refs = {f"d{each}": {"$ref": f"#/$defs/d{each}"} for each in range(16)}
    definitions = {name: {"properties": refs} for name in refs}
    with pytest.raises(InvalidRequest):
        written({"properties": refs, "$defs": definitions})


def test_what_only_doubles_for_a_while_is_written_out():
    """The same definition stands wherever it is referred to."""
    found = written(doubled(2))
    leaf = {"type": "string"}
    pair = {"a": leaf, "b": leaf}
    assert {"type": "object", "properties": {"x": {"a": pair, "b": pair}}} == found


def test_definitions_that_refer_to_each_other_end_where_they_began():
    """One that is known already is written as it was."""
    definitions = {"A": {"b": {"$ref": "#/$defs/B"}}, "B": {"a": {"$ref": "#/$defs/A"}}}
    anything = {"type": "object"}
    found = written({"x": {"$ref": "#/$defs/A"}, "y": {"$ref": "#/$defs/B"}, "$defs": definitions})
    assert {"x": {"b": {"a": anything}}, "y": {"a": {"b": {"a": anything}}}} == found


def test_a_large_schema_of_its_own_is_no_matter_of_references():
    """Only what comes of definitions is counted."""
    own = {f"p{each}": {"type": "string"} for each in range(20_000)}
    schema = {"properties": {**own, "x": {"$ref": "#/$defs/d"}}, "$defs": {"d": {"type": "null"}}}
    assert {"properties": {**own, "x": {"type": "null"}}} == written(schema)


@pytest.mark.parametrize("schema", [["$ref"], "$ref", {"$ref": "#/x", "x": [1]}])
def test_what_is_no_object_stays_as_it_is(schema):
    """It is for the upstream to refuse."""
    raw = json.dumps(schema).encode()
    assert raw == inlined(raw, "")


def test_a_format_that_is_no_schema_is_named():
    """No upstream is asked for what none of them takes."""
    style = {"type": "json_schema", "name": "out", "schema": ["$ref"]}
    with pytest.raises(InvalidRequest) as error:
        body_of(text={"format": style}, profile=profile_of("qwen", ""))
    assert "text.format.schema" == error.value.param
