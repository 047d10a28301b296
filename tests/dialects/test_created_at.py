"""When an answer was made, where its upstream says so, and where it does not."""

import json
from typing import Any

import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.ports import Fallback, Terms
from longwire.dialects.responses.request import decode_request
from longwire.dialects.upstreams import UPSTREAMS

Json = dict[str, Any]
CAME_AT = 1_790_000_000
TEXT = {"type": "text", "text": "Hi"}
CHAT: Json = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
MESSAGE: Json = {"id": "msg_1", "type": "message", "role": "assistant", "content": [TEXT]}
GEMINI: Json = {
    "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 1},
}
SAYS: Json = {"createTime": "2026-09-21T13:33:21Z"}


@pytest.mark.parametrize(
    ("api", "body", "expected"),
    [
        ("chat_completions", CHAT, CAME_AT),
        ("chat_completions", CHAT | {"created": 0}, CAME_AT),
        ("chat_completions", CHAT | {"created": 5}, 5),
        ("messages", MESSAGE | {"stop_reason": "end_turn"}, CAME_AT),
        ("generate_content", GEMINI, CAME_AT),
        ("generate_content", GEMINI | SAYS, 1_789_997_601),
    ],
    ids=["chat", "chat, 0", "chat, says", "messages", "gemini", "gemini, says"],
)
def test_an_answer_that_names_no_time_is_of_when_it_came(
    api: str, body: Json, expected: int
) -> None:
    """In all its events; what the upstream says goes first."""
    turn = decode_request(b'{"model":"gemini-3-pro","input":"q"}', {}, EVERYTHING)
    call = UPSTREAMS[api].translate(turn, {}, Terms())
    events = call.reading(Fallback("x", CAME_AT)).whole(json.dumps(body).encode())
    responses = [json.loads(event.raw).get("response") for event in (events[0], events[-1])]
    assert [expected, expected] == [response["created_at"] for response in responses]
