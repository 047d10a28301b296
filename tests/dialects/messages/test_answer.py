"""An answer as the client reads it: the order of its stream, its end, and the same one whole."""

import json
from typing import Any

import pytest
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from longwire.core.errors import UpstreamRejected
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.messages.answer import MessagesAnswer
from longwire.dialects.ports import Problem
from longwire.dialects.responses.stream import decode_event
from tests.dialects.messages.answers import (
    THINKING,
    Json,
    accumulated,
    call,
    data_of,
    decoded,
    events_of,
    message,
    reasoning,
    seen,
    streamed,
    streamed_plain,
    turn,
    whole,
)
from tests.dialects.messages.outputs import outputs

EVENT: TypeAdapter[Any] = TypeAdapter(BetaRawMessageStreamEvent)
TOOLS = [{"name": "Read"}, {"name": "a" * 70}]
SENT = turn(thinking=THINKING, tools=TOOLS)


def said(message: Json) -> Json:
    """What an answer says, whoever put it together; whole it also says what there is not."""
    names = ("id", "content", "stop_reason", "stop_sequence")
    usage = {name: value for name, value in message["usage"].items() if value is not None}
    return {"usage": usage, **{name: message[name] for name in names}}


@given(outputs(), st.integers(1, 30))
@settings(max_examples=200, deadline=None)
def test_streamed_and_whole_say_the_same(output: list[Json], size: int) -> None:
    """Anthropic's own client puts together from the stream what the whole answer is."""
    events = events_of(output, size)
    answer = whole(SENT, events)
    assert said(answer) == said(accumulated(streamed(SENT, events)).to_dict())  # type: ignore[arg-type]
    BetaMessage.model_validate(answer)


@pytest.mark.parametrize(
    ("output", "kinds"),
    [
        ([message("yes"), reasoning((), 1)], ["text"]),
        ([reasoning(), message("yes", 1), reasoning((), 2)], ["redacted_thinking", "text"]),
        ([message("yes"), reasoning(["why"], 1)], ["text", "thinking"]),
        ([message("a"), reasoning((), 1), message("b", 2)], ["text", "redacted_thinking", "text"]),
        ([call(""), reasoning((), 1)], ["tool_use", "redacted_thinking"]),
        ([reasoning()], ["redacted_thinking"]),
    ],
)
def test_a_text_ends_an_answer(output: list[Json], kinds: list[str]) -> None:
    """Nothing sealed stands behind it, for clients take the last block for the answer."""
    events = events_of(output)
    both = (whole(SENT, events), accumulated(streamed(SENT, events)).to_dict())
    assert [kinds] * 2 == [[block["type"] for block in each["content"]] for each in both]


