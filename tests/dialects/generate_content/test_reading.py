"""Gemini's answers as events of the Responses API."""

import json
import re
from pathlib import Path

import pytest

from longwire.core.events import Event, Kind
from longwire.dialects.generate_content.finish import INCOMPLETE
from longwire.dialects.generate_content.reading import Answered, Counted, GeneratedAnswer
from longwire.dialects.ports import Fallback
from longwire.dialects.responses.stream import decode_event, failed_as
from longwire.dialects.seals import Seal, opened
from tests.dialects.generate_content.calls import (
    Json,
    chunk,
    cut,
    datas,
    names,
    read,
    response,
    said,
    sse,
)
from tests.dialects.recordings import FOLDER, needs_recordings

RECORDED = FOLDER / "gemini"
STREAMS = sorted(RECORDED.glob("*.chunks.txt"))
WHOLE = sorted(set(RECORDED.glob("*.json")) - set(RECORDED.glob("*429*")))


def fresh() -> GeneratedAnswer:
    return GeneratedAnswer(Answered(), Fallback("fallback", 0))


def seals(output: list[Json]) -> list[Seal]:
    return [opened(item["encrypted_content"]) for item in output if "encrypted_content" in item]


def test_a_text_is_streamed_as_the_api_streams_it() -> None:
    """Opening, the item, its part, deltas, all done, terminal; numbered without a gap."""
    events = read(chunk({"text": "Hel"}), chunk({"text": "lo"}, finish="STOP"))
    assert names(events) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence for event in events] == [*range(len(events))]
    assert [decode_event(event.raw) for event in events] == events
    whole = response(events)
    assert whole["id"] == "resp_abc"
    assert whole["status"] == "completed"
    assert whole["output"][0]["content"][0]["text"] == "Hello"
    assert whole["usage"]["total_tokens"] == 10


def test_every_item_is_added_and_done() -> None:
    """Thoughts, text and calls are one item each, with the item done as the terminal has it."""
    events = read(
        chunk({"text": "Hm.", "thought": True}),
        chunk({"text": "Look:"}, {"functionCall": {"name": "a", "args": {"n": 1}}}, finish="STOP"),
    )
    found = datas(events)
    done = [each["item"] for each in found if each["type"] == "response.output_item.done"]
    added = [each["item"] for each in found if each["type"] == "response.output_item.added"]
    assert response(events)["output"] == done
    assert [each["id"] for each in added] == [each["id"] for each in done]
    assert all(each["id"].startswith("lw_") for each in done)
    assert [said(each) for each in done] == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": None,
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "Look:", "annotations": [], "logprobs": []}
            ],
        },
        {
            "type": "function_call",
            "call_id": done[2]["call_id"],
            "name": "a",
            "arguments": '{"n": 1}',
        },
    ]


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=[path.name for path in STREAMS])
def test_every_recorded_stream_is_read_without_loss(path: Path) -> None:
    """Texts, thoughts, calls, signatures and counts are those of the recording."""
    chunks = [json.loads(line) for line in path.read_text().splitlines()]
    parts = [
        part
        for each in chunks
        for candidate in each["candidates"]
        for part in candidate.get("content", {}).get("parts", [])
    ]
    output = response(read(*chunks))["output"]
    texts = [part["text"] for part in parts if part.get("text") and not part.get("thought")]
    shown = [each["content"][0]["text"] for each in output if each["type"] == "message"]
    assert "".join(texts) == "".join(shown)
    called = [
        part["functionCall"]["name"] for part in parts if part.get("functionCall", {}).get("name")
    ]
    assert called == [each["name"] for each in output if each["type"] == "function_call"]
    signatures = [part["thoughtSignature"] for part in parts if "thoughtSignature" in part]
    assert signatures == [seal.content for seal in seals(output)]
    counts = chunks[-1]["usageMetadata"]
    usage = response(read(*chunks))["usage"]
    assert counts["promptTokenCount"] == usage["input_tokens"]
    assert counts["thoughtsTokenCount"] == usage["output_tokens_details"]["reasoning_tokens"]


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=[path.name for path in STREAMS])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_recorded_stream_may_be_cut_anywhere(path: Path, size: int) -> None:
    """The same bytes in other pieces are the same events."""
    body = sse(*map(json.loads, path.read_text().splitlines()))
    by_piece = fresh()
    events = [event for piece in cut(body, size) for event in by_piece.feed(piece)]
    at_once = fresh()
    assert at_once.feed(body) + at_once.end() == events + by_piece.end()


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=[path.name for path in STREAMS])
def test_an_array_of_chunks_is_the_same_answer(path: Path) -> None:
    """Without `alt=sse` a stream is one JSON array of its chunks."""
    chunks = [json.loads(line) for line in path.read_text().splitlines()]
    assert read(*chunks) == fresh().whole(json.dumps(chunks).encode())


