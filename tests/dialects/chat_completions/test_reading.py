"""Answers of Chat Completions, however odd, as events of the Responses API."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.events import Event, Kind
from longwire.dialects.chat_completions.think_tags import ThinkTags
from longwire.dialects.profiles.known import profile_of
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.responses.errors import decode_problem
from longwire.dialects.seals import Seal, opened
from tests.dialects.chat_completions.upstreams import (
    FALLBACK,
    Item,
    check,
    chunk,
    read,
    read_whole,
    reading_of,
    response_in,
    said,
    stream_of,
)

DEEPSEEK, OPENROUTER, VLLM = (profile_of(name, "") for name in ("deepseek", "openrouter", "vllm"))
KIMI, XAI = profile_of("kimi", ""), profile_of("xai", "")
USAGE: Item = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
COUNTED: Item = {
    "input_tokens": 5,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 8,
}
TOOLS: list[Item] = [
    {"type": "custom", "name": "apply_patch"},
    {"type": "local_shell"},
    {"type": "shell"},
    {"type": "tool_search", "execution": "client"},
    {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "get"}]},
    {"type": "function", "name": "read"},
]


def call(index: int | None = 0, **members: object) -> Item:
    """A piece of a call."""
    function = {key: members.pop(key) for key in ("name", "arguments") if key in members}
    where = {} if index is None else {"index": index}
    return chunk(tool_calls=[{**where, **members, "function": function}])


def stop(reason: str | None = "stop", **members: object) -> Item:
    """The chunk that says why it ends."""
    return {**chunk(reason), **members}


def said_by(*chunks: Item | bytes, **members: object) -> Item:
    return said(read(stream_of(chunks), **members))


def output_of(*chunks: Item | bytes, **members: object) -> list[Item]:
    return response_in(read(stream_of(chunks), **members))["output"]


def error_in(events: list[Event]) -> Item:
    (event,) = [each for each in events if each.kind is Kind.ERROR]
    assert event is events[-1]
    return json.loads(event.raw)["error"]


def test_a_stream_is_the_events_of_a_strict_upstream():
    """Each item is added, grows and is done; the terminal has them all."""
    events = read(
        stream_of(
            [
                chunk(role="assistant", content=""),
                chunk(reasoning_content="hm"),
                chunk(content="a"),
                call(id="c1", name="read", arguments="{}"),
                stop("tool_calls", usage=USAGE),
            ]
        ),
        profile=DEEPSEEK,
    )
    check(events)
    assert [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ] == [event.name for event in events]
    response = response_in(events)
    assert ("resp_c-1", 7, "m-1", COUNTED) == (
        response["id"],
        response["created_at"],
        response["model"],
        response["usage"],
    )
    assert ["lw_rs_resp_c-1_0", "lw_msg_resp_c-1_1", "lw_fc_resp_c-1_2"] == [
        each["id"] for each in response["output"]
    ]


def test_a_response_repeats_what_was_asked_for():
    """As an upstream of the Responses API does."""
    response = response_in(
        read(stream_of([chunk(content="a"), stop()]), temperature=0.5, metadata={"a": "b"})
    )
    assert (0.5, {"a": "b"}, "auto") == (
        response["temperature"],
        response["metadata"],
        response["tool_choice"],
    )


@pytest.mark.parametrize(
    "chunks",
    [
        [stop(usage=USAGE)],
        [stop(), {"id": "c-1", "choices": [], "usage": USAGE}],
        [stop(usage=None), {"id": "c-1", "usage": USAGE}],
        [stop(x_groq={"id": "r", "usage": USAGE})],
        [stop(usage={**USAGE, "completion_tokens": 1}), {"choices": [], "usage": USAGE}],
    ],
)
def test_usage_comes_with_the_end_or_behind_it(chunks):
    """Or in a place of its own; the last one counts."""
    assert COUNTED == response_in(read(stream_of([chunk(content="a"), *chunks])))["usage"]


def test_usage_may_never_come():
    """Then nothing is said of it, so that it is estimated."""
    assert response_in(read(stream_of([chunk(content="a"), stop()])))["usage"] is None


@pytest.mark.parametrize(
    ("usage", "profile", "expected"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 4}}, DEEPSEEK, (4, 0, 3, 0)),
        ({"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 1}, DEEPSEEK, (4, 0, 3, 0)),
        ({"cached_tokens": 4}, KIMI, (4, 0, 3, 0)),
        ({"prompt_tokens_details": {"cache_write_tokens": 2}}, OPENROUTER, (0, 2, 3, 0)),
        ({"completion_tokens_details": {"reasoning_tokens": 2}}, DEEPSEEK, (0, 0, 3, 2)),
        ({"completion_tokens_details": {"reasoning_tokens": 9}}, XAI, (0, 0, 12, 9)),
        ({"total_tokens": 40}, XAI, (0, 0, 35, 0)),
        ({"prompt_tokens_details": None, "completion_tokens": None}, DEEPSEEK, (0, 0, 0, 0)),
        ({"prompt_tokens_details": {"cached_tokens": 99}}, DEEPSEEK, (5, 0, 3, 0)),
    ],
)
def test_usage_is_counted_as_the_vendor_means_it(usage, profile, expected):
    """Cached and written tokens are of the input, reasoning is of the output."""
    body = {"id": "x", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}
    found = response_in(read_whole({**body, "usage": {**USAGE, **usage}}, profile=profile))["usage"]
    assert expected == (
        found["input_tokens_details"]["cached_tokens"],
        found["input_tokens_details"]["cache_write_tokens"],
        found["output_tokens"],
        found["output_tokens_details"]["reasoning_tokens"],
    )
    assert found["total_tokens"] == found["input_tokens"] + found["output_tokens"]


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "", "object": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
        {"id": "c-1", "choices": [{"index": 0}]},
        {"id": "c-1", "choices": [{"index": 0, "delta": None}]},
        {"id": "c-1", "choices": [{"index": 0, "delta": {"content": None}}]},
        {"id": "c-1", "choices": [{"index": 1, "delta": {"content": "other"}}]},
        {"id": "c-1", "choices": None, "usage": None},
        {"id": "c-1", "created": "soon", "choices": []},
        chunk(content=[]),
        chunk(tool_calls=[], reasoning_details=[]),
        b"",
        b" ",
    ],
)
def test_chunks_that_say_nothing_are_passed_over(odd):
    """Wherever they stand."""
    for chunks in ([odd, chunk(content="a"), stop()], [chunk(content="a"), odd, stop()]):
        found = said_by(*chunks)
        assert ("a", "completed") == (found["text"], found["status"])


def test_comments_and_line_ends_are_those_of_event_streams():
    """OpenRouter says with comments that it is at work."""
    sent = b": OPENROUTER PROCESSING\r\n\r\n" + stream_of([chunk(content="a"), stop()])
    assert "a" == said(read(sent.replace(b"data: ", b"data:")))["text"]
    assert "a" == said(read(sent.replace(b"\n\n", b"\r\n\r\n")))["text"]


@pytest.mark.parametrize(
    ("own", "expected"),
    [("a/b:c", "resp_abc"), ("", f"resp_{FALLBACK}"), (None, f"resp_{FALLBACK}"), (5, None)],
)
def test_a_response_has_the_upstreams_id(own, expected):
    """Made safe; one that it does not say is made up."""
    events = read(stream_of([{**chunk(content="a"), "id": own}, stop()]))
    assert (expected or f"resp_{FALLBACK}") == events[0].response_id


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([call(id="a", name="read", arguments='{"x":1}')], [("a", "read", '{"x":1}')]),
        (
            [
                call(id="a", name="read", arguments=""),
                call(id="", name="", arguments='{"x'),
                call(arguments='":1}'),
            ],
            [("a", "read", '{"x":1}')],
        ),
        (
            [call(id="a", name="re"), call(id="a", name="ad"), call(id="a", arguments="{}")],
            [("a", "read", "{}")],
        ),
        (
            [call(id="a", name="read", arguments='{"x":'), call(name="read", arguments="1}")],
            [("a", "read", '{"x":1}')],
        ),
        (
            [
                call(id="a", name="read", arguments='{"x":'),
                call(id="z", name="read", arguments="1}"),
            ],
            [("a", "read", '{"x":1}')],
        ),
        (
            [call(id="a", name="read", arguments='{"x":'), call(name="re", arguments="1}")],
            [("a", "read", '{"x":1}')],
        ),
        ([call(index=None, id="a", name="read", arguments="{}")], [("a", "read", "{}")]),
        (
            [
                call(index=None, id="a", name="read", arguments="{}"),
                call(index=None, id="b", name="read", arguments="{}"),
            ],
            [("a", "read", "{}"), ("b", "read", "{}")],
        ),
        (
            [
                call(index=1, id="a", name="read", arguments="{"),
                call(index=2, id="b", name="read", arguments="{"),
                call(index=1, arguments="}"),
                call(index=2, arguments="}"),
            ],
            [("a", "read", "{}"), ("b", "read", "{}")],
        ),
        (
            [call(id="a", name="x", arguments="{}"), call(id="b", name="y", arguments="{}")],
            [("a", "x", "{}"), ("b", "y", "{}")],
        ),
        (
            [call(name="x", arguments="{}"), call(name="x", arguments="{}")],
            [("call_resp_c-1_0", "x", "{}"), ("call_resp_c-1_1", "x", "{}")],
        ),
        ([call(id="a", name="x", arguments={"b": [1.5]})], [("a", "x", '{"b":[1.5]}')]),
        ([call(id="a", name="x")], [("a", "x", "{}")]),
        ([call(id="a", name="x", arguments=None)], [("a", "x", "{}")]),
        ([chunk(function_call={"name": "x", "arguments": "{}"})], [("call_resp_c-1_0", "x", "{}")]),
    ],
)
def test_calls_are_put_together_however_they_come(pieces, expected):
    """Without an index, with one twice, named in fragments or again, whole or as an object."""
    found = said_by(*pieces, stop("tool_calls"))
    assert expected == found["calls"]


def test_digits_of_arguments_stay():
    """A call's arguments are never written anew."""
    raw = stream_of([call(id="a", name="x", arguments='{"a":1.50,"b":1e3}'), stop()])
    assert [("a", "x", '{"a":1.50,"b":1e3}')] == said(read(raw))["calls"]
    written = json.dumps(call(id="a", name="x", arguments={"a": 7})).encode().replace(b"7", b"1.50")
    assert [("a", "x", '{"a":1.50}')] == said_by(written, stop())["calls"]


