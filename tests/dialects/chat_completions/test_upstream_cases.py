"""What other gateways were reported to get wrong towards Chat Completions, by number."""

import json

import pytest

from longwire.core.events import Kind
from longwire.dialects.profiles.known import profile_of
from longwire.dialects.seals import Seal, sealed
from tests.dialects.chat_completions.upstreams import (
    QUESTION,
    Item,
    body_of,
    call_of,
    check,
    chunk,
    messages_of,
    read,
    response_in,
    said,
    stream_of,
)

DEEPSEEK, OPENROUTER, VLLM = (profile_of(name, "") for name in ("deepseek", "openrouter", "vllm"))
GEMINI = profile_of("gemini-openai", "")
CALL: Item = {"type": "function_call", "call_id": "c1", "name": "read", "arguments": "{}"}
RESULT: Item = {"type": "function_call_output", "call_id": "c1", "output": "done"}
ANSWER: Item = {"role": "assistant", "content": [{"type": "output_text", "text": "a"}]}


def thought(issuer: str, text: str = "hm") -> Item:
    """Reasoning of a vendor, as its answer was shown."""
    return {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": text}],
        "encrypted_content": sealed(Seal(issuer, text)),
    }


def tool_call(**members: object) -> Item:
    return chunk(tool_calls=[{"index": 0, **members}])


def test_case_02_thinking_is_no_part_of_a_content():
    """litellm#22997: vLLM gets reasoning as its own member, not as a part that it refuses."""
    (said_,) = [
        each
        for each in messages_of(QUESTION, thought("vllm"), ANSWER, CALL, RESULT, profile=VLLM)
        if each["role"] == "assistant"
    ]
    assert ("a", "hm") == (said_["content"], said_["reasoning"])


@pytest.mark.parametrize(
    ("issuer", "expected"), [("deepseek", ()), ("responses", ("input.reasoning",))]
)
def test_case_03_encrypted_reasoning_is_mapped_or_named(issuer, expected):
    """litellm#36197: it goes back to who made it, and what is left out is said."""
    encrypted = (
        thought(issuer)
        if issuer == "deepseek"
        else {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gAAAAB",
        }
    )
    call_ = call_of(QUESTION, encrypted, CALL, RESULT, profile=DEEPSEEK)
    assert expected == call_.dropped
    message = json.loads(call_.body)["messages"][1]
    assert ("hm" if issuer == "deepseek" else "") == message["reasoning_content"]


def test_case_19_deepseek_gets_reasoning_with_each_call():
    """experiential#887: an empty text where it is not known; a turn without calls needs none."""
    later = [{**CALL, "call_id": "c2"}, {**RESULT, "call_id": "c2"}]
    items = [QUESTION, ANSWER, QUESTION, CALL, RESULT, thought("deepseek"), *later]
    found = [
        each.get("reasoning_content")
        for each in messages_of(*items, profile=DEEPSEEK)
        if each["role"] == "assistant"
    ]
    assert [None, "", "hm"] == found


def test_case_20_over_openrouter_plain_turns_bring_reasoning_too():
    """DeepSeek-Reasonix#10084: every turn of the model has the member."""
    items = [QUESTION, thought("openrouter"), ANSWER, QUESTION, ANSWER, QUESTION, CALL, RESULT]
    found = [
        each["reasoning"]
        for each in messages_of(*items, profile=OPENROUTER)
        if each["role"] == "assistant"
    ]
    assert ["hm", "", ""] == found


def test_case_20_details_of_openrouter_go_back_as_they_came():
    """Pieces of one detail are put together again, and nothing else is changed."""
    details = [
        [{"type": "reasoning.text", "text": "h", "index": 0, "format": "anthropic-claude-v1"}],
        [{"type": "reasoning.text", "text": "m", "index": 0, "signature": "sig"}],
        [{"type": "reasoning.encrypted", "data": "AAA", "id": "rs_1", "index": 1}],
    ]
    chunks = [chunk(reasoning_details=each) for each in details]
    events = read(stream_of([*chunks, chunk(content="a"), chunk("stop")]), profile=OPENROUTER)
    assert "hm" == said(events)["reasoning"]
    message = messages_of(QUESTION, *response_in(events)["output"], profile=OPENROUTER)[1]
    assert [
        {
            "type": "reasoning.text",
            "text": "hm",
            "index": 0,
            "format": "anthropic-claude-v1",
            "signature": "sig",
        },
        {"type": "reasoning.encrypted", "data": "AAA", "id": "rs_1", "index": 1},
    ] == message["reasoning_details"]


