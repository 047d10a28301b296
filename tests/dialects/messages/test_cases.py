"""Translation bugs that were met in the open, each as one test of what is right.

The numbers are those of the collection that this dialect was built by.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import Continue, decide, extend
from longwire.dialects.messages.answer import MessagesAnswer
from longwire.dialects.messages.client import Messages
from longwire.dialects.messages.request import decode_count, decode_request
from longwire.dialects.ports import Problem
from longwire.dialects.responses.call import with_least_output
from tests.dialects.messages.answers import (
    QUESTION,
    THINKING,
    USAGE,
    Json,
    accumulated,
    call,
    data_of,
    decoded,
    encoded,
    events_of,
    item,
    items_of,
    message,
    reasoning,
    replayed,
    seen,
    streamed,
    streamed_plain,
    turn,
    whole,
)
from tests.dialects.messages.test_claude_code import request_of, turn_of

SENT = turn(thinking=THINKING)


def again(output: list[Json]) -> list[Json]:
    """The items that an answer comes back as."""
    content = whole(SENT, events_of(output))["content"]
    return items_of(turn(QUESTION, replayed(content), QUESTION))[1:-1]


def kinds(items: list[Json]) -> list[str]:
    return [each["type"] for each in items]


def blocks(events: list[Json]) -> list[str]:
    return [block.type for block in accumulated(streamed(SENT, events)).content]


def schema_of(schema: Json) -> Json:
    tools = [{"name": "Read", "input_schema": schema}]
    return json.loads(turn(tools=tools).members["tools"])[0]["parameters"]


@pytest.mark.parametrize("signature", ["", "EqQBCgIYAhIM", "lw1.c2ln", "lw1.!", None])
def test_case_01_foreign_thinking_is_never_shown_as_text(signature: str | None) -> None:
    """It is a reasoning item, or nothing."""
    thinking = {"type": "thinking", "thinking": "secret", "signature": signature}
    redacted = {"type": "redacted_thinking", "data": signature or "x"}
    content = [thinking, redacted, {"type": "text", "text": "x"}]
    sent = turn(QUESTION, replayed(content), QUESTION)
    assert ["message"] * 3 == kinds(items_of(sent))
    assert b"secret" not in (sent.input or b"")


def test_case_05_signature_is_kept_with_its_block() -> None:
    """Id and encrypted content come back as they were."""
    (one,) = again([reasoning(["why"])])
    assert ("re_0", "gAAAA") == (one["id"], one["encrypted_content"])
    assert [{"type": "summary_text", "text": "why"}] == one["summary"]


def sent_with(*content: Json) -> bytes:
    """The input of a turn whose history has an answer of these blocks."""
    return turn(QUESTION, replayed(content), QUESTION).input or b""


TEXT = {"type": "text", "text": "x"}
MISSING = [{}, {"signature": None}, {"signature": ""}]


@pytest.mark.parametrize("signature", MISSING, ids=["no member", "null", "empty"])
def test_case_06_block_goes_with_its_signature(signature: Json) -> None:
    """Thinking whose signature a client dropped is dropped itself; what it led to stays."""
    content = whole(SENT, events_of([reasoning(["why"]), message("x", 1), call("{}", 2)]))[
        "content"
    ]
    thinking = {name: value for name, value in content[0].items() if name != "signature"}
    assert "why" == thinking["thinking"]
    assert sent_with(*content[1:]) == sent_with(thinking | signature, *content[1:])


FOREIGN = [
    "EqQBCgIYAhIMabcdefg=",
    "CiQBjz1rX3Jl",
    "gAAAAABoVmFs",
    "lw1.eyJwIjoiZ2VtaW5pIiwiaSI6InJzXzEifQ.gAAAA",
]


@pytest.mark.parametrize("signature", FOREIGN, ids=["Claude", "Gemini", "bare", "other issuer"])
@pytest.mark.parametrize("kind", ["thinking", "redacted_thinking"])
def test_case_07_what_another_issuer_signed_is_left_out(kind: str, signature: str) -> None:
    """Its block and its signature, whole: no upstream of ours could read either."""
    block = {"type": kind, "thinking": "secret", "signature": signature, "data": signature}
    assert sent_with(TEXT) == sent_with(block, TEXT)


@pytest.mark.parametrize("signature", MISSING, ids=["no member", "null", "empty"])
def test_case_08_thinking_that_broke_off_wedges_no_session(signature: Json) -> None:
    """Captured before its signature came, it is as if it had not been, at each later turn."""
    cut = {"type": "thinking", "thinking": "half a th", **signature}
    history = [QUESTION, replayed([cut, TEXT]), QUESTION, replayed([cut]), QUESTION]
    without = [QUESTION, replayed([TEXT]), QUESTION, replayed([]), QUESTION]
    assert turn(*without).input == turn(*history).input


def test_case_09_reasoning_without_summary_is_kept() -> None:
    """An item without visible text is an item."""
    assert ["reasoning", "message"] == kinds(again([reasoning([]), message("x", 1)]))


def test_case_10_order_of_the_upstream_is_kept() -> None:
    """Reasoning is followed by what it produced."""
    output = [message("a"), reasoning([], 1), call("{}", 2), message("b", 3)]
    assert kinds(output) == kinds(again(output))


def test_case_11_ids_of_items_come_with_their_reasoning_or_not_at_all() -> None:
    """Both are left out of messages and calls: they are fresh items then."""
    items = again([reasoning([]), message("x", 1), call("{}", 2)])
    assert ["re_0", None, None] == [each.get("id") for each in items]


def test_case_12_call_without_its_reasoning_has_no_item_id() -> None:
    """A client that dropped the thinking sends a call that stands alone."""
    content = whole(SENT, events_of([reasoning([]), call("{}", 1)]))["content"]
    (one,) = items_of(turn(QUESTION, replayed(content[1:]), QUESTION))[1:-1]
    assert "id" not in one


def test_case_13_two_reasonings_stay_before_their_calls() -> None:
    """A, call A, B, call B: nothing is hoisted."""
    output = [reasoning(["a"]), call("{}", 1), reasoning(["b"], 2), call("{}", 3)]
    assert kinds(output) == kinds(again(output))
    assert ["re_0", "re_2"] == [each["id"] for each in again(output) if "id" in each]


def test_case_14_all_reasoning_of_an_answer_is_kept() -> None:
    """Those that show nothing are not shown."""
    output = [reasoning(["a"]), reasoning([], 1), reasoning(["c"], 2), message("x", 3)]
    assert ["thinking", "redacted_thinking", "thinking", "text"] == blocks(events_of(output))
    assert kinds(output) == kinds(again(output))


def test_case_15_ciphertext_keeps_its_own_id() -> None:
    """A fresh id beside it would be refused."""
    without = {**reasoning(["x"]), "id": None}
    (one,) = again([without])
    assert "id" not in one
    assert "gAAAA" == one["encrypted_content"]


def test_case_21_reasoning_stays_with_its_own_turn() -> None:
    """It travels in its block: turns of the same text, or sent twice, are not mistaken."""
    answers = [
        whole(SENT, events_of([reasoning([]) | {"id": each}, message("same", 1)]))["content"]
        for each in ("rs_1", "rs_2")
    ]
    answers.insert(1, answers[0][1:])
    history = [each for content in answers for each in (QUESTION, replayed(content))]
    found = [each.get("id") or each["role"] for each in items_of(turn(*history, QUESTION))]
    one, two, three = ["rs_1", "assistant"], ["assistant"], ["rs_2", "assistant"]
    assert ["user", *one, "user", *two, "user", *three, "user"] == found


def test_case_25_thinking_that_says_nothing_is_not_shown() -> None:
    """Reasoning that cannot be sent back and has no text is no block."""
    assert ["text"] == blocks(events_of([{**reasoning([], 0, ""), "id": None}, message("x", 1)]))


def test_case_26_message_starts_with_any_first_event() -> None:
    """Also where the first one is a call's."""
    events = data_of(streamed(SENT, events_of([call("{}")])[1:]))
    assert ["message_start", "ping", "content_block_start"] == [e["type"] for e in events[:3]]


