"""A schema of the answer that is none, or odd: it is for the upstream to refuse."""

import json
from functools import reduce
from typing import Any

import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.messages.request import decode_request
from tests.dialects.messages.answers import turn

ODD = [
    {"properties": {}, "required": [{}]},
    {"properties": {}, "required": 5},
    reduce(lambda inner, _: {"not": inner}, range(900), dict[str, Any]()),
]


@pytest.mark.parametrize("odd", ODD, ids=["object", "number", "deep"])
def test_a_schema_that_is_none_is_not_strict(odd: dict[str, Any]) -> None:
    """Nor is one that nests too deeply."""
    wanted = {"type": "json_schema", "schema": {"additionalProperties": False, **odd}}
    sent = turn(output_format=wanted)
    assert sent.members["text"].endswith(b',"strict":false}}')


def test_half_an_emoji_in_a_schema_is_no_fault_of_the_gateways() -> None:
    """It travels, as in a text."""
    schema = {"type": "object", "description": "cut \ud83d", "properties": {}}
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    said = {"role": "user", "content": "x"}
    body = {"model": "m", "max_tokens": 64, "messages": [said], "output_config": wanted}
    sent = decode_request(json.dumps(body).encode(), {}, EVERYTHING)
    assert b"cut \\ud83d" in sent.members["text"]
