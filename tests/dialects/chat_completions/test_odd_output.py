"""Output whose members are not what they should be: what it says is shown, and nothing spoilt."""

import json

import pytest

from tests.dialects.answering import Answering, stream
from tests.dialects.chat_completions.answers import (
    QUESTION,
    SHOWING,
    Item,
    accumulated,
    call,
    chunks_of,
    completion,
    custom,
    ending,
    frame,
    frames_of,
    message,
    opening,
    reasoning,
    turn_of,
)

ODD = [None, 5, ["a"], {"a": "b"}]
PLANS = [[], [(False, 1), (True, 99)]]


def part(**members) -> Item:
    """A message of one part, which says `ab`."""
    own = {"type": "output_text", "text": "ab", "annotations": []}
    return {**message(), "content": [{**own, **members}]}


def shown(*output: Item, **members) -> Item:
    """The message of a completion; streamed it says the same, and the turn has an image."""
    turn = turn_of(QUESTION, grant=SHOWING, **members)
    frames = frames_of(*output, size=0)
    found = completion(Answering(turn).whole(frames))["choices"][0]["message"]
    for plan in PLANS:
        added = accumulated(chunks_of(stream(turn, frames, plan)))
        for name in ("content", "refusal", "reasoning_content", "tool_calls", "annotations"):
            assert (found.get(name) or None) == (added.get(name) or None)
    assert turn.image([json.dumps(item).encode() for item in output]) is not None
    return found


@pytest.mark.parametrize("stop", [[], ["never"]])
@pytest.mark.parametrize("odd", [None, 5, "ab", {"a": "b"}])
def test_logprobs_that_are_no_array_are_none(odd, stop):
    """In a part, and in a delta: those that come later are shown."""
    assert "ab" == shown(part(logprobs=odd), stop=stop)["content"]
    tokens = [{"token": "ab", "logprob": -0.5, "bytes": None, "top_logprobs": []}]
    done = {"output_index": 0, "item": part(logprobs=tokens)}
    frames = [
        *opening(),
        frame("response.output_text.delta", output_index=0, delta="ab", logprobs=odd),
        frame("response.output_item.done", **done),
        ending(),
    ]
    for plan in PLANS:
        chunks = chunks_of(stream(turn_of(logprobs=True, stop=stop), frames, plan))
        said = [chunk["choices"][0]["logprobs"] for chunk in chunks]
        assert [tokens] == [each["content"] for each in said if each]


@pytest.mark.parametrize("odd", [[None], [5], [{"token": None}]])
def test_a_logprob_without_a_token_cuts_nothing(odd):
    """Behind a stop sequence that does not come."""
    turn = turn_of(logprobs=True, stop="never")
    sent = Answering(turn).whole(frames_of(part(logprobs=odd)))
    assert "ab" == json.loads(sent)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("odd", ODD)
def test_a_value_where_a_text_belongs_is_that_text(odd):
    """Of a message, of a call, of reasoning; null says nothing."""
    text = "" if odd is None else json.dumps(odd)
    refused = {**message(), "content": [{"type": "refusal", "refusal": odd}]}
    thought = {**reasoning("rs_1"), "summary": [{"type": "summary_text", "text": odd}]}
    found = shown(thought, part(text=odd), refused, {**call("call_1"), "arguments": odd})
    for name in ("content", "refusal", "reasoning_content"):
        assert text == (found.get(name) or "")
    assert text == found["tool_calls"][0]["function"]["arguments"]
    found = shown({**custom("call_1"), "input": odd})
    assert text == found["tool_calls"][0]["custom"]["input"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("member", ["call_id", "name"])
def test_a_call_without_an_id_or_a_name_is_shown(member, odd):
    """Its id is that of its item then, and what it calls is as odd as it was said."""
    (found,) = shown(message("ab"), {**call("call_1"), member: odd})["tool_calls"]
    if member == "call_id":
        assert (found["id"], found["function"]["name"]) == ("fc_1", "read")
    else:
        name = "" if odd is None else json.dumps(odd)
        assert (found["id"], found["function"]["name"]) == ("call_1", name)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("plan", PLANS)
def test_a_delta_that_is_no_text_says_nothing(odd, plan):
    """Alone, or among others that pass as they are."""
    deltas = ["a", "b", odd, "c"]
    where = {"output_index": 0}
    frames = [frame("response.output_text.delta", **where, delta=each) for each in deltas]
    done = frame("response.output_item.done", **where, item=message("abcd"))
    added = accumulated(chunks_of(stream(turn_of(), [*opening(), *frames, done, ending()], plan)))
    assert "abcd" == added["content"]


@pytest.mark.parametrize(
    "odd",
    [None, 5, {"type": None}, {"type": "url_citation", "start_index": None, "end_index": 2}],
)
def test_an_odd_annotation_is_left_out(odd):
    """The others are shown."""
    cited = {"type": "url_citation", "start_index": 0, "end_index": 2, "title": "t", "url": "u"}
    place = {name: cited[name] for name in ("start_index", "end_index", "title", "url")}
    found = shown(part(annotations=[odd, cited]))
    assert [{"type": "url_citation", "url_citation": place}] == found["annotations"]


@pytest.mark.parametrize("odd", [5, "ab", {"a": "b"}])
def test_annotations_that_are_no_array_are_none(odd):
    """Their text is shown."""
    found = shown(part(annotations=odd))
    assert ("ab", []) == (found["content"], found["annotations"])


@pytest.mark.parametrize("odd", ODD)
def test_an_id_of_reasoning_that_is_none_is_not_said(odd):
    """What was encrypted is."""
    (detail,) = shown({**reasoning("rs_1"), "id": odd}, message("ab"))["reasoning_details"]
    assert (None, "lw1.eyJwIjoicmVzcG9uc2VzIn0.gAAA") == (detail["id"], detail["data"])
