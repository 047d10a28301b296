"""Answers of Gemini's API: streamed as events or as an array, and whole, they say the same."""

import base64
import json

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from longwire.core.errors import UpstreamRejected
from longwire.dialects.generate_content.models import gemini_model, gemini_page
from longwire.dialects.messages.upstream import MessagesUpstream
from longwire.dialects.own_fields import GEMINI, own_field
from longwire.dialects.ports import Problem, Terms
from longwire.dialects.seals import Seal, sealed
from tests.dialects.answering import Answering, stream
from tests.dialects.chat_completions.answers import (
    call,
    ending,
    frame,
    frames_of,
    item_frames,
    message,
    opening,
    reasoning,
)
from tests.dialects.generate_content.answers import (
    ARRAY,
    QUESTION,
    STREAM,
    WHOLE,
    checked,
    chunks_of,
    endings,
    items_of,
    parts_of,
    turn_of,
)
from tests.dialects.generate_content.test_image import SHOWING, merged, outputs

LAW = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
STEPS = st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=12)
SUBJECT = [
    reasoning("rs_1", "why", "not", sealed="gAAA1"),
    message("first, ", 'then "\\ ✓😀', phase="commentary", id="msg_1"),
    message("last", phase="final_answer", id="msg_2"),
    call("call_1", "read", '{"path":"a.txt",\n"lines":1.50}'),
    call("call_2", "read", ""),
]


def whole(turn, frames):
    """The response of an answer that does not stream."""
    return checked(json.loads(Answering(turn).whole(frames)))


def plain(parts):
    """Parts without their signatures, texts put together."""
    bare = [{name: part[name] for name in part if name != "thoughtSignature"} for part in parts]
    found = []
    for part in bare:
        is_more = found and "text" in part and "text" in found[-1]
        if is_more and part.get("thought") == found[-1].get("thought"):
            found[-1] = {**found[-1], "text": found[-1]["text"] + part["text"]}
        else:
            found.append(part)
    return [part for part in found if part != {"text": ""}]


def test_an_answer_has_all_that_was_made():
    """Thoughts that are shown, texts apart, calls with their arguments as they were written."""
    turn = turn_of(target=STREAM, **SHOWING)
    response = whole(turn, frames_of(*SUBJECT))
    (candidate,) = response["candidates"]
    assert [
        {"text": "why\n\nnot", "thought": True},
        {"text": 'first, then "\\ ✓😀\n\nlast'},
        {"functionCall": {"id": "call_1", "name": "read", "args": {"path": "a.txt", "lines": 1.5}}},
        {"functionCall": {"id": "call_2", "name": "read", "args": {}}},
    ] == plain(candidate["content"]["parts"])
    assert ("model", "STOP", 0) == (
        candidate["content"]["role"],
        candidate["finishReason"],
        candidate["index"],
    )
    assert {
        "promptTokenCount": 90,
        "candidatesTokenCount": 7,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 64,
        "totalTokenCount": 102,
    } == response["usageMetadata"]
    assert ("gpt-5.5-1", "resp_1") == (response["modelVersion"], response["responseId"])
    assert "2023-11-14T22:13:20Z" == response["createTime"]


def test_numbers_stay_as_they_are_written():
    """Arguments are the model's own text."""
    sent = Answering(turn_of()).whole(frames_of(call("c", "f", '{"n":1.50,"m":1e5}')))
    assert b'"args":{"n":1.50,"m":1e5}' in sent


@LAW
@given(output=outputs(), plan=STEPS, size=st.integers(0, 4))
def test_a_stream_says_what_the_whole_says(output, plan, size):
    """However its events come, decoded or not, by ones or by many, items whole or in pieces."""
    turn = turn_of(target=STREAM, **SHOWING)
    frames = opening()
    for index, item in enumerate(output):
        frames += item_frames(index, item, size)
    frames.append(ending())
    chunks, response = chunks_of(stream(turn, frames, plan)), whole(turn, frames)
    assert ["STOP" if not _refuses(output) else "SAFETY"] == endings(chunks)
    assert "finishReason" in chunks[-1]["candidates"][0]
    assert response["usageMetadata"] == chunks[-1]["usageMetadata"]
    (candidate,) = response["candidates"]
    assert plain(candidate["content"]["parts"]) == plain(parts_of(chunks))
    signed = [part for part in merged(parts_of(chunks)) if "thoughtSignature" in part]
    kept = [part for part in candidate["content"]["parts"] if "thoughtSignature" in part]
    assert [part["thoughtSignature"] for part in kept] == [
        part["thoughtSignature"] for part in signed
    ]


def _refuses(output):
    parts = [part for item in output for part in item.get("content", ())]
    return any(part["type"] == "refusal" for part in parts)


@LAW
@given(output=outputs(), plan=STEPS)
def test_an_array_has_the_chunks_of_the_events(output, plan):
    """Without `alt=sse` a stream is one JSON array."""
    frames = frames_of(*output)
    events = chunks_of(stream(turn_of(target=STREAM), frames, plan))
    assert events == json.loads(stream(turn_of(target=ARRAY), frames, plan))


