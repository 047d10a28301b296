"""A turn as part of a message thread: what is sent of it, and what errors say."""

import json

import pytest

from longwire.core.errors import UpstreamRejected
from longwire.core.rules.continuity import Chain, Continue
from longwire.core.rules.threads import ThreadFault
from longwire.core.rules.turn import Digest
from longwire.dialects.ports import Thread
from tests.dialects.messages.upstreams import (
    Json,
    answer,
    call_of,
    called,
    developer,
    encoded,
    output,
    text,
    unmarked,
    user,
)

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
BEFORE = (developer("be kind"), user("a"))
REPLY = (called("toolu_1"),)


def thread_of(*items: Json) -> Thread:
    thread = call_of(*items, tools=[LOOK]).thread
    assert thread is not None
    return thread


def held(sent: int, start: int) -> Continue:
    """A chain of so many items of the client, and where what is new begins."""
    nothing = Digest(b"")
    return Continue(Chain("resp_msg_1", sent, nothing, (), nothing, nothing, None), start)


def test_a_thread_begins_with_all() -> None:
    """The request is as it would be without, but for `thread` and its beta."""
    plain = call_of(*BEFORE, tools=[LOOK])
    begun = thread_of(*BEFORE).begin()
    assert {**json.loads(plain.body), "thread": {"type": "create"}} == json.loads(begun.body)
    assert "message-threads-2026-08-12" == begun.headers["anthropic-beta"]
    assert "anthropic-beta" not in plain.headers


def test_a_thread_goes_on_with_what_is_new() -> None:
    """Neither system nor tools, nor what Anthropic has said itself."""
    following = (output("toolu_1"), user("b"), user("c"))
    call = thread_of(*BEFORE, *REPLY, *following).go_on(held(2, 3))
    assert call is not None
    body = json.loads(call.body)
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}
    message = {"role": "user", "content": [result, text("b"), text("c")]}
    assert [message] == unmarked(body["messages"])
    assert {"type": "continue", "previous_message_id": "msg_1"} == body["thread"]
    assert not {"system", "tools"} & set(body)
    marks = ["cache_control" in block for block in body["messages"][0]["content"]]
    assert [True, False, True] == marks


def test_rules_on_the_way_are_part_of_what_is_new() -> None:
    """A message of the role system goes along, with its beta."""
    following = (output("toolu_1"), developer("in French"))
    call = thread_of(*BEFORE, *REPLY, *following).go_on(held(2, 3))
    assert call is not None
    assert ["user", "system"] == [each["role"] for each in json.loads(call.body)["messages"]]
    assert 2 == len(call.headers["anthropic-beta"].split(","))


@pytest.mark.parametrize(
    ("items", "decision"),
    [
        ((*BEFORE, *REPLY, output("toolu_1"), answer("no"), user("b")), held(2, 3)),
        (
            (
                *BEFORE,
                *REPLY,
                output("toolu_1"),
                {"type": "additional_tools", "role": "developer", "tools": [LOOK]},
            ),
            held(2, 3),
        ),
        ((*BEFORE, user("b")), held(2, 2)),
    ],
    ids=["the assistant's word", "other tools", "an answer that said nothing"],
)
def test_what_a_thread_cannot_take(items: tuple[Json, ...], decision: Continue) -> None:
    """Words that Anthropic has not said, tools it has not got, and what follows from no answer."""
    assert thread_of(*items).go_on(decision) is None


@pytest.mark.parametrize(
    ("status", "error", "fault"),
    [
        (404, {"details": {"error_code": "thread_not_found"}}, ThreadFault.GONE),
        (409, {"details": {"error_code": "thread_already_continued"}}, ThreadFault.GONE),
        (409, {"details": {"error_code": "thread_continue_in_flight"}}, ThreadFault.GONE),
        (400, {"message": "thread: `tools` is fixed when a thread is created"}, ThreadFault.GONE),
        (
            400,
            {"details": {"error_code": "thread_unsupported_request"}},
            ThreadFault.UNSUPPORTED,
        ),
        (400, {"message": "thread: Extra inputs are not permitted"}, ThreadFault.UNSUPPORTED),
        (404, {"message": "model: claude-x"}, None),
        (400, {"message": "messages: at least one message is required"}, None),
        (529, {"details": {"error_code": "thread_not_found"}}, None),
        (400, {"details": 5}, None),
    ],
)
def test_what_errors_say_of_a_thread(status: int, error: Json, fault: ThreadFault | None) -> None:
    """Each is replayed, or sent without a thread from then on; others are the client's to read."""
    body = encoded({"error": {"message": "no", **error}})
    assert fault == thread_of(*BEFORE).fault(UpstreamRejected(status, body))
