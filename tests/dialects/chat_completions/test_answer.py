"""Events encoded as chunks, and whole answers: their order, and that both say the same."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from longwire.core.errors import UpstreamRejected
from longwire.dialects.ports import Problem
from tests.dialects.answering import Answering, stream
from tests.dialects.chat_completions.answers import (
    HIDING,
    LAW,
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
    item_frames,
    message,
    opening,
    read,
    reasoning,
    turn_of,
)
from tests.dialects.chat_completions.test_image import outputs

PLAIN = turn_of()
WITH_USAGE = turn_of(stream_options={"include_usage": True})
DETAILS = {
    "prompt_tokens": 90,
    "completion_tokens": 12,
    "total_tokens": 102,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


def deltas_of(sent: bytes) -> list[Item]:
    """The deltas of a stream's chunks."""
    return [chunk["choices"][0]["delta"] for chunk in chunks_of(sent) if chunk["choices"]]


def whole(turn, frames) -> Item:
    """A completion."""
    return completion(Answering(turn).whole(frames))


def said(turn, frames) -> Item:
    """The message of a completion with its `finish_reason`, as `accumulated` has it."""
    choice = whole(turn, frames)["choices"][0]
    found = {**choice["message"], "finish_reason": choice["finish_reason"]}
    if not found["annotations"]:
        del found["annotations"]
    return found


def test_the_order_of_chunks():
    """Role, text, call, arguments, the end, usage, `[DONE]`; usage is null until then."""
    frames = frames_of(message("hi"), call("call_1", "read", '{"a":1}'), size=4)
    chunks = chunks_of(stream(WITH_USAGE, frames))
    first = {"index": 0, "id": "call_1", "type": "function"}
    assert [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "hi"},
        {"tool_calls": [{**first, "function": {"name": "read", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {},
    ] == [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]]
    assert [*[None] * 5, "tool_calls"] == reasons
    assert ([], DETAILS) == (chunks[-1]["choices"], chunks[-1]["usage"])
    assert [None] * 6 == [chunk["usage"] for chunk in chunks[:-1]]
    assert {("resp_1", "chat.completion.chunk", 1_700_000_000, "gpt-5.5-1")} == {
        (chunk["id"], chunk["object"], chunk["created"], chunk["model"]) for chunk in chunks
    }


def test_no_usage_unless_it_is_wanted():
    """Then no chunk even has the member."""
    assert not any("usage" in chunk for chunk in chunks_of(stream(PLAIN, frames_of(message("a")))))


def test_the_role_comes_at_once():
    """Before the first token, so that a client sees that somebody answers."""
    (data,) = read(Answering(PLAIN).batch(opening()))
    assert "assistant" == json.loads(data)["choices"][0]["delta"]["role"]


def test_a_whole_answer():
    """A completion with all that this API says of one."""
    frames = frames_of(
        message("hi"), call("call_1", "read", '{"n": 1.50}'), custom("c2", value="x")
    )
    frames[-1] = ending(service_tier="flex")
    assert {
        "id": "resp_1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-5.5-1",
        "service_tier": "flex",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "hi",
                    "refusal": None,
                    "annotations": [],
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "read", "arguments": '{"n": 1.50}'},
                        },
                        {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "x"}},
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": DETAILS,
    } == whole(PLAIN, frames)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ([message("a"), message("b")], "a\n\nb"),
        ([message("a", "b")], "ab"),
        ([message(""), message("b")], "b"),
        ([call("c")], None),
        ([message(refusal="no")], None),
        ([], ""),
    ],
)
def test_the_content_of_a_whole_answer(output, expected):
    """Texts of items stand apart, those of parts do not; null beside calls or a refusal."""
    assert expected == said(PLAIN, frames_of(*output))["content"]


PLANS = st.lists(st.tuples(st.booleans(), st.integers(1, 7)), max_size=30)


@pytest.mark.parametrize("grant", [HIDING, SHOWING], ids=["hiding", "showing"])
@LAW
@given(output=outputs(), size=st.integers(0, 4), plan=PLANS)
def test_a_stream_says_what_the_whole_says(output, size, plan, grant):
    """However it is split, on the hot path and off it, with deltas and without."""
    turn, frames = turn_of(grant=grant), frames_of(*output, size=size)
    added = accumulated(chunks_of(stream(turn, frames, plan)))
    expected = said(turn, frames)
    assert expected == {
        **added,
        "content": added["content"] if expected["content"] else expected["content"],
    }
    assert (expected["content"] or "") == added["content"]


