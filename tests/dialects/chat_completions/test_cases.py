"""What other gateways were reported to get wrong, each with the number of its row."""

import json

import pytest

from longwire.core.errors import InvalidRequest
from longwire.dialects.responses.call import with_least_output
from tests.dialects.answering import Answering, stream
from tests.dialects.chat_completions.answers import (
    HIDING,
    QUESTION,
    SHOWING,
    Item,
    accumulated,
    call,
    chunks_of,
    completion,
    ending,
    frame,
    frames_of,
    item_frames,
    items_of,
    message,
    opening,
    reasoning,
    turn_of,
)

FORMAT = "openai-responses-v1"


def sealed(index: int, item_id: str | None, data: str) -> Item:
    """One encrypted detail."""
    return {
        "type": "reasoning.encrypted",
        "format": FORMAT,
        "index": index,
        "id": item_id,
        "data": data,
    }


def calls(*ids: str) -> list[Item]:
    """Calls of a client's history."""
    return [
        {"id": each, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for each in ids
    ]


def streamed(*output: Item, grant=HIDING) -> Item:
    """What the chunks of an answer add up to."""
    return accumulated(chunks_of(stream(turn_of(grant=grant), frames_of(*output))))


def test_case_01_reasoning_never_becomes_text():
    """What the model thought is a reasoning item or nothing."""
    turn = turn_of(
        {"role": "assistant", "content": "a", "reasoning_content": "secret", "reasoning": "secret"}
    )
    assert b"secret" not in turn.input


def shows(*details: Item) -> str:
    """The summary of a reasoning and what is encrypted of it, as one message sends them back."""
    summary = {"type": "reasoning.summary", "format": FORMAT, "index": 0, "summary": "secret"}
    sent = {"role": "assistant", "content": "a", "reasoning_details": [summary, *details]}
    return turn_of(sent).input.decode()


PLAIN = turn_of({"role": "assistant", "content": "a"}).input.decode()


def test_case_05_what_is_encrypted_is_kept_with_its_summary():
    """Id, summary and content come back as they were."""
    shown = streamed(reasoning("rs_1", "why", sealed="gAAA-_="), message("a"), grant=SHOWING)
    item = items_of(turn_of(shown))[0]
    assert ("rs_1", "gAAA-_=") == (item["id"], item["encrypted_content"])
    assert [{"type": "summary_text", "text": "why"}] == item["summary"]


@pytest.mark.parametrize("data", ["", None])
def test_case_06_reasoning_goes_with_what_was_encrypted_of_it(data):
    """What is empty is missing: the summary alone would be refused."""
    assert PLAIN == shows(sealed(0, "rs_1", data))


@pytest.mark.parametrize("made_by", ["google-gemini-v1", "anthropic-claude-v1", "unknown", None])
def test_case_07_what_somebody_else_encrypted_is_left_out(made_by):
    """A Responses upstream cannot read it; issuers are told apart by the format."""
    foreign = {**sealed(0, "rs_1", "EqQBCgIYAhIM"), "format": made_by}
    signed = {"type": "reasoning.text", "format": made_by, "text": "secret", "signature": "EqQB"}
    assert PLAIN == shows(foreign, signed)


def test_case_08_reasoning_that_was_never_sealed_wedges_nothing():
    """A turn that broke off before its end goes on as if it had shown no reasoning."""
    cut = frames_of(reasoning("rs_1", "secret", sealed=None), message("a"))
    shown = accumulated(chunks_of(stream(turn_of(grant=SHOWING), cut)))
    assert PLAIN == turn_of({**shown, "role": "assistant"}).input.decode()
    assert PLAIN == shows()


def test_case_09_reasoning_without_a_summary_is_kept():
    """Its encrypted content is what counts."""
    turn = turn_of(
        {"role": "assistant", "content": "a", "reasoning_details": [sealed(0, "rs", "x")]}
    )
    assert ["reasoning", "message"] == [item["type"] for item in items_of(turn)]


def test_case_10_and_13_reasoning_stays_before_what_it_led_to():
    """Two reasonings before two calls come back interleaved, as they were."""
    details = [sealed(0, "rs_1", "x"), sealed(2, "rs_2", "y")]
    turn = turn_of(
        {"role": "assistant", "tool_calls": calls("A", "B"), "reasoning_details": details}
    )
    assert ["rs_1", "A", "rs_2", "B"] == [
        item.get("call_id") or item["id"] for item in items_of(turn)
    ]


def test_case_11_and_12_no_id_is_made_up():
    """A call or a message with an id would be looked up together with its reasoning."""
    answer = streamed(reasoning("rs_1", "a"), message("b"), call("c"), grant=SHOWING)
    items = items_of(turn_of(answer))
    assert [("reasoning", "rs_1"), ("message", None), ("function_call", None)] == [
        (item["type"], item.get("id")) for item in items
    ]


def test_case_14_all_of_several_reasonings_are_kept():
    """In order; one without a text shows no text."""
    output = [
        reasoning("rs_1", sealed="x"),
        call("A"),
        reasoning("rs_2", "b", sealed="y"),
        call("B"),
    ]
    answer = streamed(*output, grant=SHOWING)
    assert "b" == answer["reasoning_content"]
    assert ["rs_1", "A", "rs_2", "B"] == [
        item.get("call_id") or item["id"] for item in items_of(turn_of(answer))
    ]


@pytest.mark.parametrize("item_id", ["rs_1", None])
def test_case_15_reasoning_has_its_own_id_or_none(item_id):
    """Never a fresh one."""
    turn = turn_of({"role": "assistant", "reasoning_details": [sealed(0, item_id, "x")]})
    assert item_id == items_of(turn)[0].get("id")


def test_case_21_reasoning_stays_with_its_own_turn():
    """It travels in its message: turns of the same text, or sent twice, are not mistaken."""

    def answer(item_id: str) -> Item:
        return {
            "role": "assistant",
            "content": "same",
            "reasoning_details": [sealed(0, item_id, "x")],
        }

    without = {"role": "assistant", "content": "same"}
    turn = turn_of(answer("rs_1"), QUESTION, without, QUESTION, answer("rs_2"), QUESTION)
    kinds = [item.get("id") or item["role"] for item in items_of(turn)]
    assert ["rs_1", "assistant", "user", "assistant", "user", "rs_2", "assistant", "user"] == kinds


def test_case_23_what_others_add_to_a_call_breaks_nothing():
    """Another issuer's thought is no use upstream: it is left out, and named."""
    (plain,) = calls("A")
    signed = {**plain, "extra_content": {"google": {"thought_signature": "CiQB"}}}
    turn = turn_of({"role": "assistant", "tool_calls": [signed]})
    assert items_of(turn_of({"role": "assistant", "tool_calls": [plain]})) == items_of(turn)
    assert ("messages.tool_calls.extra_content",) == turn.source.dropped


def test_case_25_reasoning_that_says_nothing_is_not_shown():
    """No text of it, not even an empty one, streamed or whole."""
    output = [reasoning("rs_1"), message("a")]
    raw = Answering(turn_of(grant=SHOWING)).whole(frames_of(*output))
    assert not completion(raw)["choices"][0]["message"].get("reasoning_content")
    chunks = chunks_of(stream(turn_of(grant=SHOWING), frames_of(*output)))
    assert not [c for c in chunks if "reasoning_content" in c["choices"][0]["delta"]]


def test_case_26_an_answer_may_begin_with_a_call():
    """The role comes first all the same."""
    chunks = chunks_of(stream(turn_of(), frames_of(call("A"))))
    assert ["role", "tool_calls"] == [next(iter(c["choices"][0]["delta"])) for c in chunks[:2]]


ENDINGS = {
    "stop": frames_of(message("a")),
    "tool_calls": frames_of(message("a"), call("A"), call("B")),
    "length": [
        *frames_of(message("a"))[:-1],
        ending("incomplete", incomplete_details={"reason": "max_output_tokens"}),
    ],
}
PLANS = [[], [(True, 3), (False, 1), (True, 99)]]


@pytest.mark.parametrize("plan", PLANS, ids=["decoded", "plain"])
@pytest.mark.parametrize("reason", ENDINGS)
def test_case_34_an_answer_ends_for_one_reason(reason, plan):
    """Clients drop the calls where another reason follows."""
    chunks = chunks_of(stream(turn_of(), ENDINGS[reason], plan))
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert [reason] == [each for each in reasons if each]


@pytest.mark.parametrize("plan", PLANS, ids=["decoded", "plain"])
@pytest.mark.parametrize("reason", ENDINGS)
@pytest.mark.parametrize("members", [{}, {"stream_options": {"include_usage": True}}])
def test_case_35_exactly_one_chunk_ends_the_one_choice(members, reason, plan):
    """It is the last of the choice, with nothing in its delta; only usage may follow."""
    chunks = chunks_of(stream(turn_of(**members), ENDINGS[reason], plan))
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert {0} == {choice["index"] for choice in choices}
    assert [{}] == [choice["delta"] for choice in choices if choice["finish_reason"]]
    assert choices[-1]["finish_reason"]
    usage = [chunk["choices"] for chunk in chunks if chunk.get("usage")]
    assert usage == ([[]] if members else [])


def test_case_35_more_choices_than_one_are_refused():
    """Rather than answered with the last alone."""
    with pytest.raises(InvalidRequest, match="'n'"):
        turn_of(n=2)


def test_case_36_each_chunk_has_a_finish_reason():
    """Null until the end."""
    chunks = chunks_of(stream(turn_of(), frames_of(message("a"), call("A"))))
    assert all("finish_reason" in chunk["choices"][0] for chunk in chunks)


def test_case_37_calls_win_over_the_reason():
    """An answer with a call never ends with `stop`."""
    assert "tool_calls" == streamed(call("A"), message("b"))["finish_reason"]


def test_case_38_calls_are_counted_from_zero():
    """Whatever came before them; one that was cut off is no call to make."""
    frames = frames_of(reasoning("r", "x"), message("a"), call("A"), call("B", arguments='{"a'))
    frames[-1] = ending("incomplete", incomplete_details={"reason": "max_output_tokens"})
    chunks = chunks_of(stream(turn_of(), frames))
    deltas = [chunk["choices"][0]["delta"].get("tool_calls", []) for chunk in chunks]
    assert {0, 1} == {part["index"] for parts in deltas for part in parts}
    assert "length" == chunks[-1]["choices"][0]["finish_reason"]


def test_case_39_an_empty_delta_is_nothing():
    """It is no chunk, and no error."""
    frames = [*opening(), *item_frames(0, call("A", arguments="{}"))]
    for name in ("response.function_call_arguments.delta", "response.output_text.delta"):
        frames.insert(2, frame(name, output_index=0, delta=""))
    expected = chunks_of(stream(turn_of(), frames_of(call("A", arguments="{}"))))
    for plan in ([], [(False, 1), (True, 9)]):
        assert expected == chunks_of(stream(turn_of(), [*frames, ending()], plan))


def test_case_40_a_call_begins_with_its_name_and_id():
    """Where `added` lacks them, it waits for the finished item."""
    frames = [*opening(), *item_frames(0, call("A", "read", '{"a":1}'))]
    frames[1] = frame("response.output_item.added", output_index=0, item={"type": "function_call"})
    chunks = chunks_of(stream(turn_of(), [*frames, ending()]))
    first = chunks[1]["choices"][0]["delta"]["tool_calls"][0]
    assert ("A", "read") == (first["id"], first["function"]["name"])
    assert '{"a":1}' == accumulated(chunks)["tool_calls"][0]["function"]["arguments"]


def test_case_41_content_may_be_null_beside_calls():
    """And is so in what is answered."""
    turn = turn_of({"role": "assistant", "content": None, "tool_calls": calls("A")})
    assert ["function_call"] == [item["type"] for item in items_of(turn)]
    raw = Answering(turn_of()).whole(frames_of(call("A")))
    assert completion(raw)["choices"][0]["message"]["content"] is None


def test_case_42_all_text_is_emitted():
    """Leading newlines behind reasoning, and each part."""
    assert "\n\nab" == streamed(reasoning("r", "x"), message("\n\n", "a", "b"))["content"]


@pytest.mark.parametrize("streams", [False, True])
def test_case_44_tokens_written_to_a_cache_are_named_beside_those_read(streams):
    """Both are part of the input here, so that neither is counted on top."""
    details = {"cached_tokens": 64, "cache_write_tokens": 16}
    counted = {"input_tokens": 90, "output_tokens": 12, "input_tokens_details": details}
    frames = [*frames_of(message("a"))[:-1], ending(usage=counted)]
    if streams:
        turn = turn_of(stream_options={"include_usage": True})
        usage = chunks_of(stream(turn, frames))[-1]["usage"]
    else:
        usage = completion(Answering(turn_of()).whole(frames))["usage"]
    assert (90, 102) == (usage["prompt_tokens"], usage["total_tokens"])
    assert details.items() <= usage["prompt_tokens_details"].items()


def test_case_47_prompt_tokens_are_all_of_the_input():
    """Those that were cached are part of them, in both APIs."""
    usage = completion(Answering(turn_of()).whole(frames_of(message("a"))))["usage"]
    assert (90, 64) == (usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"])


def test_case_49_a_cache_key_is_the_clients_own():
    """It is sent as it is, and none is made up."""
    assert b'"k"' == turn_of(prompt_cache_key="k").members["prompt_cache_key"]
    assert "prompt_cache_key" not in turn_of().members


def function(**members) -> Item:
    """The one tool of a request with it, as it is sent upstream."""
    tool = {"type": "function", "function": {"name": "f", **members}}
    return json.loads(turn_of(tools=[tool]).members["tools"])[0]


def test_case_50_anchors_of_a_cache_stay_where_the_client_put_them():
    """None is added, and none moved."""
    anchor = {"mode": "explicit"}
    parts = [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
        {"type": "text", "text": "c"},
    ]
    parts[1]["prompt_cache_breakpoint"] = anchor
    (item,) = items_of(turn_of({"role": "user", "content": parts}))
    expected = [None, anchor, None]
    assert expected == [part.get("prompt_cache_breakpoint") for part in item["content"]]


def test_case_51_a_tool_is_not_strict_unless_it_says_so():
    """Else optional fields would become required."""
    assert function()["strict"] is False
    assert function(strict=True)["strict"] is True


@pytest.mark.parametrize(("most", "expected"), [(1, b"16"), (15, b"16"), (16, b"16"), (17, b"17")])
def test_case_52_too_few_tokens_become_the_least_there_are(most, expected):
    """Clients probe with one."""
    sent = with_least_output(turn_of(max_tokens=most))
    assert expected == sent.members["max_output_tokens"]


def test_case_54_required_may_be_null():
    """It is a list of nothing; a text that says so stays."""
    described = {"type": "object", "description": 'say "required": null', "required": None}
    expected = {**described, "required": []}
    assert expected == function(parameters=described)["parameters"]


@pytest.mark.parametrize("additional", [{}, True, False, {"type": "string"}])
def test_case_55_any_schema_is_accepted(additional):
    """It is not the gateway's to judge."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"a": {"patternProperties": {}}},
        "additionalProperties": additional,
    }
    assert schema == function(parameters=schema)["parameters"]


def test_case_58_all_parts_of_a_history_are_kept():
    """Images, files and results in parts, each as the upstream has it."""
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    file = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}}
    text = {"type": "text", "text": "x"}
    turn = turn_of(
        {"role": "user", "content": [text, url, file]},
        {"role": "assistant", "tool_calls": calls("A")},
        {"role": "tool", "tool_call_id": "A", "content": [text, url]},
    )
    question, _, result = items_of(turn)
    kinds = ["input_text", "input_image", "input_file"]
    assert kinds == [part["type"] for part in question["content"]]
    assert kinds[:2] == [part["type"] for part in result["output"]]


def test_case_59_calls_and_results_of_a_history_are_kept():
    """Each with its id, its name, its arguments and what came of it."""
    ones = [call("A", "read", '{"a":1}'), call("B", "write", '{"b":2}')]
    shown = streamed(*ones)
    results = [{"role": "tool", "tool_call_id": each, "content": f"of {each}"} for each in "AB"]
    kept = items_of(turn_of(shown, *results))
    assert [("A", "read", '{"a":1}'), ("B", "write", '{"b":2}')] == [
        (item["call_id"], item["name"], item["arguments"]) for item in kept[:2]
    ]
    assert [("A", "of A"), ("B", "of B")] == [
        (item["call_id"], item["output"]) for item in kept[2:]
    ]


def test_case_60_text_stays_before_its_calls():
    """The order of a message is the order of its items."""
    turn = turn_of({"role": "assistant", "content": "a", "tool_calls": calls("A")})
    assert ["message", "function_call"] == [item["type"] for item in items_of(turn)]


def test_case_61_arguments_are_verbatim():
    """Digits included; a format is flat; nothing is lost of what the API can say."""
    written = calls("A")
    written[0]["function"]["arguments"] = '{"n": 1.50}'
    schema = {"type": "json_schema", "json_schema": {"name": "p", "schema": {"type": "object"}}}
    turn = turn_of(
        {"role": "assistant", "tool_calls": written}, response_format=schema, verbosity="low"
    )
    assert '{"n": 1.50}' == items_of(turn)[0]["arguments"]
    assert {
        "format": {"type": "json_schema", "name": "p", "schema": {"type": "object"}},
        "verbosity": "low",
    } == json.loads(turn.members["text"])


def test_case_62_a_system_message_of_nothing_is_no_item():
    """It says nothing."""
    assert ["user"] == [
        item["role"]
        for item in items_of(
            turn_of({"role": "system", "content": []}, {"role": "user", "content": "a"})
        )
    ]


def test_case_63_and_64_a_text_is_its_one_part():
    """Also where a marker of a cache moves over it."""
    plain = {"role": "user", "content": "a"}
    part = {"type": "text", "text": "a"}
    marked = {**part, "cache_control": {"type": "ephemeral"}}
    assert 1 == len({turn_of({**plain, "content": c}).input for c in ("a", [part], [marked])})


def test_case_68_results_keep_their_order():
    """Also where it is not that of the calls."""
    turn = turn_of(
        {"role": "assistant", "tool_calls": calls("A", "B")},
        {"role": "tool", "tool_call_id": "B", "content": "b"},
        {"role": "tool", "tool_call_id": "A", "content": "a"},
    )
    assert ["A", "B", "B", "A"] == [item["call_id"] for item in items_of(turn)]