@pytest.mark.parametrize("keeps_thoughts", [True, False])
def test_what_a_translation_sealed_comes_back_with_its_words(keeps_thoughts):
    """Its vendor takes both or none, and clients leave thoughts out; others need no words."""
    seal = sealed(Seal("anthropic", "x"))
    output = [
        reasoning("lw_rs_1", "Hm.", sealed=seal),
        call("call_1", "read"),
        reasoning("rs_2", "Oh.", sealed="gAAA"),
        message("text"),
    ]
    answer = whole(turn_of(**SHOWING), frames_of(*output))["candidates"][0]["content"]
    parts = [each for each in answer["parts"] if keeps_thoughts or not each.get("thought")]
    turn = turn_of(QUESTION, {"role": "model", "parts": parts}, QUESTION)
    kept = [item for item in items_of(turn) if item["type"] == "reasoning"]
    words = [{"type": "summary_text", "text": "Hm."}]
    assert [(seal, words), ("gAAA", [])] == [
        (item["encrypted_content"], item["summary"]) for item in kept
    ]


@pytest.mark.parametrize("keeps_thoughts", [True, False])
@pytest.mark.parametrize("target", [WHOLE, STREAM])
def test_thinking_goes_back_to_claude_as_it_came(keeps_thoughts, target):
    """Anthropic takes a block of thinking with its own words and signature, or not at all."""
    seal = sealed(Seal("anthropic", "SIG"))
    output = [reasoning("lw_rs_1", "Hm.", sealed=seal), call("call_1", "read")]
    asked = turn_of(target=target, **SHOWING)
    if target is WHOLE:
        answers = [whole(asked, frames_of(*output))]
    else:
        answers = chunks_of(stream(asked, frames_of(*output)))
    parts = [part for each in answers for part in each["candidates"][0]["content"]["parts"]]
    kept = [part for part in parts if keeps_thoughts or not part.get("thought")]
    result = {"functionResponse": {"id": "call_1", "name": "read", "response": {"output": "x"}}}
    contents = [QUESTION, {"role": "model", "parts": kept}, {"role": "user", "parts": [result]}]
    sent = json.loads(MessagesUpstream().translate(turn_of(*contents), {}, Terms()).body)
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "SIG"}
    assert thinking == sent["messages"][1]["content"][0]


def test_every_chunk_has_a_content():
    """A client takes a chunk without one for an answer that failed, and forgets the turn."""
    for output in ([], [message("x")], [call("c")], [reasoning("rs_1")]):
        for chunk in chunks_of(stream(turn_of(target=STREAM), frames_of(*output))):
            assert chunk["candidates"][0]["content"]["parts"]


def test_deltas_pass_as_they_come():
    """One chunk each, on the hot path too."""
    frames = [*opening(), *item_frames(0, message("abcdefghij"), 2)]
    answering = Answering(turn_of(target=STREAM))
    answering.batch(frames[:3])
    count, sent = answering.plain(frames[3:7])
    assert (4, ["cd", "ef", "gh", "ij"]) == (
        count,
        [part["text"] for part in parts_of(chunks_of(sent))],
    )


@pytest.mark.parametrize(
    ("members", "status", "reason"),
    [
        ({"incomplete_details": {"reason": "max_output_tokens"}}, "incomplete", "MAX_TOKENS"),
        ({"incomplete_details": {"reason": "content_filter"}}, "incomplete", "SAFETY"),
        ({"incomplete_details": {"reason": "other"}}, "incomplete", "OTHER"),
        ({}, "completed", "STOP"),
    ],
)
def test_why_an_answer_ended(members, status, reason):
    """In Google's words, streamed and whole."""
    frames = [*opening(), *item_frames(0, message("x")), ending(status, **members)]
    assert [reason] == endings(chunks_of(stream(turn_of(target=STREAM), frames)))
    assert [reason] == endings([whole(turn_of(), frames)])


@pytest.mark.parametrize("arguments", ['{"p":', ""])
@pytest.mark.parametrize(("status", "calls"), [("incomplete", ["a"]), ("completed", ["a", "b"])])
def test_half_a_call_is_left_out_where_the_answer_was_stopped(arguments, status, calls):
    """Gemini sends none, and its clients would run it; a model's own broken JSON is shown."""
    whole_one = call("call_1", "a", '{"p":1}', status="incomplete")
    half = call("call_2", "b", arguments, status="incomplete")
    details = {"incomplete_details": {"reason": "max_output_tokens"}} if len(calls) == 1 else {}
    frames = [*opening(), *item_frames(0, whole_one), *item_frames(1, half)]
    frames.append(ending(status, **details))
    chunks = chunks_of(stream(turn_of(target=STREAM), frames))
    response = whole(turn_of(), frames)
    for parts in (parts_of(chunks), parts_of([response])):
        assert calls == [part["functionCall"]["name"] for part in parts if "functionCall" in part]
    assert ["MAX_TOKENS" if details else "STOP"] == endings(chunks) == endings([response])