@LAW
@given(output=outputs(), size=st.integers(1, 4), plan=PLANS)
def test_any_split_gives_the_same_chunks(output, size, plan):
    """What passes as it is says the same as what was decoded."""
    frames = frames_of(*output, size=size)
    chunks = chunks_of(stream(WITH_USAGE, frames, plan))
    assert chunks_of(stream(WITH_USAGE, frames)) == chunks


@LAW
@given(output=outputs(), data=st.data())
def test_items_may_come_entangled(output, data):
    """Events of several items in any order that keeps each item's own: the same message."""
    queues = [item_frames(index, item) for index, item in enumerate(output)]
    added = [queue.pop(0) for queue in queues]
    frames = opening() + added
    while any(queues):
        at = data.draw(st.sampled_from([at for at, queue in enumerate(queues) if queue]))
        frames.append(queues[at].pop(0))
    frames.append(ending())
    expected = accumulated(chunks_of(stream(PLAIN, frames_of(*output))))
    assert expected == accumulated(chunks_of(stream(PLAIN, frames)))


@pytest.mark.parametrize("is_plain", [False, True], ids=["decoded", "plain"])
@pytest.mark.parametrize(
    "output",
    [
        [message("abc"), message("xyz")],
        [call("A", arguments='{"a":1}'), call("B", arguments='{"b":2}')],
        [message("abc"), message(refusal="xyz"), message("uvw")],
    ],
    ids=["texts", "calls", "refusal"],
)
def test_texts_that_come_in_turns_are_put_in_order(output, is_plain):
    """One letter of each, then the next one of each: neither is shown inside another."""
    queues = [item_frames(index, item, 1) for index, item in enumerate(output)]
    frames = opening()
    while any(queues):
        frames += [queue.pop(0) for queue in queues if queue]
    frames.append(ending())
    expected = accumulated(chunks_of(stream(PLAIN, frames_of(*output))))
    found = accumulated(chunks_of(stream(PLAIN, frames, [(False, 1), (is_plain, 999)])))
    assert expected == found


@LAW
@given(output=outputs(), gaps=st.lists(st.integers(1, 3), min_size=6, max_size=6))
def test_items_may_be_missing_between_others(output, gaps):
    """An upstream that keeps some items to itself, or counts oddly, streams all the same."""
    frames, at = opening(), 0
    for item, gap in zip(output, gaps, strict=False):
        frames += item_frames(at, item)
        at += gap
    answering = Answering(PLAIN)
    before = b"".join(answering.batch([each]) for each in frames)
    expected = chunks_of(stream(PLAIN, frames_of(*output)))
    assert expected == chunks_of(before + answering.batch([ending()]))


@LAW
@given(output=outputs(), size=st.integers(1, 4))
def test_the_official_client_adds_up_the_same(output, size):
    """OpenAI's own accumulator makes the whole answer of the chunks."""
    output = [item for item in output if item["type"] != "custom_tool_call"]
    frames = frames_of(*output, size=size)
    state = ChatCompletionStreamState()
    for chunk in chunks_of(stream(WITH_USAGE, frames)):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    final = json.loads(state.get_final_completion().to_json())
    expected = whole(WITH_USAGE, frames)
    message, wanted = final["choices"][0]["message"], expected["choices"][0]["message"]
    assert (wanted["content"] or "") == (message.get("content") or "")
    assert (wanted["refusal"] or None) == (message.get("refusal") or None)
    assert [_bare(each) for each in wanted.get("tool_calls", [])] == [
        _bare(each) for each in message.get("tool_calls") or []
    ]
    assert expected["usage"] == final["usage"]


def _bare(tool_call: Item) -> tuple:
    function = tool_call["function"]
    return tool_call["id"], function["name"], function["arguments"]


def test_output_that_only_the_terminal_has_is_shown():
    """Some upstreams send no events of items: nothing is lost, streamed or whole."""
    output = [message("hi"), call("call_1", arguments="{}")]
    frames = [*opening(), ending(output=output)]
    expected = said(PLAIN, frames_of(*output))
    assert expected == accumulated(chunks_of(stream(PLAIN, frames)))
    assert expected == said(PLAIN, frames)