def test_case_27_text_after_a_call_has_its_own_block() -> None:
    """What is open is closed before."""
    assert ["tool_use", "text"] == blocks(events_of([call("{}"), message("x", 1)]))


def test_case_28_thinking_after_text_has_its_own_block() -> None:
    """No thinking delta falls into a block of text."""
    output = [message("x"), reasoning(["y"], 1), message("z", 2)]
    assert ["text", "thinking", "text"] == blocks(events_of(output))


def test_case_29_usage_is_always_an_object() -> None:
    """At the start, and at the end where the upstream says none."""
    events = data_of(streamed(SENT, events_of([], usage=None)))
    assert isinstance(events[0]["message"]["usage"], dict)
    assert isinstance(events[-2]["usage"], dict)


def test_case_30_block_is_closed_before_the_next_begins() -> None:
    """Even where the upstream never says that the first is done."""
    events = [
        each for each in events_of([message("x"), call("{}", 1)]) if "done" not in each["type"]
    ]
    assert ["text", "tool_use"] == blocks(events)


def test_case_31_interleaved_reasoning_makes_no_fragments() -> None:
    """Two items are two blocks, however their deltas alternate."""
    events = events_of([reasoning(["aaaaaaaaaaaa"]), message("bbbbbbbbbbbb", 1)])
    one, two = ([each for each in events if each.get("output_index") == at] for at in (0, 1))
    mixed = [each for pair in zip(one, two, strict=False) for each in pair]
    rest = [*one[len(two) :], *two[len(one) :]]
    assert ["thinking", "text"] == blocks([events[0], *mixed, *rest, events[-1]])