def test_tools_of_codex_are_called_as_it_knows_them():
    """Whatever they are upstream."""
    patch = json.dumps({"input": "*** Begin\n\u00e9"})
    output = output_of(
        call(0, id="a", name="apply_patch", arguments=patch[:9]),
        call(0, arguments=patch[9:]),
        call(1, id="b", name="local_shell", arguments='{"command":["ls"]}'),
        call(2, id="c", name="shell", arguments='{"commands":["ls"],"timeout_ms":5}'),
        call(3, id="d", name="crm__get", arguments="{}"),
        call(4, id="e", name="tool_search", arguments='{"query":"x"}'),
        stop("tool_calls"),
        tools=TOOLS,
    )
    own = [{key: each[key] for key in each if key not in ("id", "status")} for each in output]
    assert [
        {
            "type": "custom_tool_call",
            "call_id": "a",
            "name": "apply_patch",
            "input": "*** Begin\n\u00e9",
        },
        {
            "type": "local_shell_call",
            "call_id": "b",
            "action": {"command": ["ls"], "type": "exec", "env": {}},
        },
        {
            "type": "shell_call",
            "call_id": "c",
            "action": {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None},
        },
        {
            "type": "function_call",
            "call_id": "d",
            "name": "get",
            "namespace": "crm",
            "arguments": "{}",
        },
        {
            "type": "tool_search_call",
            "call_id": "e",
            "execution": "client",
            "arguments": {"query": "x"},
        },
    ] == own


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"input":"a"}', "a"),
        ('{"patch":"a"}', "a"),
        ("*** Begin", "*** Begin"),
        ('{"input":5}', '{"input":5}'),
        ('"a"', '"a"'),
        ("", "{}"),
    ],
)
def test_an_input_is_found_however_a_model_wraps_it(arguments, expected):
    """A model may say it bare, or under another name."""
    (item,) = output_of(call(id="a", name="apply_patch", arguments=arguments), stop(), tools=TOOLS)
    assert expected == item["input"]