def test_the_rest_of_a_text_follows():
    """A text of which deltas are missing is completed once its item is done."""
    frames = frames_of(message("one two three"), call("c", "f", '{"a":1.50}'), size=3)
    missing = [at for at, each in enumerate(frames) if b".delta" in each][2:5]
    missing += [at for at, each in enumerate(frames) if b"arguments.delta" in each][2:]
    kept = [each for at, each in enumerate(frames) if at not in missing]
    assert len(kept) < len(frames) - 4
    assert accumulated(chunks_of(stream(PLAIN, frames))) == accumulated(
        chunks_of(stream(PLAIN, kept))
    )


@pytest.mark.parametrize(
    ("status", "details", "output", "expected"),
    [
        ("completed", None, [message("a")], "stop"),
        ("completed", None, [message("a"), call("c")], "tool_calls"),
        ("completed", None, [custom("c")], "tool_calls"),
        ("incomplete", {"reason": "max_output_tokens"}, [message("a")], "length"),
        ("incomplete", {"reason": "max_output_tokens"}, [call("c", arguments='{"a')], "length"),
        ("incomplete", {"reason": "content_filter"}, [message("a")], "content_filter"),
        ("incomplete", None, [message("a")], "length"),
    ],
)
def test_why_an_answer_ended(status, details, output, expected):
    """A call that was cut off is no call to make."""
    frames = [*frames_of(*output)[:-1], ending(status, incomplete_details=details)]
    assert expected == accumulated(chunks_of(stream(PLAIN, frames)))["finish_reason"]
    assert expected == said(PLAIN, frames)["finish_reason"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": "rate_limit_exceeded", "message": "slow"}, 429),
        ({"code": "server_error", "message": "oh"}, 500),
        ({"code": "insufficient_quota", "message": "pay"}, 429),
        ({"code": "bio_policy", "message": "no"}, 400),
        ({"code": "invalid_prompt", "message": "no"}, 400),
    ],
)
def test_a_failed_response_is_an_error(error, status):
    """Never a 200 where nothing was sent; in a stream an `error`, and no `[DONE]`."""
    frames = [*opening(), *item_frames(0, message("a")), ending("failed", error=error)]
    with pytest.raises(UpstreamRejected) as caught:
        Answering(PLAIN).whole(frames)
    assert (status, error["code"]) == (caught.value.status, caught.value.code)
    *_, last = read(stream(PLAIN, frames))
    found = json.loads(last)["error"]
    assert (error["code"], error["message"]) == (found["code"], found["message"])


def test_a_cancelled_response_is_an_error():
    """It ends a stream as a failed one does; an error event never comes to a client's dialect."""
    said = {"error": {"code": "server_error", "message": "oh"}, "response": {}}
    half = frame("response.output_text.delta", output_index=0, content_index=0, delta="half")
    frames = [*opening(), half, frame("response.cancelled", **said)]
    assert "error" in json.loads(read(stream(PLAIN, frames))[-1])


def test_a_stream_under_way_fails_with_an_error():
    """The envelope in one event, also where an upstream has written it over several lines."""
    answer = Answering(PLAIN).answer
    assert {"message": "m", "type": "server_error", "param": None, "code": "c"} == json.loads(
        read(answer.failure(Problem(502, "c", "m")))[0]
    )["error"]
    spread = Problem(400, "c", "m", body=b'{\n "error": {\n"code": "x"}}')
    assert {"error": {"code": "x"}} == json.loads(read(answer.failure(spread))[0])


def test_silence_is_bridged_by_a_comment():
    """Which no client takes for a chunk."""
    assert [] == read(Answering(PLAIN).answer.keep_alive() + b"\n")


def test_logprobs_come_with_their_text():
    """In chunks and whole."""
    tokens = [{"token": t, "logprob": -0.5, "bytes": None, "top_logprobs": []} for t in ("a", "b")]
    part = {"type": "output_text", "text": "ab", "annotations": [], "logprobs": tokens}
    item = {**message(), "content": [part]}
    frames = [*opening(), frame("response.output_item.added", output_index=0, item=message())]
    for token in tokens:
        delta = {"output_index": 0, "delta": token["token"], "logprobs": [token]}
        frames.append(frame("response.output_text.delta", **delta))
    frames += [frame("response.output_item.done", output_index=0, item=item), ending()]
    turn = turn_of(logprobs=True)
    for plan in ([], [(True, 99)]):
        chunks = chunks_of(stream(turn, frames, [(False, 1), *plan]))
        found = [chunk["choices"][0]["logprobs"] for chunk in chunks]
        assert [None, *[{"content": [t], "refusal": None} for t in tokens], None] == found
    assert {"content": tokens, "refusal": None} == whole(turn, frames)["choices"][0]["logprobs"]


