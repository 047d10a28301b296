"""A schema of the answer that is none: it is for the upstream to refuse."""

from functools import reduce
from typing import Any

import pytest

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
