"""What was streamed of items that an upstream never finished is in the whole answer, too."""

import json
from typing import Any

import pytest

from longwire.core.events import Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.clients import dialect_of
from longwire.dialects.messages.answer import MessagesAnswer
from longwire.dialects.responses.stream import decode_event
from longwire.dialects.responses.unfinished import Unfinished
from tests.dialects.answering import stream
from tests.dialects.chat_completions import answers as chat
from tests.dialects.messages import answers as messages

Json = dict[str, Any]
THOUGHT = messages.reasoning(["I think"], 0)
TEXT = messages.message("half of 😀 it", 1)
CALL = messages.call('{"a": 1, "b": "', 1)
REFUSAL = TEXT | {"content": [{"type": "refusal", "refusal": "I will not"}]}
OUTPUTS = {
    "nothing": [],
    "text": [TEXT],
    "refusal": [REFUSAL],
    "call": [CALL],
    "call without arguments": [messages.call("", 1)],
    "text behind a call": [messages.call("{}", 0), TEXT],
    "text behind reasoning": [THOUGHT, TEXT],
}


def frames_of(
    output: list[Json], done: int, *, ending: list[Json] | None = None, status: str = "incomplete"
) -> list[bytes]:
    """A response of which the first items are done, and the terminal brings those of `ending`."""
    events = messages.events_of(output, 3, status=status)
    events[-1]["response"]["output"] = ending or []
    return [
        json.dumps(each).encode()
        for each in events
        if not each["type"].endswith("item.done") or each["output_index"] < done
    ]


def read_whole(frames: list[bytes]) -> Aggregate:
    """What is known of a response that was read for somebody who wants it whole."""
    aggregate, unfinished = Aggregate(), Unfinished()
    for frame in frames:
        unfinished.add([messages.seen(aggregate, decode_event(frame))])
    unfinished.complete(aggregate)
    return aggregate


def rows() -> list[Any]:
    rows = [(name, done) for name, output in OUTPUTS.items() for done in {len(output) - 1, 0}]
    return [row for row in rows if row[1] >= 0]


@pytest.mark.parametrize(("name", "done"), rows())
def test_messages_are_the_same_streamed_and_whole(name: str, done: int) -> None:
    """Text, refusals and calls; thoughts, but for the seal, which they have not."""
    sent = messages.turn(thinking=messages.THINKING, tools=[{"name": "Read"}])
    frames = frames_of(OUTPUTS[name], done)
    aggregate = Aggregate()
    answer = MessagesAnswer(sent, aggregate)
    parts = [answer.encode_batch([messages.seen(aggregate, decode_event(f))]) for f in frames]
    streamed = messages.data_of(b"".join(parts))
    deltas = [each["delta"] for each in streamed if each["type"] == "content_block_delta"]
    aggregate = read_whole(frames)
    assert aggregate.terminal is not None
    whole = json.loads(MessagesAnswer(sent, aggregate).whole(aggregate.terminal))
    for member in ("text", "thinking"):
        written = "".join(delta.get(member, "") for delta in deltas)
        assert written == "".join(block.get(member, "") for block in whole["content"])
    begun = [each["content_block"] for each in streamed if each["type"] == "content_block_start"]
    assert [each["type"] for each in begun] == [each["type"] for each in whole["content"]]
    assert streamed[-2]["delta"]["stop_reason"] == whole["stop_reason"]


@pytest.mark.parametrize(("name", "done"), rows())
def test_completions_are_the_same_streamed_and_whole(name: str, done: int) -> None:
    """The whole message, its calls and their arguments included."""
    turn: Turn = chat.turn_of(grant=chat.SHOWING)
    frames = frames_of(OUTPUTS[name], done)
    streamed = chat.accumulated(chat.chunks_of(stream(turn, frames)))
    aggregate = read_whole(frames)
    answer = dialect_of(turn.source.api).answer(turn, aggregate, {})
    assert aggregate.terminal is not None
    choice = json.loads(answer.whole(aggregate.terminal))["choices"][0]
    content = choice["message"]["content"] or ""  # a stream begins with an empty one
    whole = {**choice["message"], "content": content, "finish_reason": choice["finish_reason"]}
    assert streamed == {name: value for name, value in whole.items() if value != []}


def test_items_that_come_at_the_end_are_those() -> None:
    """Nothing is made up where the terminal brings what was never an event of its own."""
    aggregate = read_whole(frames_of([TEXT], 0, ending=[TEXT]))
    assert [] == aggregate.output


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_an_item_says_how_far_it_came(status: str) -> None:
    """As the response it belongs to; what could not be sent back of reasoning is not in it."""
    aggregate = read_whole(frames_of([THOUGHT, TEXT], 0, status=status))
    thought, text = map(json.loads, aggregate.output)
    assert [status] * 2 == [thought["status"], text["status"]]
    assert {"type", "status", "summary"} == set(thought)
    assert aggregate.terminal is not None
    assert {"completed": Kind.COMPLETED}.get(status, Kind.INCOMPLETE) is aggregate.terminal.kind