def test_a_command_that_is_none_is_a_call_all_the_same():
    """Its client says what is wrong with it."""
    (item,) = output_of(call(id="a", name="local_shell", arguments="ls"), stop(), tools=TOOLS)
    assert ("custom_tool_call", "local_shell", "ls") == (item["type"], item["name"], item["input"])


@pytest.mark.parametrize(
    "deltas",
    [
        [{"reasoning_content": "a"}, {"reasoning_content": "b"}],
        [{"reasoning": "a"}, {"reasoning": "b"}],
        [
            {"reasoning": "a", "reasoning_content": "a"},
            {"reasoning": "b", "reasoning_content": "b"},
        ],
        [{"reasoning_details": [{"type": "reasoning.text", "text": each}]} for each in "ab"],
        [
            {
                "reasoning": each,
                "reasoning_details": [{"type": "reasoning.summary", "summary": each}],
            }
            for each in "ab"
        ],
        [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "ab"}]}]}],
        [{"content": [{"type": "thinking", "thinking": "ab"}]}],
        [{"content": "<th"}, {"content": "ink>\na"}, {"content": "b</thi"}, {"content": "nk>\n\n"}],
    ],
)
def test_reasoning_comes_under_many_names(deltas):
    """It is an item before the text, which others cannot read again."""
    events = read(
        stream_of([*(chunk(**each) for each in deltas), chunk(content="c"), stop()]), profile=VLLM
    )
    found = said(events)
    assert ("ab", "c") == (found["reasoning"], found["text"])
    reasoning, _ = response_in(events)["output"]
    assert "vllm" == opened(reasoning["encrypted_content"]).issuer