def test_case_23_signatures_of_geminis_calls_come_back():
    """pi-go#299: unknown members of a call are kept beside it, each with its own call."""
    extra = {"google": {"thought_signature": "sig=="}}
    function = {"name": "read", "arguments": "{}"}
    events = read(
        stream_of(
            [
                tool_call(id="c1", type="function", function=function, extra_content=extra),
                tool_call(id="c2", type="function", function=function, index=1),
                chunk("stop"),
            ]
        ),
        profile=GEMINI,
    )
    check(events)
    output = response_in(events)["output"]
    assert ["reasoning", "function_call", "function_call"] == [each["type"] for each in output]
    results = [{**RESULT, "call_id": each} for each in ("c1", "c2")]
    sent = messages_of(QUESTION, *output, *results, profile=GEMINI)[1]["tool_calls"]
    assert [extra, None] == [each.get("extra_content") for each in sent]
    assert b"sig==" not in call_of(QUESTION, *output, *results, profile=OPENROUTER).body


def test_case_37_calls_win_over_the_reason():
    """python-genai#2868: a stream with calls that ends with stop has them all the same."""
    function = {"name": "read", "arguments": "{}"}
    found = said(read(stream_of([tool_call(id="c1", function=function), chunk("stop")])))
    assert ([("c1", "read", "{}")], "completed") == (found["calls"], found["status"])


def test_case_39_empty_arguments_are_nothing():
    """litellm#40207: no delta comes of them, and no error."""
    pieces = ["", '{"a"', "", ":1}", ""]
    chunks = [tool_call(id="c1", function={"name": "read"})]
    chunks += [tool_call(function={"arguments": each}) for each in pieces]
    events = read(stream_of([*chunks, chunk("tool_calls")]))
    deltas = [e.name for e in events if e.name == "response.function_call_arguments.delta"]
    assert 2 == len(deltas)
    assert [("c1", "read", '{"a":1}')] == said(events)["calls"]


def test_case_40_a_call_without_an_id_gets_one_and_without_a_name_is_none():
    """openai-agents-python#3861: nobody could answer it, or call anything."""
    unnamed = [tool_call(id="c1", function={"arguments": "{}"}), chunk("tool_calls")]
    events = read(stream_of(unnamed))
    assert Kind.ERROR is events[-1].kind
    message = json.loads(events[-1].raw)["error"]["message"]
    assert "The upstream called a function and did not say which one." == message
    without_id = [tool_call(function={"name": "read", "arguments": "{}"}), chunk("tool_calls")]
    assert [("call_resp_c-1_0", "read", "{}")] == said(read(stream_of(without_id)))["calls"]


def test_case_41_a_content_of_null_beside_calls():
    """crewAI#4461: it is no text, in either direction."""
    function = {"name": "read", "arguments": "{}"}
    null = chunk(content=None, tool_calls=[{"index": 0, "id": "c1", "function": function}])
    assert ["function_call"] == [
        each["type"] for each in response_in(read(stream_of([null, chunk("stop")])))["output"]
    ]
    assert messages_of(QUESTION, CALL, RESULT)[1]["content"] is None


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("deepseek-chat", 8192),
        ("deepseek-reasoner", 64000),
        ("deepseek-v4-pro", 64000),
        ("x", 64000),
    ],
)
def test_case_53_the_most_tokens_are_what_a_model_takes(model, expected):
    """CLIProxyAPI#2758: Claude Code asks for 64000, which DeepSeek refuses for some models."""
    body = body_of(model=model, max_output_tokens=64000, profile=DEEPSEEK)
    assert expected == body["max_tokens"]
    assert 5 == body_of(model=model, max_output_tokens=5, profile=DEEPSEEK)["max_tokens"]
