"""What a channel makes of items that its upstream may not take."""

import json
from dataclasses import replace

import pytest

from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.core.rules.routing import Route
from longwire.dialects.responses.request import decode_compaction, decode_count, decode_request
from longwire.relay.channels.channel import Channel

USER = {"role": "user", "content": "hi"}
READ = {"type": "function", "name": "read"}
TOOLS = {"type": "additional_tools", "role": "developer", "tools": [READ]}
UPDATE = {"type": "configuration_update", "reasoning": {"effort": "high"}}
BODY = json.dumps({"model": "m", "input": [TOOLS, USER, UPDATE]}).encode()
OF_TYPE, NONE, BOTH = None, (), ("additional_tools", "configuration_update")


def left(type_, native, turn):
    """The types of the special items that a channel leaves in a turn."""
    spec = ChannelSpec("c", "c", type=type_, credential=Secret("k"), native_items=native)
    adapted = Channel(Route("c", ("*",)), "c@1", spec=spec).adapt(turn)
    return [item["type"] for item in json.loads(adapted.input) if "type" in item]


@pytest.mark.parametrize(
    ("type_", "native", "expected"),
    [
        ("openai", OF_TYPE, ["additional_tools"]),
        ("codex", OF_TYPE, []),
        ("openai", NONE, []),
        ("codex", BOTH, [*BOTH]),
    ],
)
def test_items_made_of_another_dialect_are_those_that_are_taken(type_, native, expected):
    """By the setting, else by the type."""
    turn = decode_request(BODY)
    turn = replace(turn, source=replace(turn.source, body=BODY))
    assert expected == left(type_, native, turn)


@pytest.mark.parametrize("decode", [decode_request, decode_compaction, decode_count])
def test_items_a_client_wrote_itself_stay(decode):
    """Codex brings the tools of its newest models so; only an operator knows better."""
    assert [*BOTH] == left("codex", OF_TYPE, decode(BODY))
    assert [] == left("codex", NONE, decode(BODY))