HIDDEN = item("file_search_call", 0, queries=[])
MIXED = [HIDDEN, reasoning(["y"], 1), message("xx", 2), HIDDEN | {"id": "fi_3"}, call("{}", 4)]


def test_case_32_indices_are_dense_and_stop_sequences_honoured() -> None:
    """An item that has no block takes no index; what stops an answer is not part of it."""
    events = data_of(streamed(SENT, events_of(MIXED)))
    assert [0, 1, 2] == [e["index"] for e in events if e["type"] == "content_block_start"]
    stopped = turn(stop_sequences=["</block>"])
    answer = accumulated(streamed(stopped, events_of([message("<block>no</block>")])))
    assert ("<block>no", "stop_sequence") == (answer.content[0].text, answer.stop_reason)  # type: ignore[union-attr]


@pytest.mark.parametrize("splits", [None, (), (3, 7, 11)], ids=["decoded", "plain", "both"])
def test_case_33_each_event_of_a_block_finds_it_open(splits: tuple[int, ...] | None) -> None:
    """Begun before and not ended yet: clients without a fallback break otherwise."""
    events = events_of(MIXED, 1)
    stream = streamed(SENT, events) if splits is None else streamed_plain(SENT, events, splits)
    open_now, ended = list[int](), list[int]()
    for event in data_of(stream):
        match event["type"]:
            case "content_block_start":
                open_now.append(event["index"])
            case "content_block_delta":
                assert [event["index"]] == open_now
            case "content_block_stop":
                ended.append(open_now.pop())
                assert event["index"] == ended[-1]
            case "message_delta" | "message_stop":
                assert [] == open_now
    assert [0, 1, 2] == ended


@pytest.mark.parametrize("output", [[message("x"), call("{}", 1)], [message("x")], []])
def test_case_34_stream_ends_for_one_reason(output: list[Json]) -> None:
    """It is said once, right before the end."""
    events = data_of(streamed(SENT, events_of(output)))
    ends = [each["type"] for each in events if each["type"].startswith("message_")]
    assert ["message_start", "message_delta", "message_stop"] == ends
    assert ends[1:] == [each["type"] for each in events[-2:]]


def test_case_37_calls_win_over_the_reason() -> None:
    """An answer with a call never ends as if it were the model's last word."""
    output = [call("{}"), message("x", 1)]
    assert "tool_use" == accumulated(streamed(SENT, events_of(output))).stop_reason
    assert "tool_use" == whole(SENT, events_of(output))["stop_reason"]


def test_case_38_call_that_was_truncated_ends_by_its_length() -> None:
    """It is not to be run."""
    response = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert "max_tokens" == whole(SENT, events_of([call('{"a')], **response))["stop_reason"]


