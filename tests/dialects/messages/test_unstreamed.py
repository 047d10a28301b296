"""What an upstream did not stream of an item, or streamed without saying of which."""

from collections import Counter

import pytest

from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.messages.answer import MessagesAnswer
from longwire.dialects.responses.stream import decode_event
from tests.dialects.messages.answers import (
    THINKING,
    Json,
    accumulated,
    call,
    encoded,
    events_of,
    message,
    reasoning,
    seen,
    streamed,
    streamed_plain,
    turn,
    whole,
)

TOOLS = [{"name": "Read"}]
OUTPUT = [reasoning(["one", "two"]), message('say "ü" twice', 1), call('{"a": "ü"}', 2)]
DELTA = "delta"
DONE = "response.output_item.done"


def sent_of(stops: list[str]) -> Turn:
    return turn(thinking=THINKING, tools=TOOLS, stop_sequences=stops)


def without_index(event: Json) -> Json:
    """An event that does not say of which item it is, unless it ends that."""
    is_left = event["type"] != DONE
    return {name: event[name] for name in event if not (is_left and name == "output_index")}


def is_read_as_whole(events: list[Json], stops: list[str]) -> bool:
    """Whether a client reads the same of a stream, by either way, and of the whole answer."""
    sent = sent_of(stops)
    expected = whole(sent, events)
    ways = (streamed(sent, events), streamed_plain(sent, events))
    return [expected["content"]] * len(ways) == [
        accumulated(way).to_dict()["content"] for way in ways
    ]


@pytest.mark.parametrize("stops", [[], ["twin"], ["ice"]], ids=["plain", "held", "cut"])
@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_what_was_not_streamed_comes_with_the_end_of_its_item(kept: int, stops: list[str]) -> None:
    """Of texts, thoughts and arguments, however many of their deltas came."""
    events: list[Json] = []
    count = Counter[int]()
    for event in events_of(OUTPUT, 2):
        if event["type"].endswith(DELTA):
            count[event["output_index"]] += 1
            if count[event["output_index"]] > kept:
                continue
        events.append(event)
    assert is_read_as_whole(events, stops)


@pytest.mark.parametrize(
    ("delta", "expected"), [(rb"\u00fcber", "über alles"), (b"other", "other")]
)
def test_a_text_that_its_item_spells_otherwise_is_gone_on_with(delta: bytes, expected: str) -> None:
    """An escape is the same as its character; what does not begin alike is not written."""
    opening, added, *_, done, terminal = map(encoded, events_of([message("über alles")]))
    text = b'{"type":"response.output_text.delta","output_index":0,"delta":"%b"}' % delta
    aggregate = Aggregate()
    answer = MessagesAnswer(sent_of([]), aggregate)
    events = map(decode_event, [opening, added, text, done, terminal])
    stream = answer.encode_batch([seen(aggregate, event) for event in events])
    assert expected == accumulated(stream).content[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize("stops", [[], ["ice"]], ids=["plain", "cut"])
def test_events_without_an_index_are_of_the_item_under_way(stops: list[str]) -> None:
    """Each item begins where it is added."""
    output = [*OUTPUT, reasoning(["three"], 3), reasoning(["four"], 4), call("{}", 5)]
    events = [without_index(event) for event in events_of(output, 3)]
    sent = sent_of(stops)
    expected = whole(sent, events_of(output))["content"]
    for way in (streamed(sent, events), streamed_plain(sent, events)):
        assert expected == accumulated(way).to_dict()["content"]


def test_an_item_that_is_not_ended_ends_where_the_next_is_added() -> None:
    """Without an index nothing else says so."""
    output = [message("one"), call("{}", 1), call("{}", 2)]
    events = [without_index(event) for event in events_of(output) if event["type"] != DONE]
    content = accumulated(streamed(sent_of([]), events)).content
    assert ["text", "tool_use", "tool_use"] == [block.type for block in content]