def test_reasoning_is_sealed_with_its_text():
    """So that the next request brings it back whatever a client shows of it."""
    events = read(
        stream_of([chunk(reasoning_content="h\u00e9\n"), chunk(content="a"), stop()]),
        profile=DEEPSEEK,
    )
    reasoning, _ = response_in(events)["output"]
    assert Seal("deepseek", "h\u00e9\n") == opened(reasoning["encrypted_content"])
    assert [{"type": "reasoning_text", "text": "h\u00e9\n"}] == reasoning["content"]
    unsealed = output_of(chunk(reasoning_content="h"), stop(), profile=Profile("generic"))
    assert unsealed[0]["encrypted_content"] is None


def test_late_reasoning_waits_for_the_end_of_the_text():
    """Text and reasoning that take turns are an item each, not dozens."""
    deltas = [{"reasoning": "a"}, {"content": "1"}, {"reasoning": "b"}, {"content": "2"}]
    output = output_of(*(chunk(**each) for each in [*deltas, {"reasoning": "c"}]), stop())
    assert ["reasoning", "message", "reasoning"] == [each["type"] for each in output]
    assert ["a", "12", "bc"] == [each["content"][0]["text"] for each in output]


def test_late_reasoning_stands_before_the_calls_that_follow_it():
    """It led to them."""
    output = output_of(
        chunk(content="a"),
        chunk(reasoning="b"),
        call(id="c", name="x", arguments="{}"),
        stop("tool_calls"),
    )
    assert ["message", "reasoning", "function_call"] == [each["type"] for each in output]


def test_calls_that_come_by_turns_keep_their_order():
    """A custom tool's is not taken for whole because another one began."""
    output = output_of(
        call(0, id="a", name="apply_patch", arguments='{"input":'),
        call(1, id="b", name="read", arguments="{}"),
        call(0, arguments='"x"}'),
        stop("tool_calls"),
        tools=TOOLS,
    )
    assert [("a", "x"), ("b", None)] == [(each["call_id"], each.get("input")) for each in output]