def test_case_39_empty_delta_of_arguments_is_nothing() -> None:
    """It breaks no stream, and the arguments come whole all the same."""
    events = events_of([call('{"a":1}')])
    empty = {**events[2], "delta": ""}
    only = [*events[:2], empty, *[e for e in events[2:] if "delta" not in e]]
    assert [{"a": 1}] == [block.input for block in accumulated(streamed(SENT, only)).content]  # type: ignore[union-attr]


def test_case_40_call_without_an_id_has_one() -> None:
    """A client cannot answer to a call without."""
    nameless = call("{}", call_id=None)
    assert ["fu_0"] == [block["id"] for block in whole(SENT, events_of([nameless]))["content"]]


def test_case_42_text_after_reasoning_is_all_there() -> None:
    """Line breaks at its beginning lose nothing."""
    output = [reasoning(["x"]), message("\n\nanswer", 1)]
    read = accumulated(streamed(SENT, events_of(output, 1)))
    assert "\n\nanswer" == read.content[1].text  # type: ignore[union-attr]


def usages(**details: int) -> Iterator[Json]:
    """The usage of an answer that is streamed, and of one that is not."""
    events = events_of([message("x")], usage={**USAGE, "input_tokens_details": details})
    yield next(e["usage"] for e in data_of(streamed(SENT, events)) if e["type"] == "message_delta")
    yield whole(SENT, events)["usage"]


def test_case_43_tokens_read_from_a_cache_are_no_input() -> None:
    """Counted twice, they would have clients compact too early."""
    for usage in usages(cached_tokens=60):
        assert (40, 60) == (usage["input_tokens"], usage["cache_read_input_tokens"])


def test_case_44_tokens_written_to_a_cache_are_no_input() -> None:
    """Beside those that were read: the three add up to what the upstream counted."""
    for usage in usages(cached_tokens=60, cache_write_tokens=10):
        names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        assert [30, 60, 10] == [usage[name] for name in names]
        assert USAGE["input_tokens"] == sum(usage[name] for name in names)


def test_case_46_end_of_a_stream_has_the_whole_usage() -> None:
    """Its beginning does not know it yet, and what the end says replaces that."""
    streamed_usage, whole_usage = usages(cached_tokens=60, cache_write_tokens=10)
    assert streamed_usage.items() <= whole_usage.items()
    expected = {
        "input_tokens": 30,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 60,
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 5},
    }
    assert expected.items() <= streamed_usage.items()
    read = accumulated(streamed(SENT, events_of([message("x")])))
    assert (30, 60, 20) == (
        read.usage.input_tokens,
        read.usage.cache_read_input_tokens,
        read.usage.output_tokens,
    )


@pytest.mark.parametrize("suffix", ["cch=00000;", "cch=f3a91;", "cc_is_subagent=true;"])
def test_case_48_billing_line_is_left_out(suffix: str) -> None:
    """It changes with any request."""
    line = {"type": "text", "text": f"x-anthropic-billing-header: cc_version=2.1.85.1ca; {suffix}"}
    prompt = {"type": "text", "text": "You are."}
    assert turn(system=[prompt]).input == turn(system=[line, prompt]).input


def test_case_49_key_for_caches_is_stable() -> None:
    """The same for each turn of a session."""
    user = {"user_id": json.dumps({"device_id": "d", "session_id": "s"})}
    assert b'"s"' == turn(metadata=user).members["prompt_cache_key"]


def test_case_51_strict_is_said() -> None:
    """Left out, the upstream would make optional fields required."""
    tools = json.loads(turn(tools=[{"name": "Read"}]).members["tools"])
    assert tools[0]["strict"] is False


def test_case_52_probe_for_one_token_is_served() -> None:
    """The upstream refuses fewer than 16."""
    sent = with_least_output(turn(max_tokens=1))
    assert b"16" == sent.members["max_output_tokens"]


def test_case_54_required_that_is_null_is_empty() -> None:
    """Wherever it stands; a text that says so stays."""
    inner = {"type": "object", "required": None, "description": 'a "required": null'}
    schema = {"type": "object", "properties": {"a": inner}, "required": None}
    properties = {"a": {**inner, "required": []}}
    assert {"type": "object", "properties": properties, "required": []} == schema_of(schema)


@pytest.mark.parametrize("additional", [{}, True, {"type": "string"}])
def test_case_55_any_schema_is_legal(additional: Any) -> None:
    """It passes as it is."""
    schema = {"type": "object", "additionalProperties": additional}
    assert schema == schema_of(schema)