@given(outputs(), st.lists(st.integers(0, 200), max_size=6), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_split_gives_the_same_stream(
    output: list[Json],
    splits: list[int],
    stops: bool,
) -> None:
    """The fast way and the general one write the same bytes, however reads fall."""
    sent = turn(thinking=THINKING, tools=TOOLS, stop_sequences=["ab", "b"] if stops else [])
    events = events_of(output)
    assert streamed(sent, events) == streamed_plain(sent, events, splits)


@given(outputs())
@settings(max_examples=100, deadline=None)
def test_one_block_is_open_at_a_time(output: list[Json]) -> None:
    """Blocks follow each other with dense indices between the start and the end of the message."""
    events = data_of(streamed(SENT, events_of(output)))
    kinds = [event["type"] for event in events]
    assert ["message_start", "ping"] == kinds[:2]
    assert ["message_delta", "message_stop"] == kinds[-2:]
    index, is_open = 0, False
    for event in events[2:-2]:
        EVENT.validate_python(event)
        assert index == event["index"]
        match event["type"]:
            case "content_block_start":
                assert not is_open
                is_open = True
            case "content_block_stop":
                assert is_open
                is_open, index = False, index + 1
            case kind:
                assert is_open
                assert "content_block_delta" == kind
    assert not is_open


@given(st.text("ab<>c", max_size=30), st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_a_stop_sequence_cuts_at_the_same_place_however_it_comes(text: str, size: int) -> None:
    """The answer ends before the first sequence that is complete, and says which it was."""
    stops = ["</a>", "ab<", "bb"]
    sent, events = turn(stop_sequences=stops), events_of([message(text)], size)
    answer, read = whole(sent, events), accumulated(streamed(sent, events))
    ends = sorted((text.find(stop) + len(stop), stop) for stop in stops if stop in text)
    expected = text[: ends[0][0] - len(ends[0][1])] if ends else text
    assert expected == "".join(block["text"] for block in answer["content"])
    assert expected == "".join(block.text for block in read.content)  # type: ignore[union-attr]
    stop = ends[0][1] if ends else None
    assert stop == answer["stop_sequence"] == read.stop_sequence
    assert ("stop_sequence" if ends else "end_turn") == answer["stop_reason"] == read.stop_reason


def test_an_answer_that_was_cut_has_an_end_of_its_own() -> None:
    """The gateway ends it at once, and takes nothing more from the upstream."""
    sent, aggregate = turn(stop_sequences=["STOP"]), Aggregate()
    answer = MessagesAnswer(sent, aggregate)
    events = [seen(aggregate, decoded(each)) for each in events_of([message("go STOP on")], 20)]
    parts = [answer.encode_batch([event]) for event in events]
    assert answer.is_cut
    last = data_of(parts[2])[-2:]
    assert {"stop_reason": "stop_sequence", "stop_sequence": "STOP"} == last[0]["delta"]
    assert {"type": "message_stop"} == last[1]
    assert b"" == b"".join(parts[3:])
    assert (0, b"") == answer.encode_plain([events[2].raw])


def test_deltas_of_a_later_item_wait_for_the_one_before() -> None:
    """Upstreams may interleave items; clients cannot read interleaved blocks."""
    events = events_of([message("first"), call('{"a":1}', 1)], 3)
    one, two = ([each for each in events if each.get("output_index") == at] for at in (0, 1))
    mixed = [events[0], *one[:2], *two[:-1], *one[2:], two[-1], events[-1]]
    assert events != mixed
    assert streamed(SENT, events) == streamed(SENT, mixed)
    assert streamed(SENT, events) == streamed_plain(SENT, mixed)


def _without(events: list[Json], *kinds: str) -> list[Json]:
    return [event for event in events if not event["type"].endswith(kinds)]


@pytest.mark.parametrize(
    "missing",
    [
        (".delta",),
        (".delta", "part.added"),
        (".delta", "part.added", "item.added"),
        (".delta", "part.added", "item.added", "item.done"),
    ],
)
def test_what_was_not_streamed_is_written_when_it_is_there(missing: tuple[str, ...]) -> None:
    """Sloppy upstreams leave out deltas, and even items, and say all at the end."""
    output = [reasoning(["why"]), message("text", 1), call('{"a":1}', 2), call("", 3)]
    events = _without(events_of(output), *missing)
    expected = whole(SENT, events_of(output))
    assert expected["content"] == accumulated(streamed(SENT, events)).to_dict()["content"]
    assert expected == whole(SENT, events)


def test_an_item_that_is_never_done_is_closed_at_the_end() -> None:
    """Where the upstream was cut short, blocks still end, and so does the message."""
    cut = _without(events_of([message("some"), message("more", 1)], 9), "item.done")
    read = accumulated(streamed(SENT, cut))
    assert ["some", "more"] == [block.text for block in read.content]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("output", "response", "reason"),
    [
        ([message("x")], {}, "end_turn"),
        ([call("{}")], {}, "tool_use"),
        ([call("{}")], {"status": "incomplete", "incomplete_details": None}, "end_turn"),
        ([call("{")], {"incomplete_details": {"reason": "max_output_tokens"}}, "max_tokens"),
        ([], {"incomplete_details": {"reason": "content_filter"}}, "refusal"),
        ([message("x", content=[{"type": "refusal", "refusal": "no"}])], {}, "refusal"),
    ],
)
def test_why_an_answer_ends(output: list[Json], response: Json, reason: str) -> None:
    """A truncated call is no call to run, and a refusal says so with its details."""
    if "incomplete_details" in response:
        response = {**response, "status": "incomplete"}
    events = events_of(output, **response)
    delta = data_of(streamed(SENT, events))[-2]["delta"]
    assert reason == delta["stop_reason"] == whole(SENT, events)["stop_reason"]
    assert (reason == "refusal") == (delta.get("stop_details", {}).get("type") == "refusal")


def test_usage_counts_each_token_once() -> None:
    """Input is what came from no cache; thinking is said apart."""
    usage = whole(SENT, events_of([message("x")]))["usage"]
    assert {
        "input_tokens": 30,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 60,
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 5},
        "service_tier": "standard",
        "cache_creation": None,
        "inference_geo": None,
        "server_tool_use": None,
    } == usage
    fast = whole(SENT, events_of([], service_tier="priority"))["usage"]
    assert "priority" == fast["service_tier"]


def test_an_upstream_without_usage_is_estimated() -> None:
    """Clients read figures from every end of a message."""
    usage = data_of(streamed(SENT, events_of([message("x")], usage=None)))[-2]["usage"]
    assert usage["input_tokens"] > 0
    assert usage["output_tokens"] > 0