@pytest.mark.parametrize("stop", [[], ["never"]])
@pytest.mark.parametrize("streamed", [[], ["a", "b"], ["a"]])
@pytest.mark.parametrize("later", [False, True])
def test_logprobs_that_come_late_are_streamed_too(stop, streamed, later):
    """With the end of their item, or with any delta but the first."""
    tokens = [{"token": t, "logprob": -0.5, "bytes": None, "top_logprobs": []} for t in "ab"]
    part = {"type": "output_text", "text": "ab", "annotations": [], "logprobs": tokens}
    frames = [*opening(), frame("response.output_item.added", output_index=0, item=message())]
    for at, text in enumerate(streamed):
        said = tokens if later and at == 1 else []
        delta = {"output_index": 0, "delta": text, "logprobs": said}
        frames.append(frame("response.output_text.delta", **delta))
    item = {**message(), "content": [part]}
    frames += [frame("response.output_item.done", output_index=0, item=item), ending()]
    turn = turn_of(logprobs=True, stop=stop)
    for plan in ([], [(True, 99)]):
        choices = [
            chunk["choices"][0] for chunk in chunks_of(stream(turn, frames, [(False, 1), *plan]))
        ]
        found = [each["logprobs"]["content"] for each in choices if each["logprobs"]]
        assert tokens == [token for each in found for token in each]
        assert "ab" == "".join(each["delta"].get("content") or "" for each in choices)


def test_annotations_are_those_of_the_content():
    """Nested as this API has them, and counted from the beginning of all the text."""
    cited = {"type": "url_citation", "start_index": 1, "end_index": 3, "title": "t", "url": "u"}
    second = {
        **message("sea"),
        "content": [{**message("sea")["content"][0], "annotations": [cited]}],
    }
    found = said(PLAIN, frames_of(message("über"), second))["annotations"]
    place = {"start_index": 7, "end_index": 9, "title": "t", "url": "u"}
    assert [{"type": "url_citation", "url_citation": place}] == found
    added = accumulated(chunks_of(stream(PLAIN, frames_of(message("über"), second))))
    assert found == added["annotations"]


def test_reasoning_is_shown_to_whom_it_may_be():
    """As text while it is thought, parts and items apart; and once done what can be sent back."""
    output = [reasoning("rs_1", "why", "so"), reasoning("rs_2", "then", sealed=None), message("a")]
    added = accumulated(chunks_of(stream(turn_of(grant=SHOWING), frames_of(*output))))
    assert "why\n\nso\n\nthen" == added["reasoning_content"]
    assert [
        ("reasoning.summary", "why", 0),
        ("reasoning.summary", "so", 0),
        ("reasoning.encrypted", "lw1.eyJwIjoicmVzcG9uc2VzIn0.gAAA", 0),
    ] == [
        (d["type"], d.get("summary", d.get("data")), d["index"]) for d in added["reasoning_details"]
    ]
    hidden = stream(PLAIN, frames_of(*output))
    assert b"reasoning" not in hidden.replace(b"reasoning_tokens", b"")


def test_legacy_functions_are_called_in_their_own_way():
    """One call without an id, and its own `finish_reason`."""
    turn = turn_of(functions=[{"name": "read"}])
    frames = frames_of(call("c1", "read", '{"a":1}'), call("c2", "read", "{}"))
    expected = {"name": "read", "arguments": '{"a":1}'}
    for found in (
        said(turn, frames),
        accumulated(chunks_of(stream(turn, frames, [(True, 99)] * 9))),
    ):
        assert ("function_call", expected) == (found["finish_reason"], found["function_call"])
        assert "tool_calls" not in found


def test_a_short_name_is_long_again():
    """The client knows its function by its own name alone."""
    name = "mcp__" + "x" * 70
    turn = turn_of(tools=[{"type": "function", "function": {"name": name}}])
    short = json.loads(turn.members["tools"])[0]["name"]
    frames = frames_of(call("c1", short))
    for found in (said(turn, frames), accumulated(chunks_of(stream(turn, frames)))):
        assert name == found["tool_calls"][0]["function"]["name"]