def test_case_56_name_of_the_schemas_language_is_left_out() -> None:
    """Upstreams refuse it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
    assert {"type": "object"} == schema_of(schema)


def test_case_58_blocks_of_a_history_are_all_kept() -> None:
    """Thinking, calls, results and images."""
    content = whole(SENT, events_of([reasoning(["x"]), call("{}", 1)]))["content"]
    image = {"type": "image", "source": {"type": "url", "url": "u"}}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": [image]}
    sent = turn(QUESTION, replayed(content), {"role": "user", "content": [result, image]})
    expected = ["message", "reasoning", "function_call", "function_call_output", "message"]
    assert expected == kinds(items_of(sent))


def test_case_59_calls_of_a_history_are_kept_with_their_results() -> None:
    """Each with its id, its name, its input and what came of it."""
    output = [call('{"a": 1}', 0, "Read"), call('{"b": 2}', 1, "Bash")]
    content = whole(SENT, events_of(output))["content"]
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": f"of {block['name']}"}
        for block in content
    ]
    items = items_of(turn(QUESTION, replayed(content), {"role": "user", "content": results}))[1:]
    assert [("call_0", "Read", {"a": 1}), ("call_1", "Bash", {"b": 2})] == [
        (each["call_id"], each["name"], json.loads(each["arguments"])) for each in items[:2]
    ]
    assert [("call_0", "of Read"), ("call_1", "of Bash")] == [
        (each["call_id"], each["output"]) for each in items[2:]
    ]


def test_case_60_text_before_a_call_stays_before_it() -> None:
    """The order of blocks is the order of items."""
    output = [reasoning(["a"]), message("b", 1), reasoning(["c"], 2), call("{}", 3)]
    assert ["thinking", "text", "thinking", "tool_use"] == blocks(events_of(output))
    assert kinds(output) == kinds(again(output))


def test_case_61_arguments_keep_their_digits_and_calls_invent_no_ids() -> None:
    """What the client wrote is what is sent."""
    body = b'{"type":"tool_use","id":"call_1","name":"Read","input":{"a": 1.50}}'
    raw = encoded({"model": "m", "max_tokens": 9, "messages": [QUESTION, replayed([]), QUESTION]})

    sent = decode_request(raw.replace(b'"content":[]', b'"content":[%b]' % body), {}, EVERYTHING)
    one = items_of(sent)[1]
    assert ('{"a": 1.50}', False) == (one["arguments"], "id" in one)


def test_case_62_system_message_without_content_is_no_item() -> None:
    """It only says an effort, which is in force already."""
    sent = turn_of("compact/05.json")
    assert ["developer", "user", "assistant"] == [each["role"] for each in items_of(sent)[:3]]


def test_case_63_string_and_block_are_the_same_bytes() -> None:
    """A client turns one into the other."""
    block = [{"type": "text", "text": "hi"}]
    assert turn(QUESTION).input == turn({"role": "user", "content": block}).input


def test_case_64_cache_marks_change_no_item() -> None:
    """They move with every turn, over messages, system and tools."""
    mark = {"cache_control": {"type": "ephemeral"}}
    block = {"type": "text", "text": "x"}
    tool = {"name": "Read", "input_schema": {"type": "object"}}
    without = turn({"role": "user", "content": [block]}, system=[block], tools=[tool])
    marked = turn(
        {"role": "user", "content": [block | mark]}, system=[block | mark], tools=[tool | mark]
    )
    assert without.input == marked.input
    assert without.properties.raw == marked.properties.raw


def test_case_65_tools_that_are_found_change_no_property() -> None:
    """They are items where they were found."""
    before, after = turn_of("toolsearch/01.json"), turn_of("toolsearch/02.json")
    assert before.members["tools"] == after.members["tools"]
    added = [each for each in items_of(after) if each["type"] == "additional_tools"]
    assert ["WebFetch", "NotebookEdit"] == [tool["name"] for tool in added[0]["tools"]]


def test_case_66_thread_is_never_ignored() -> None:
    """A turn that goes on names the response before; without it there would be no history."""
    assert "resp_00000002" == turn_of("threads/02.json").previous_response_id
    problem = Messages().refusal(Problem(404, "response_not_found", "Gone."), "req_1")
    details = json.loads(problem.envelope())["error"]["details"]
    assert (404, {"error_code": "thread_not_found"}) == (problem.status, details)


def test_case_67_input_that_was_no_json_is_the_raw_text_again() -> None:
    """The upstream is shown what it wrote."""
    calls = [e for e in items_of(turn_of("errors/unparsed-input.json")) if "arguments" in e]
    assert ['{"command": "echo hi'] == [each["arguments"] for each in calls]


def test_case_68_results_stay_in_the_order_they_were_sent() -> None:
    """Parallel calls are answered as they end."""
    outputs = [e for e in items_of(turn_of("tools-1/02.json")) if "output" in e]
    assert ["call_bbb222", "call_aaa111"] == [each["call_id"] for each in outputs]


def test_case_69_safeguards_in_one_turn_only_change_nothing() -> None:
    """The client stops sending them when no results come."""
    one, two = turn_of("auto-mode/01.json"), turn_of("auto-mode/02.json")
    assert "safeguards" in request_of("auto-mode/01.json")["body"]
    assert "safeguards" not in request_of("auto-mode/02.json")["body"]
    assert one.properties.raw == two.properties.raw


def test_case_70_counts_take_empty_tools() -> None:
    """One of the counts of `/context` brings no tools at all."""
    body = encoded(request_of("count-tokens/no-tools.json")["body"])
    assert {"model": b'"claude-opus-5-5"'} == decode_count(body, {}, EVERYTHING).members


def test_case_72_request_that_was_shed_is_read_like_the_first() -> None:
    """Without deferral and betas it is the same conversation with all its tools."""
    shed = turn_of("errors/400-shed.json")
    assert 21 == len(json.loads(shed.members["tools"]))


@pytest.mark.parametrize(
    ("status", "code"), [(401, "invalid_api_key"), (429, "insufficient_quota")]
)
def test_case_73_what_waiting_cannot_mend_says_so(status: int, code: str) -> None:
    """Clients would try for minutes."""
    problem = Messages().refusal(Problem(status, code, "No."), "req_1")
    assert "false" == problem.headers["x-should-retry"]


def test_case_74_two_calls_never_have_one_id() -> None:
    """Clients keep one of two; what they send back is the upstream's own id again."""
    output = [call("{}", 0, call_id="call_x"), call('{"b":2}', 1, call_id="call_x")]
    (one, two) = whole(SENT, events_of(output))["content"]
    assert ("call_x", "call_x_again_2") == (one["id"], two["id"])
    assert ["call_x", "call_x"] == [each["call_id"] for each in again(output)]
    results = [{"type": "tool_result", "tool_use_id": b["id"], "content": ""} for b in (one, two)]
    later = turn(QUESTION, replayed([one, two]), {"role": "user", "content": results})
    third = whole(later, events_of(output[:1]))["content"][0]
    assert "call_x_again_3" == third["id"]
    aggregate = Aggregate()
    answer = MessagesAnswer(later, aggregate)
    events = [seen(aggregate, decoded(each)) for each in events_of(output[:1])]
    starts = [e for e in data_of(answer.encode_batch(events)) if e["type"] == "content_block_start"]
    assert "call_x_again_3" == starts[0]["content_block"]["id"]


def test_case_75_compaction_continues_and_the_turn_behind_it_does_not() -> None:
    """Asking for a summary is one more message; what follows is a new history."""
    main, compaction, after = (turn_of(f"compact/0{number}.json") for number in (3, 4, 5))
    answer = json.dumps(items_of(compaction)[len(items_of(main))]).encode()
    chain = extend(main, "resp_1", main.image([answer]), None)
    assert Continue(chain, chain.length) == decide(chain, compaction)
    assert decide(extend(compaction, "resp_2", (), chain), after) is None


@pytest.mark.parametrize("content", ["", "gAAAA-_=", "a.b.c", 'with "quotes" and \\', "é\n"])
def test_sealed_content_is_what_it_was(content: str) -> None:
    """Whatever characters encrypted content has, it comes back, and as the same bytes."""
    (item,) = again([reasoning([]) | {"encrypted_content": content}])
    assert content == item["encrypted_content"]
