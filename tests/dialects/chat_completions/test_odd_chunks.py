"""What vendors of Chat Completions write that is no JSON, no name or no number."""

import json

import pytest
from msgspec import Raw

from longwire.dialects.chat_completions.bill import usage_of
from longwire.dialects.chat_completions.chunks import decode_chunk
from longwire.dialects.chat_completions.functions import sent_name, wire_name
from longwire.dialects.profiles.profile import GENERIC


def test_a_number_that_json_has_not_spoils_no_chunk():
    """Some write NaN for the probability of a token; a text that says so stays."""
    chunk = decode_chunk(b'{"id":"a NaN \\" NaN","created":NaN,"model":-Infinity,"choices":[]}')
    assert (b'"a NaN \\" NaN"', b"null", b"null") == (
        bytes(chunk.id),
        bytes(chunk.created),
        bytes(chunk.model),
    )


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": "9", "completion_tokens": 1},
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": 9, "completion_tokens": "many"},
        {"prompt_tokens": None},
    ],
)
def test_usage_that_is_no_number_is_unknown(usage):
    """So it is estimated, and called that: zero tokens would be billed as such."""
    assert b"null" == usage_of(Raw(json.dumps(usage).encode()), GENERIC)


def test_a_name_in_the_history_is_one_that_vendors_take():
    """It may be of a tool that nobody offers any more; the same name is always sent the same."""
    sent = json.loads(wire_name(b'"old.tool/x"', b"null"))
    assert sent == sent_name("old.tool/x")
    assert sent.replace("_", "").isalnum()
    assert sent != sent_name("old_tool_x")
    assert b'"plain-1_x"' == wire_name(b'"plain-1_x"', b"null")
