"""Which API a channel asks its upstream in, and what it cannot serve in any."""

from dataclasses import replace

import msgspec
import pytest

from longwire.core.rules.routing import IN_SESSION, Route
from longwire.core.rules.turn import Purpose
from longwire.dialects.responses.request import decode_request
from longwire.relay.channels.channel import Channel

BOUND = [
    {"previous_response_id": "resp_1"},
    {"conversation": "conv_1"},
    {"input": [{"type": "item_reference", "id": "msg_1"}]},
    {"background": True},
]
"""What nobody but an upstream of the Responses API can do."""


def channel(*apis):
    return Channel(Route("a"), "a@1", apis=apis)


def turn_of(**members):
    return decode_request(msgspec.json.encode({"model": "m", "input": "hi", **members}))


@pytest.mark.parametrize("members", BOUND, ids="+".join)
@pytest.mark.parametrize("api", ["messages", "generate_content", "chat_completions"])
def test_what_one_upstream_holds_is_said_nowhere_else(members, api):
    """So another channel of the model gets it, if one speaks the Responses API."""
    assert channel(api).way_of(turn_of(**members)) is None
    assert channel(api, "responses").way_of(turn_of(**members)) is IN_SESSION


@pytest.mark.parametrize("api", ["messages", "generate_content", "chat_completions"])
def test_a_whole_history_is_said_anywhere(api):
    """Nothing in it needs the Responses API."""
    assert channel(api).way_of(turn_of()).api == api


def test_a_compaction_needs_the_responses_api():
    """No other API has one."""
    compaction = replace(turn_of(), purpose=Purpose.COMPACTION)
    assert channel("messages").way_of(compaction) is None
    assert channel("responses").way_of(compaction) is IN_SESSION


def test_a_channel_is_the_same_for_all_turns_of_a_way():
    """What it has looked up for one of them, the next one finds."""
    served = Channel(Route("a"), "a@1", apis=("messages",), by_api={"messages": object()})
    way = served.way_of(turn_of())
    assert served.serving(way) is served.serving(way)
    assert (way, None) == (served.serving(way).way, served.serving(way).websocket)
