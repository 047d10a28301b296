"""Turns and answers of any shape: each is said, refused by name, or breaks as answers do."""

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidRequest
from longwire.core.events import Event
from longwire.dialects.messages.reading import MessagesReading
from longwire.dialects.messages.upstream import MessagesUpstream
from longwire.dialects.ports import Fallback, Terms
from longwire.dialects.responses.output import echo_of
from longwire.dialects.responses.request import decode_request
from longwire.dialects.seals import Seal, sealed
from tests.dialects.messages.upstreams import block, encoded, ending, start, stream_of

SEAL = sealed(Seal("anthropic", "EqQB"))
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object"}}
VALUES: list[Any] = [
    *(None, True, -1, 5, 1.5, "", " ", "a", "{}", '{"a":1}', "{", "user", "assistant", "developer"),
    *(SEAL, sealed(Seal("anthropic", "x", "redacted")), "lw1.!!", "lw1.", "gAAA", "auto", "none"),
    *([], {}, [[]], [5], {"a": {}}, [{"type": "input_text", "text": "hi"}], [{"type": "refusal"}]),
    [{"type": "input_text", "text": 5}, {"type": "input_audio"}],
    [{"type": "input_image", "image_url": "data:image/png;base64,aWNv"}, {"type": "input_image"}],
    [{"type": "input_file", "file_data": "data:text/plain;base64,!!!"}, {"type": "input_file"}],
    [{"type": "output_text", "text": "yes"}, {"type": "summary_text", "text": "hm"}],
    [TOOL, {**TOOL, "parameters": {"type": "string"}}, {"type": "custom", "name": "c"}],
    [{"type": "namespace", "name": "n", "tools": [TOOL]}, {"type": "web_search"}],
    [{"type": "local_shell"}, {"type": "shell"}, {"type": "mcp"}, {"type": "function"}],
    *({"type": "exec", "command": ["ls"]}, {"effort": "high"}, {"effort": 5}, {"summary": "auto"}),
    *({"format": {"type": "json_schema", "schema": {}}}, {"format": {"type": "json_object"}}),
    *({"type": "function", "name": "look"}, {"type": "allowed_tools", "mode": "auto"}),
    [{"type": "compaction", "compact_threshold": 9}],
]
TYPES = (
    "message reasoning function_call function_call_output custom_tool_call custom_tool_call_output"
    " local_shell_call local_shell_call_output apply_patch_call shell_call_output additional_tools"
    " configuration_update compaction web_search_call item_reference input_text nonsense"
)
NAMES = (
    "role content id call_id name namespace arguments input action operation output summary"
    " encrypted_content tools reasoning text"
)
WELL: dict[str, dict[str, Any]] = {
    "message": {"role": "user", "content": "a"},
    "reasoning": {"summary": [], "encrypted_content": SEAL},
    "function_call": {"call_id": "c", "name": "look", "arguments": "{}"},
    "function_call_output": {"call_id": "c", "output": "o"},
}


def objects(kinds: str, names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of known types with known members, some of them wrong."""
    members = st.dictionaries(st.sampled_from(names.split()), st.sampled_from(VALUES), max_size=4)
    kind = st.sampled_from([*kinds.split(), None])
    return st.builds(
        lambda type_, rest: {"type": type_, **WELL.get(type_, {}), **rest}, kind, members
    )


ITEMS = st.lists(objects(TYPES, NAMES), max_size=6)
MEMBERS = st.dictionaries(
    st.sampled_from(
        [
            *("tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "temperature"),
            *("max_output_tokens", "instructions", "service_tier", "context_management", "top_p"),
        ]
    ),
    st.sampled_from(VALUES),
    max_size=3,
)


@given(items=ITEMS, members=MEMBERS, may_drop=st.booleans())
def test_any_turn_is_said_or_refused(items: Any, members: Any, may_drop: bool) -> None:
    """What is sent is JSON whose messages alternate, and begin and end with the user's."""
    body = encoded({"model": "claude-sonnet-5-5", "input": items, **members})
    with suppress(InvalidRequest):
        turn = decode_request(body)
        call = MessagesUpstream().translate(turn, {}, Terms(may_drop=may_drop))
        roles = [each["role"] for each in json.loads(call.body)["messages"]]
        spoken = [role for role in roles if role != "system"]
        assert all(one != other for one, other in pairwise(spoken))
        assert ("user", "user") == (spoken[0], spoken[-1])
        assert "system" != roles[0]


BLOCKS = (
    "text thinking redacted_thinking tool_use server_tool_use web_search_tool_result compaction"
)
BLOCK_NAMES = "text thinking signature data id name input tool_use_id content citations to"
DELTAS = (
    "text_delta thinking_delta signature_delta input_json_delta citations_delta compaction_delta"
)
DELTA_NAMES = "text thinking signature partial_json citation content stop_reason"
FRAMES = st.lists(
    st.builds(
        lambda index, opened, deltas: block(index, opened, *deltas),
        st.integers(0, 3),
        objects(BLOCKS, BLOCK_NAMES),
        st.lists(objects(DELTAS, DELTA_NAMES), max_size=3),
    ),
    max_size=4,
)


@given(blocks=FRAMES)
def test_any_answer_is_read_or_breaks(blocks: list[list[Any]]) -> None:
    """Every event that is made is JSON; what cannot be read is no answer, and no bug."""
    frames = [start(), *(frame for each in blocks for frame in each), *ending()]
    reading = MessagesReading(Fallback("x", 0), {}, echo_of({}))
    events: list[Event] = []
    with suppress(ValueError):
        for frame in frames:
            events += reading.feed(stream_of([frame]))
    assert list(range(len(events))) == [json.loads(each.raw)["sequence_number"] for each in events]