def test_a_name_is_over_once_arguments_come():
    """What some vendors write there again is no part of it."""
    pieces = [
        call(id="a", name="apply_patch", arguments='{"input":'),
        call(name="ap", arguments='"x"}'),
    ]
    (item,) = output_of(*pieces, stop("tool_calls"), tools=TOOLS)
    assert ("custom_tool_call", "apply_patch", "x") == (item["type"], item["name"], item["input"])


def test_details_without_a_place_stay_apart():
    """Two of one kind are two, unless their vendor says that they are one."""
    details = [[{"type": "reasoning.encrypted", "data": each}] for each in ("A", "B")]
    events = read(
        stream_of(
            [*(chunk(reasoning_details=each) for each in details), chunk(content="a"), stop()]
        ),
        profile=OPENROUTER,
    )
    seal = opened(response_in(events)["output"][0]["encrypted_content"])
    assert [each[0] for each in details] == json.loads(seal.content)


def test_equal_chunks_say_what_they_say_each_time():
    """A chunk is known again by its text alone only if it says nothing else."""
    both = chunk(content="a", tool_calls=[{"index": 0, "function": {"arguments": "1"}}])
    begun = call(0, id="c", name="x", arguments="1")
    found = said_by(chunk(content="a"), begun, both, both, chunk(content="a"), stop())
    assert [("c", "x", "111")] == found["calls"]
    assert "aaaa" == found["text"]


def test_text_behind_calls_is_a_message_of_its_own():
    """Nothing of an answer is lost."""
    output = output_of(
        chunk(content="a"), call(id="c", name="x", arguments="{}"), chunk(content="b"), stop()
    )
    assert ["message", "function_call", "message"] == [each["type"] for each in output]


def test_leading_white_space_is_left_out_where_a_vendor_always_writes_it():
    """Before a call there is no text then."""
    spaces = [chunk(content="\n"), chunk(content="\n  ")]
    assert "a " == said_by(*spaces, chunk(content=" a "), stop(), profile=KIMI)["text"]
    calls = output_of(*spaces, call(id="a", name="x", arguments="{}"), stop(), profile=KIMI)
    assert ["function_call"] == [each["type"] for each in calls]
    assert "\n\n  a" == said_by(*spaces, chunk(content="a"), stop())["text"]


def test_refusals_and_logprobs_are_kept():
    """As the Responses API has them."""
    refused = output_of(chunk(refusal="no"), chunk(refusal=", sorry"), stop())
    assert [{"type": "refusal", "refusal": "no, sorry"}] == refused[0]["content"]
    token = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
    with_logprobs = chunk(content="a")
    with_logprobs["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
    assert [token] == output_of(with_logprobs, stop())[0]["content"][0]["logprobs"]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", None),
        ("tool_calls", None),
        ("eos", None),
        ("length", "max_output_tokens"),
        ("model_length", "max_output_tokens"),
        ("content_filter", "content_filter"),
        ("sensitive", "content_filter"),
    ],
)
def test_an_answer_ends_for_a_reason(reason, expected):
    """What is cut is incomplete, and so is its last item."""
    response = response_in(read(stream_of([chunk(content="a"), stop(reason)])))
    details = response["incomplete_details"]
    assert expected == (details and details["reason"])
    status = "completed" if expected is None else "incomplete"
    assert [status, status] == [response["status"], response["output"][0]["status"]]


def test_a_stream_that_breaks_off_is_no_answer():
    """Without a reason for its end and without [DONE] nothing says that it is whole."""
    sent = stream_of([chunk(content="a")], done=b"")
    assert Kind.OUTPUT is read(sent)[-1].kind
    assert Kind.COMPLETED is read(sent, profile=Profile("x", needs_finish=False))[-1].kind
    assert Kind.COMPLETED is read(stream_of([chunk(content="a")]))[-1].kind
    assert Kind.COMPLETED is read(stream_of([chunk(content="a"), stop()], done=b""))[-1].kind
    assert [] == read(b"")
    assert [] == read(stream_of([]))