def test_the_model_is_the_one_that_was_asked_for() -> None:
    """A client compares it with what it wrote."""
    answer = whole(turn(model="opus"), events_of([message("x")], model="gpt-6"))
    assert "opus" == answer["model"]


def test_a_response_without_an_id_has_one_all_the_same() -> None:
    """An upstream may leave it out; the client needs one."""
    events = events_of([message("x")])[1:]
    start = data_of(streamed(SENT, events))[0]
    assert start["message"]["id"].startswith("msg_")


def failed(sent: Turn, at: int) -> list[Json]:
    error = {"code": "server_error", "message": "It broke."}
    last = {"type": "response.failed", "response": {"id": "resp_1", "error": error}}
    return data_of(streamed(sent, [*events_of([message("some text")])[:at], last]))


def test_a_failure_in_the_middle_is_an_error_and_no_end() -> None:
    """A client that saw `message_stop` would take the half for the whole."""
    events = failed(SENT, 4)
    assert "error" == events[-1]["type"]
    assert {"type": "api_error", "message": "It broke."} == events[-1]["error"]
    assert "message_stop" not in [event["type"] for event in events]


def test_a_failure_before_anything_comes_before_the_message() -> None:
    """Where no message has begun it is an error with a status, which Claude Code understands."""
    with pytest.raises(UpstreamRejected) as refused:
        failed(SENT, 0)
    assert 500 == refused.value.status


def test_a_failed_response_is_no_answer_at_once() -> None:
    """It has a status of its own."""
    aggregate = Aggregate()
    error = {"code": "rate_limit_exceeded", "message": "Slow down."}
    raw = {"type": "response.failed", "response": {"id": "resp_1", "error": error}}
    with pytest.raises(UpstreamRejected) as refused:
        MessagesAnswer(SENT, aggregate).whole(seen(aggregate, decoded(raw)))
    assert 429 == refused.value.status


def test_a_stream_that_breaks_off_ends_with_an_error() -> None:
    """Whatever the gateway met is said in this API's form."""
    ending = MessagesAnswer(SENT, Aggregate()).failure(
        Problem(502, "upstream_disconnected", "Gone.")
    )
    expected = {"type": "error", "error": {"type": "api_error", "message": "Gone."}}
    assert [expected] == data_of(ending)


def test_silence_is_bridged_by_what_the_client_knows_then() -> None:
    """Before the message only a comment: what follows may still be an error to retry."""
    answer = MessagesAnswer(SENT, Aggregate())
    assert b": keep-alive\n" == answer.keep_alive()
    answer.encode_batch([decoded(events_of([])[0])])
    assert b'event: ping\ndata: {"type":"ping"}\n\n' == answer.keep_alive()


def test_thinking_that_is_omitted_is_signed_and_empty() -> None:
    """What Anthropic sends for `display: omitted`: the block, its signature, and no text."""
    sent = turn(thinking={"type": "adaptive", "display": "omitted"})
    for events in (events_of([reasoning([])]), events_of([reasoning(["secret"])])):
        (block,) = whole(sent, events)["content"]
        assert ("thinking", "") == (block["type"], block["thinking"])
        (read,) = accumulated(streamed(sent, events)).to_dict()["content"]  # type: ignore[misc]
        assert block == read


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize(
    "text", ["x\ud83d\ude00y\ud83d\ude00", "\ud83d", "\ude00a\ud83d", "a\\ud83d\ud83db"]
)
@pytest.mark.parametrize("stops", [[], ["ab"]], ids=["plain", "stops"])
def test_an_emoji_whose_halves_come_apart_is_whole(text: str, size: int, stops: list[str]) -> None:
    """In texts, refusals, thoughts and arguments: streamed and whole are the same, and are read."""
    sent = turn(thinking=THINKING, tools=TOOLS, stop_sequences=stops)
    refused = message("") | {"content": [{"type": "refusal", "refusal": text}]}
    arguments = json.dumps({"a": text}, ensure_ascii=False)
    output = [reasoning([text]), message(text, 1), call(arguments, 2), refused]
    raw = [json.dumps(each).encode() for each in events_of(output, size)]
    answers = []
    for is_plain in (False, True):
        aggregate = Aggregate()
        answer = MessagesAnswer(sent, aggregate)
        stream = b""
        for each in raw:
            taken, text_of = answer.encode_plain([each]) if is_plain else (0, b"")
            batch = [] if taken else [seen(aggregate, decode_event(each))]
            stream += text_of + answer.encode_batch(batch)
        answers.append(accumulated(stream).to_dict()["content"])
        assert aggregate.terminal is not None
        answers.append(json.loads(answer.whole(aggregate.terminal))["content"])
    assert [answers[1]] * 4 == answers
    whole_text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert whole_text == answers[1][1]["text"]