STOPS = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=4)


@LAW
@example(["abc"], ["abc", "b"], 4)
@example(["ab", "c"], ["\n\n"], 1)
@given(st.lists(st.text("abc", max_size=8), min_size=1, max_size=3), STOPS, st.integers(1, 4))
def test_a_stop_sequence_cuts_the_text(texts, stops, size):
    """Before the one that is whole first, however the text is split; nothing follows it."""
    turn = turn_of(stop=stops)
    frames = frames_of(*map(message, texts), call("c1"), size=size)
    content = "\n\n".join(filter(None, texts))
    ends = [
        (content.find(stop) + len(stop), content.find(stop)) for stop in stops if stop in content
    ]
    expected = content[: min(ends)[1]] if ends else content
    found = said(turn, frames)
    assert (expected, "stop" if ends else "tool_calls") == (
        found["content"] or "",
        found["finish_reason"],
    )
    for plan in ([], [(True, 1)] * 99, [(False, 1)] * 99):
        added = accumulated(chunks_of(stream(turn, frames, plan)))
        assert (expected, found["finish_reason"]) == (added["content"], added["finish_reason"])
        assert bool(ends) != ("tool_calls" in added)


def test_a_cut_stream_says_what_it_cost():
    """The upstream's own count never comes, so usage is an estimate; the answer is cut."""
    answering = Answering(turn_of(stop="c", stream_options={"include_usage": True}))
    sent = answering.batch(frames_of(message("abcd"))[:-3])
    assert answering.answer.is_cut
    assert 0 < chunks_of(sent)[-1]["usage"]["prompt_tokens"]


def test_nothing_is_held_back_that_cannot_be_a_stop():
    """A client sees each letter as soon as it is clear that it stays."""
    answering = Answering(turn_of(stop="</block>"))
    answering.batch(opening())
    found = []
    for delta in ("no<", "/", "p", "</block", "!"):
        sent = answering.batch([frame("response.output_text.delta", output_index=0, delta=delta)])
        found.append("".join(json.loads(d)["choices"][0]["delta"]["content"] for d in read(sent)))
    assert ["no", "", "</p", "", "</block!"] == found


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize(
    "text", ["x\ud83d\ude00y\ud83d\ude00", "\ud83d", "\ude00a\ud83d", "a\\ud83d\ud83db"]
)
@pytest.mark.parametrize("members", [{}, {"stop": "ab"}], ids=["plain", "stops"])
def test_an_emoji_whose_halves_come_apart_is_whole(text, size, members):
    """Everywhere, streamed and whole: few clients can read half of one, or write it again."""
    turn = turn_of(grant=SHOWING, **members)
    arguments = json.dumps({"a": text}, ensure_ascii=False)
    output = [reasoning("rs_1", text), message(text, refusal=text), call("c", arguments=arguments)]
    expected = said(turn, frames_of(*output, size=size))
    readable = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert [readable] * 3 == [expected[it] for it in ("content", "refusal", "reasoning_content")]
    assert {"a": readable} == json.loads(expected["tool_calls"][0]["function"]["arguments"])
    for plan in ([], [(False, 1), *[(True, 1)] * 99]):
        chunks = chunks_of(stream(turn, frames_of(*output, size=size), plan))
        texts = [json.dumps(chunk, ensure_ascii=False).encode() for chunk in chunks]
        assert all(texts)
        assert expected == accumulated(chunks)


def test_an_event_on_a_lane_is_not_plain():
    """The reader of its connection has a word to say there."""
    lane = frame("response.output_text.delta", output_index=0, delta="a", stream_id="s")
    answering = Answering(PLAIN)
    answering.batch(opening())
    assert (0, b"") == answering.plain([lane])


def test_before_its_opening_nothing_is_plain():
    """It says which response it is."""
    assert (0, b"") == Answering(PLAIN).plain(item_frames(0, message("a")))


def test_a_response_without_an_opening_has_its_role():
    """An upstream that begins with output is answered all the same."""
    frames = [*item_frames(0, message("a")), ending()]
    assert "assistant" == deltas_of(stream(PLAIN, frames))[0]["role"]