@pytest.mark.parametrize(
    ("broken", "message", "code"),
    [
        (b'{"error":{"message":"Overloaded","code":"server_is_overloaded"}}', "Overloaded", None),
        (b'{"error":"Overloaded"}', "Overloaded", None),
        (b'{"error":{"message":"no credits","code":402}}', "no credits", "402"),
        (b'{"object":"error","message":"too long","type":"BadRequestError"}', "too long", None),
        (b'{"detail":"gone"}', "gone", None),
        (b"not json", "The upstream sent what is no answer: ", None),
        (b'{"choices":[{"delta":5}]}', "The upstream sent what is no answer: ", None),
        (b'{"choices":5}', "The upstream sent what is no answer: ", None),
        (
            b'{"choices":[{"index":0,"delta":{},"error":{"message":"died","code":502}}]}',
            "died",
            "502",
        ),
        (
            b'{"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}',
            "The upstream broke its answer off: insufficient_system_resource.",
            None,
        ),
    ],
)
def test_an_error_in_the_middle_ends_the_answer(broken, message, code):
    """Nothing behind it counts, and its words and code are the upstream's own."""
    sent = stream_of([chunk(content="a"), broken, chunk(content="b"), stop()])
    events = read(sent)
    error_in(events)
    problem = decode_problem(events[-1].raw)
    assert problem.error["message"].startswith(message)
    assert code in (None, problem.code)


def test_an_error_may_be_named_by_its_event():
    """Its data is the error then, or has it."""
    sent = b'event: error\ndata: {"message":"gone"}\n\n'
    assert "gone" == decode_problem(read(sent)[-1].raw).error["message"]


def test_azures_filter_keeps_its_code():
    """Azure says what it filtered beside the code, which other words know."""
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {}}}
    error = {"message": "filtered", "code": "content_filter", "status": 400, "innererror": inner}
    events = read(stream_of([{"error": error}]))
    assert error == error_in(events)
    assert (400, "content_filter") == (
        decode_problem(events[-1].raw).status,
        decode_problem(events[-1].raw).code,
    )


@pytest.mark.parametrize("body", [b"{}", b'{"choices":[]}', b"[]", b"", b'"a"', b"5"])
def test_what_is_no_answer_is_an_error(body):
    """Not a response without output."""
    assert "The upstream" in error_in(read_whole(body))["message"]


def test_a_stream_may_come_as_a_whole():
    """Some vendors stream without saying so."""
    sent = stream_of([chunk(content="a"), stop()])
    assert "a" == said(read_whole(sent))["text"]
    assert "a" == said(read_whole(sent.rstrip()))["text"]


def test_a_whole_answer_is_read_as_its_stream():
    """The same items, in the same order."""
    message = {
        "role": "assistant",
        "content": "a",
        "reasoning_content": "hm",
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "x", "arguments": ""}}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    whole = read_whole({"id": "c-1", "created": 7, "model": "m-1", "choices": [choice]})
    streamed = read(stream_of([chunk(**message), stop("tool_calls")]))
    assert response_in(streamed) == response_in(whole)


def test_nothing_follows_the_end():
    """Not from the upstream, and not from the end of the body."""
    reading = reading_of()
    events = reading.feed(stream_of([chunk(content="a"), stop()]))
    assert Kind.COMPLETED is events[-1].kind
    assert [] == reading.feed(stream_of([chunk(content="b"), stop()]))
    assert [] == reading.end()


def split_at_tags(text: str) -> tuple[str, str]:
    """Answer and thoughts of a text that came whole."""
    begun = text.lstrip()
    if not begun.startswith("<think>"):
        return text, ""
    thoughts, closing, answer = begun.removeprefix("<think>").partition("</think>")
    return answer.lstrip(), thoughts.strip() if closing else thoughts.lstrip()


@given(st.lists(st.sampled_from(["<think>", "</think>", " ", "\n", "a", "<", "<th"])), st.data())
def test_thoughts_are_found_however_a_text_is_cut(words, data):
    """White space around the tags is nobody's; all else is a thought or of the answer."""
    text, found, tags = "".join(words), ["", ""], ThinkTags()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        for is_thought, part in tags.feed(text[start:end]):
            found[is_thought] += part
    for is_thought, part in tags.rest():
        found[is_thought] += part
    assert split_at_tags(text) == (found[0], found[1])