@needs_recordings
@pytest.mark.parametrize("path", WHOLE, ids=[path.name for path in WHOLE])
def test_every_recorded_whole_answer_is_read(path: Path) -> None:
    """An answer that does not stream has the same items, signatures before what they sign."""
    recorded = json.loads(path.read_text())
    [part] = recorded["candidates"][0]["content"]["parts"]
    output = response(fresh().whole(path.read_bytes()))["output"]
    kind = "text" if "text" in part else "call"
    assert seals(output) == [Seal("gemini", part["thoughtSignature"], kind)]
    assert [each["type"] for each in output] == [
        "reasoning",
        "message" if kind == "text" else "function_call",
    ]


@pytest.mark.parametrize(("reason", "meaning"), INCOMPLETE.items())
def test_answers_that_stopped_early_are_incomplete(reason: str, meaning: str) -> None:
    """What was cut or filtered says why."""
    [*_, last] = read(chunk({"text": "a"}, finish=reason))
    assert last.kind is Kind.INCOMPLETE
    assert response([last])["incomplete_details"] == {"reason": meaning}


def test_what_was_cut_is_incomplete() -> None:
    """A call or a text that the answer stopped in is not taken for whole; what was done is."""
    call = {"functionCall": {"name": "b", "willContinue": True}}
    whole = {"functionCall": {"name": "a"}}
    events = read(chunk({"text": "x"}, whole, call), chunk(finish="MAX_TOKENS"))
    assert [each["status"] for each in response(events)["output"]] == [
        "completed",
        "completed",
        "incomplete",
    ]
    [message] = response(read(chunk({"text": "x"}, finish="SAFETY")))["output"]
    assert message["status"] == "incomplete"


@pytest.mark.parametrize(
    "reason",
    [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
        "OTHER",
        "SOMETHING_NEW",
    ],
)
def test_answers_that_went_wrong_may_be_asked_again(reason: str) -> None:
    """A failure that may pass is a response that failed, as an error of the server."""
    [*_, last] = read(chunk(finish=reason))
    assert last.kind is Kind.FAILED
    assert failed_as(last.raw) is Kind.ERROR
    assert reason in response([last])["error"]["message"]


def test_a_blocked_prompt_is_filtered() -> None:
    """No candidate and a reason for it: an answer without output that was filtered."""
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 4},
    }
    [*_, last] = read(blocked)
    assert last.kind is Kind.INCOMPLETE
    assert response([last])["incomplete_details"] == {"reason": "content_filter"}
    assert response([last])["usage"]["input_tokens"] == 4


def test_an_error_in_the_middle_is_the_upstreams_own() -> None:
    """An error ends the answer with its own words; nothing that follows counts."""
    error = {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}
    [*_, last] = read(chunk({"text": "a"}), {"error": error}, chunk({"text": "b"}, finish="STOP"))
    assert last.kind is Kind.ERROR
    assert json.loads(last.raw) == {"type": "error", "error": error}


def test_a_stream_that_breaks_off_has_no_terminal() -> None:
    """Without a finish reason an answer is not whole, and nobody is told that it is."""
    assert "response.completed" not in names(read(chunk({"text": "a"})))


def test_counts_may_follow_the_reason() -> None:
    """The terminal waits for the counts where the finish reason comes first."""
    finished = chunk({"text": "a"}, finish="STOP", usageMetadata={"trafficType": "ON_DEMAND"})
    counts = {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1}}
    assert response(read(finished, counts))["usage"]["input_tokens"] == 5
    assert response(read(finished))["usage"] is None


def test_what_follows_a_reason_is_read_and_its_counts_are_the_last() -> None:
    """Some models give a reason to every chunk: the answer ends where its stream does."""
    first = chunk({"text": "a"}, finish="STOP")
    counts = {"promptTokenCount": 7, "candidatesTokenCount": 9}
    last = chunk({"text": "bc"}, finish="STOP", usageMetadata=counts)
    whole = response(read(first, last))
    assert "abc" == whole["output"][0]["content"][0]["text"]
    assert ("completed", 9) == (whole["status"], whole["usage"]["output_tokens"])


def test_a_reason_that_cut_an_answer_stays() -> None:
    """A later chunk that only repeats the end makes no whole answer of it."""
    cut_short = chunk({"text": "a"}, finish="MAX_TOKENS")
    assert "incomplete" == response(read(cut_short, chunk(finish="STOP")))["status"]


def test_counts_are_summed_as_the_api_means_them() -> None:
    """What tools brought is input, cached tokens are part of it, thoughts are output."""
    counts = {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 20,
        "cachedContentTokenCount": 64,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 7,
    }
    assert response(read(chunk({"text": "a"}, finish="STOP", usageMetadata=counts)))["usage"] == {
        "input_tokens": 120,
        "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 0},
        "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 7},
        "total_tokens": 132,
    }


def test_ids_of_calls_follow_from_the_response() -> None:
    """A call without id gets one that is the same each time it is read, and no other's."""
    calls = [{"functionCall": {"name": "a"}}, {"functionCall": {"name": "a"}}]
    first, again = (
        [each["call_id"] for each in response(read(chunk(*calls, finish="STOP")))["output"]]
        for _ in range(2)
    )
    assert first == again
    assert len(set(first)) == len(calls)
    [own] = response(read(chunk({"functionCall": {"id": "own", "name": "a"}}, finish="STOP")))[
        "output"
    ]
    assert own["call_id"] == "own"