@pytest.mark.parametrize("size", range(6))
def test_a_stop_sequence_ends_the_answer(size):
    """Wherever the pieces end; nothing stands behind it, and what it cost is estimated."""
    config = {"stopSequences": ["END", "never"]}
    frames = [*opening(), *item_frames(0, message("one EN two END three"), size)]
    turn = turn_of(target=STREAM, generationConfig=config)
    chunks = chunks_of(stream(turn, [*frames, ending()]))
    assert ["STOP"] == endings(chunks)
    assert "one EN two " == "".join(part["text"] for part in parts_of(chunks))
    response = whole(turn, [*frames, ending()])
    assert [{"text": "one EN two "}] == response["candidates"][0]["content"]["parts"]


@pytest.mark.parametrize(("target", "start", "end"), [(STREAM, "data: ", ""), (ARRAY, ",\n", "]")])
def test_a_stream_that_breaks_off_says_so(target, start, end):
    """As a chunk with an error, which Google's clients raise."""
    answering = Answering(turn_of(target=target))
    answering.batch([*opening(), *item_frames(0, message("x"))])
    sent = answering.answer.failure(Problem(502, "upstream_disconnected", "Gone.")).decode()
    error = json.loads(sent.removeprefix(start).removesuffix(end))["error"]
    assert (502, "UNAVAILABLE", "Gone.") == (error["code"], error["status"], error["message"])


def test_a_failure_before_output_has_its_own_status():
    """Nothing was sent yet, so the reply is an error."""
    error = {"code": "rate_limit_exceeded", "message": "Slow."}
    failed = frame("response.failed", response={"id": "r", "status": "failed", "error": error})
    with pytest.raises(UpstreamRejected) as raised:
        Answering(turn_of(target=STREAM)).batch([*opening(), failed])
    assert 429 == raised.value.status


def test_a_failure_after_output_is_a_chunk():
    """With the status that it would have had."""
    error = {"code": "rate_limit_exceeded", "message": "Slow."}
    failed = frame("response.failed", response={"id": "r", "status": "failed", "error": error})
    frames = [*opening(), *item_frames(0, message("x")), failed]
    *_, last = stream(turn_of(target=STREAM), frames).decode().split("data: ")
    assert (429, "RESOURCE_EXHAUSTED") == (
        json.loads(last)["error"]["code"],
        json.loads(last)["error"]["status"],
    )


@pytest.mark.parametrize("target", [STREAM, ARRAY])
def test_silence_is_bridged_by_nothing_but_line_breaks(target):
    """A comment would be read as a chunk."""
    assert not Answering(turn_of(target=target)).answer.keep_alive().strip()


def test_an_emoji_in_two_halves_comes_whole():
    """Its first half waits for the second one."""
    frames = [*opening(), *item_frames(0, message("a"), 0)[:1]]
    for half in ("a\\ud83d", "\\ude00b"):
        written = b'{"type":"response.output_text.delta","output_index":0,"delta":"%b"}'
        frames.append(written % half.encode())
    frames += [item_frames(0, message("a😀b"))[-1], ending()]
    chunks = chunks_of(stream(turn_of(target=STREAM), frames))
    assert "a😀b" == "".join(part["text"] for part in parts_of(chunks))


def test_a_name_comes_back_as_the_client_knows_it():
    """Though it is sent by another one, which the Responses API takes."""
    turn = turn_of(tools=[{"functionDeclarations": [{"name": "a.b:c"}]}])
    (tool,) = json.loads(turn.members["tools"])
    assert set(tool["name"]) <= set("abc_0123456789def")
    response = whole(turn, frames_of(call("c", tool["name"])))
    assert "a.b:c" == response["candidates"][0]["content"]["parts"][0]["functionCall"]["name"]


def test_nothing_of_a_signature_is_shown():
    """Reasoning travels sealed on the part behind it."""
    sealed = reasoning("rs_1", sealed="gAAA-secret")
    turn = turn_of(QUESTION, target=STREAM)
    (part, *_) = parts_of(chunks_of(stream(turn, frames_of(sealed, message("x")))))
    assert "x" == part["text"]
    envelope = json.loads(base64.b64decode(part["thoughtSignature"])[4:])
    assert {"r": [{"i": "rs_1", "e": "gAAA-secret"}]} == envelope


NAMES = [f"m{number}" for number in range(5)]


def test_models_come_in_pages():
    """Each page names the one behind it, until there is none."""
    seen, token = [], ""
    while True:
        page = gemini_page(NAMES, {"pageSize": "2", "pageToken": token})
        seen += [model["name"] for model in page["models"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert [gemini_model(name)["name"] for name in NAMES] == seen
    assert [] == gemini_page([], {})["models"]


@pytest.mark.parametrize(
    ("param", "own"),
    [
        ("max_output_tokens", "generationConfig.maxOutputTokens"),
        ("input[3].content", "contents"),
        ("tools[0].name", "tools"),
        ("reasoning.effort", "generationConfig.thinkingConfig"),
        ("model", "model"),
    ],
)
def test_a_field_has_the_name_that_its_client_knows(param, own):
    """Where it is not sure, what it stands in is named."""
    assert own == own_field(param, GEMINI)
