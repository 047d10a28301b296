"""A schema of the answer that is none: it is for the upstream to refuse."""

from functools import reduce
from typing import Any

import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.messages.request import decode_request
from tests.dialects.messages.answers import QUESTION, encoded

ODD = [
    {"properties": {}, "required": [{}]},
    {"properties": {}, "required": 5},
    {"title": "HALF"},
    reduce(lambda inner, _: {"not": inner}, range(900), dict[str, Any]()),
]


@pytest.mark.parametrize("odd", ODD, ids=["object", "number", "half", "deep"])
def test_a_schema_that_is_none_is_not_strict(odd: dict[str, Any]) -> None:
    """Nor is one with half an emoji, or one that nests too deeply."""
    wanted = {"type": "json_schema", "schema": {"additionalProperties": False, **odd}}
    body = {"model": "m", "max_tokens": 99, "messages": [QUESTION], "output_format": wanted}
    raw = encoded(body).replace(b"HALF", rb"\ud83d")
    sent = decode_request(raw, {}, EVERYTHING)
    assert sent.members["text"].endswith(b',"strict":false}}')