def test_long_ids_of_responses_stay_apart() -> None:
    """Ids that differ at their ends alone are two responses, and their items have ids of use."""
    ids = set()
    for response_id in ("r" * 90 + "1", "r" * 90 + "2", "../r\n3"):
        part = {"functionCall": {"name": "a"}}
        whole = response(read(chunk(part, finish="STOP", responseId=response_id)))
        [item] = whole["output"]
        ids |= {whole["id"], item["id"], item["call_id"]}
        assert all(re.fullmatch("[A-Za-z0-9_-]{1,64}", each) for each in ids)
    assert len(ids) == 9


def test_what_a_server_ran_and_made_is_shown() -> None:
    """Code, its result, images and other data of an answer have a place each."""
    events = read(
        chunk(
            {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "BBBB"}},
            finish="STOP",
        )
    )
    ran, image, audio = response(events)["output"]
    assert ran["content"][0]["text"] == "\n```python\nprint(1)\n```\n\n```\n1\n```\n"
    assert (image["type"], image["result"]) == ("image_generation_call", "AAAA")
    assert "audio/wav" in audio["content"][0]["text"]


def test_how_likely_tokens_were_stands_beside_them() -> None:
    """Each piece of text has its own, the message all of them, and numbers keep their digits."""
    chosen = [{"token": "é", "logProbability": -0.25}, {"token": "b", "logProbability": -1}]
    top = [{"candidates": [chosen[0], {"token": "c", "logProbability": -2.5}]}]
    first, last = chunk({"text": "éb"}), chunk({"text": "c"}, finish="STOP")
    result = {"chosenCandidates": chosen, "topCandidates": top}
    first["candidates"][0]["logprobsResult"] = result
    events = read(first, last)
    deltas = [each for each in datas(events) if each["type"] == "response.output_text.delta"]
    e = {"token": "é", "bytes": [195, 169], "logprob": -0.25}
    c = {"token": "c", "bytes": [99], "logprob": -2.5}
    expected = [
        {**e, "top_logprobs": [e, c]},
        {"token": "b", "bytes": [98], "logprob": -1, "top_logprobs": []},
    ]
    assert [each["logprobs"] for each in deltas] == [expected, []]
    assert response(events)["output"][0]["content"][0]["logprobs"] == expected


def test_what_was_searched_is_cited() -> None:
    """Grounding is a search with its sources, and citations by characters, not bytes."""
    grounding = {
        "webSearchQueries": ["weather"],
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 3, "endIndex": 6}, "groundingChunkIndices": [0]}
        ],
    }
    last = chunk({"text": "é abc"}, finish="STOP")
    last["candidates"][0]["groundingMetadata"] = grounding
    message, search = response(read(last))["output"]
    assert message["content"][0]["annotations"] == [
        {
            "type": "url_citation",
            "start_index": 2,
            "end_index": 5,
            "url": "https://a.example",
            "title": "A",
        }
    ]
    assert search["type"] == "web_search_call"
    assert search["action"]["query"] == "weather"
    assert search["action"]["sources"] == [{"type": "url", "url": "https://a.example"}]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"foo": 1}', b'{"candidates": null}'])
def test_a_body_that_is_no_answer_gives_none(body: bytes) -> None:
    """What says nothing opens no response."""
    events: list[Event] = []
    try:
        events = fresh().whole(body)
    except ValueError:
        assert body == b""
    assert events == []


@pytest.mark.parametrize(
    "data", [b"nonsense", b"[1]", b'{"candidates": 5}', b'{"candidates": [{"content": "x"}]}']
)
def test_a_malformed_chunk_is_an_error_of_the_upstream(data: bytes) -> None:
    """What is no chunk is refused as malformed, never as a fault of the gateway."""
    with pytest.raises(ValueError, match=r"."):
        fresh().feed(b"data: " + data + b"\n\n")


def test_a_count_too_large_is_refused(monkeypatch) -> None:
    """Memory has bounds, whatever an upstream sends for a count."""
    monkeypatch.setattr("longwire.dialects.generate_content.reading.LARGEST", 10)
    counted = Counted("")
    counted.feed(b'{"total')
    with pytest.raises(ValueError, match="passes 10 bytes"):
        counted.feed(b"Tokens")


def test_halves_of_an_emoji_in_two_chunks_are_one() -> None:
    """An upstream of UTF-16 texts may cut one between them."""
    stream = sse(chunk({"text": "x@1"}), chunk({"text": "@2y"}, finish="STOP"))
    stream = stream.replace(b"@1", rb"\ud83d").replace(b"@2", rb"\ude00")
    reading = GeneratedAnswer(Answered(), Fallback("own", 0))
    (item,) = response([*reading.feed(stream), *reading.end()])["output"]
    assert "x\U0001f600y" == item["content"][0]["text"]


def test_calls_that_an_upstream_gives_one_id_are_told_apart() -> None:
    """Clients keep one of two calls with one id."""
    call = {"functionCall": {"id": "c", "name": "f", "args": {}}}
    output = response(read(chunk(call, call, finish="STOP")))["output"]
    assert ["c", "c_again_2"] == [each["call_id"] for each in output]
