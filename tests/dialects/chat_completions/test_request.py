"""Bodies of Chat Completions decoded to turns."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

from longwire.core.errors import InvalidRequest
from longwire.dialects.chat_completions.members import MEMBERS
from longwire.dialects.chat_completions.request import decode_request
from longwire.dialects.members import Fate
from tests.dialects.chat_completions.answers import (
    HIDING,
    QUESTION,
    SHOWING,
    Item,
    body,
    items_of,
    turn_of,
)

FUNCTION = {"name": "read", "description": "Reads.", "parameters": {"type": "object"}}
FLAT = {"type": "function", **FUNCTION, "strict": False}
SCHEMA = {"name": "point", "schema": {"type": "object", "x": 1.50}, "strict": True}
GRAMMAR = {"definition": "start: /a/", "syntax": "lark"}
PLACE = {"country": "AT", "city": "Wien"}


def members_of(**members) -> Item:
    """The members of a request as the Responses API gets them."""
    return {name: json.loads(raw) for name, raw in turn_of(**members).members.items()}


def refused(*messages: Item, **members) -> InvalidRequest:
    """The error that a request is refused with."""
    with pytest.raises(InvalidRequest) as caught:
        turn_of(*messages, **members)
    return caught.value


def test_the_table_has_every_member_of_the_api():
    """What OpenAI's own client can send has its row."""
    assert set() == set(CompletionCreateParamsStreaming.__annotations__) - set(MEMBERS)


@pytest.mark.parametrize("name", [n for n, row in MEMBERS.items() if row.fate is Fate.SAME])
def test_a_member_of_both_apis_is_sent_as_it_is(name):
    """Its very bytes, that is."""
    raw = b'"x\\u00e9"' if name != "metadata" else b'{"a": "1.50"}'
    sent = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"%b":%b}'
    if name == "model":
        sent = sent.replace(b'"model":"m",', b"")
    turn = decode_request(sent % (name.encode(), raw), {}, HIDING)
    assert raw == turn.members[name]


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ({"max_tokens": 100}, {"max_output_tokens": 100}),
        ({"max_tokens": 100, "max_completion_tokens": 50}, {"max_output_tokens": 50}),
        ({"max_tokens": 1}, {"max_output_tokens": 16}),
        ({"max_tokens": None}, {}),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
        ({"response_format": {"type": "text"}}, {"text": {"format": {"type": "text"}}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": SCHEMA}, "verbosity": "low"},
            {"text": {"format": {"type": "json_schema", **SCHEMA}, "verbosity": "low"}},
        ),
        ({"tools": [{"type": "function", "function": FUNCTION}]}, {"tools": [FLAT]}),
        ({"tools": []}, {}),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]},
            {
                "tools": [
                    {
                        "type": "function",
                        "name": "f",
                        "parameters": {"type": "object", "properties": {}},
                        "strict": True,
                    }
                ]
            },
        ),
        (
            {
                "tools": [
                    {
                        "type": "custom",
                        "custom": {"name": "c", "format": {"type": "grammar", "grammar": GRAMMAR}},
                    },
                    {"type": "custom", "custom": {"name": "d", "format": {"type": "text"}}},
                ]
            },
            {
                "tools": [
                    {"type": "custom", "name": "c", "format": {"type": "grammar", **GRAMMAR}},
                    {"type": "custom", "name": "d", "format": {"type": "text"}},
                ]
            },
        ),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "read"}}},
            {"tool_choice": {"type": "function", "name": "read"}},
        ),
        (
            {"tool_choice": {"type": "custom", "custom": {"name": "c"}}},
            {"tool_choice": {"type": "custom", "name": "c"}},
        ),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "auto",
                        "tools": [{"type": "function", "function": {"name": "read"}}],
                    },
                }
            },
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "function", "name": "read"}],
                }
            },
        ),
        (
            {"functions": [FUNCTION], "function_call": {"name": "read"}},
            {
                "tools": [FLAT],
                "tool_choice": {"type": "function", "name": "read"},
                "parallel_tool_calls": False,
            },
        ),
        (
            {"logprobs": True, "top_logprobs": 3},
            {"include": ["message.output_text.logprobs"], "top_logprobs": 3},
        ),
        ({"logprobs": False}, {}),
        (
            {
                "web_search_options": {
                    "search_context_size": "low",
                    "user_location": {"type": "approximate", "approximate": PLACE},
                }
            },
            {
                "tools": [
                    {
                        "type": "web_search",
                        "search_context_size": "low",
                        "user_location": {"type": "approximate", **PLACE},
                    }
                ]
            },
        ),
        (
            {"stream_options": {"include_usage": True, "include_obfuscation": False}},
            {"stream_options": {"include_obfuscation": False}},
        ),
        ({"store": True}, {"store": True}),
        (
            {"reasoning": {"effort": "high"}},
            {
                "reasoning": {"effort": "high", "summary": "auto"},
                "include": ["reasoning.encrypted_content"],
            },
        ),
        ({"reasoning": {"enabled": False, "exclude": True}}, {"reasoning": {"effort": "none"}}),
        ({"stop": ["a"], "n": 1, "seed": 3, "frequency_penalty": 0.0, "logit_bias": {}}, {}),
        ({"modalities": ["text"], "presence_penalty": 0, "audio": None}, {}),
    ],
)
def test_a_member_is_translated(member, expected):
    """Each to its equivalent, and nothing beside it but `store: false`."""
    assert {"model": "m", "store": False, **expected} == members_of(**member)


@pytest.mark.parametrize(
    ("member", "param"),
    [
        ({"n": 2}, "n"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"frequency_penalty": 0.1}, "frequency_penalty"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [1]}, "stop.0"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
        ({"tools": [{"type": "mcp"}]}, "tools.0.type"),
        ({"tools": [{}]}, "tools.0.type"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": 1}}]},
            "tools.0.function.parameters",
        ),
        ({"functions": [FUNCTION], "tools": [{"type": "x"}]}, "functions"),
        ({"tool_choice": {"type": "function"}}, "tool_choice"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, None),
        ({"reasoning_effort": 3}, "reasoning_effort"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(member, param):
    """The error names the field, so that whoever wrote it finds it."""
    error = refused(**member)
    assert (param or "response_format.json_schema.name") == error.param
    assert error.param in str(error)


def test_what_has_no_equivalent_is_named():
    """Hints and members of other APIs are left out, each by its name."""
    turn = turn_of(
        {"role": "user", "name": "ada", "content": [{"type": "text", "text": "x", "cached": 1}]},
        {"role": "assistant", "content": "y", "reasoning_content": "z", "weight": 0},
        seed=1,
        prediction={"type": "content", "content": "a"},
        chat_template_kwargs={"enable_thinking": True},
        input="sneaked in",
        previous_response_id="resp_of_somebody",
        reasoning={"max_tokens": 9, "exclude": True},
    )
    assert (
        "chat_template_kwargs",
        "input",
        "messages.content.cached",
        "messages.name",
        "messages.reasoning_content",
        "messages.weight",
        "prediction",
        "previous_response_id",
        "reasoning.max_tokens",
        "seed",
    ) == turn.source.dropped
    assert {"model", "store"} == set(turn.members)
    assert turn.previous_response_id is None


def test_what_is_named_fits_into_a_header():
    """Whatever names a client makes up, and however many."""
    names = {"a\r\nb: c": 1, "é✓": 1, "x" * 100: 1, "messages": [{**QUESTION, "\n": 1}]}
    turn = turn_of(**names)
    assert ("??", "a??b:?c", "messages.?", "x" * 64) == turn.source.dropped
    many = turn_of(**{f"m{number:03}": 1 for number in range(99)}).source.dropped
    assert (33, "m031", "...") == (len(many), many[-2], many[-1])


def test_what_asks_for_nothing_is_nothing():
    """Null, empty and neutral members are not worth a word."""
    turn = turn_of(
        {"role": "user", "content": "x", "name": None},
        {"role": "assistant", "content": "y", "annotations": [], "audio": None, "refusal": None},
        unknown=None,
        n=1,
        stop=[],
        user=None,
    )
    assert () == turn.source.dropped
    assert {"model", "store"} == set(turn.members)


@pytest.mark.parametrize(
    ("members", "grant", "expected"),
    [
        ({}, HIDING, False),
        ({}, SHOWING, True),
        ({"include_reasoning": True}, HIDING, True),
        ({"include_reasoning": False}, SHOWING, False),
        ({"reasoning": {"effort": "low"}}, HIDING, True),
        ({"reasoning": {"exclude": True}}, SHOWING, False),
    ],
)
def test_who_is_shown_reasoning(members, grant, expected):
    """Whose key says so, or whose request shows that it understands it."""
    assert expected == turn_of(grant=grant, **members).source.options.shows_reasoning


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_who_echoes_reasoning_is_shown_it_again(name):
    """And the properties of the turn stay the same, so that it continues."""
    echo = {"role": "assistant", "content": "y", name: "because"}
    turn = turn_of(QUESTION, echo)
    assert turn.source.options.shows_reasoning
    assert turn_of(QUESTION).properties.raw == turn.properties.raw


def test_a_turn_says_what_the_rules_ask_of_it():
    """Model, streaming, tools, storage, session and size are read once, here."""
    raw = body(
        stream=True, tools=[{"type": "function", "function": FUNCTION}], prompt_cache_key="k"
    )
    turn = decode_request(raw, {}, HIDING)
    said = (turn.model, turn.streams, turn.has_tools, turn.is_stored, turn.session_hints)
    assert ("m", True, True, False, ("k",)) == said
    assert ("chat_completions", raw, len(raw)) == (
        turn.source.api,
        turn.source.body,
        turn.source.body_size,
    )


def test_leading_instructions_do_not_make_a_history():
    """One question behind any number of system messages is one shot."""
    system = {"role": "system", "content": "be brief"}
    turn = turn_of(system, {"role": "developer", "content": "x"}, QUESTION)
    assert (2, True) == (turn.source.leading, turn.is_one_shot)
    assert not turn_of(system, QUESTION, system, QUESTION).is_one_shot


def test_a_long_name_is_short_upstream():
    """Everywhere alike, and the answer knows the way back."""
    name, short = "mcp__" + "x" * 70, None
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
    turn = turn_of(
        QUESTION,
        {"role": "assistant", "tool_calls": [call]},
        tools=[{"type": "function", "function": {"name": name}}],
        tool_choice={"type": "function", "function": {"name": name}},
    )
    short = items_of(turn)[1]["name"]
    assert 64 == len(short)
    assert short == json.loads(turn.members["tools"])[0]["name"]
    assert short == json.loads(turn.members["tool_choice"])["name"]
    assert {short: name} == turn.source.options.originals


def test_a_repeated_member_is_refused():
    """As in the Responses API: it is not known which one is meant."""
    with pytest.raises(InvalidRequest, match="repeats the member 'model'"):
        decode_request(b'{"model":"a","model":"b","messages":[]}', {}, HIDING)


@given(st.permutations(["model", "messages", "tools", "temperature", "user", "stop"]))
def test_the_order_of_members_does_not_count(order):
    """Equal input and equal properties, whatever order the client writes."""
    said = json.loads(body(temperature=1.50, user="u", stop="x", tools=[{**_TOOL}]))
    moved = json.dumps({name: said[name] for name in order}).encode()
    turn, plain = (
        decode_request(moved, {}, HIDING),
        decode_request(json.dumps(said).encode(), {}, HIDING),
    )
    assert (plain.input, plain.properties.raw) == (turn.input, turn.properties.raw)


_TOOL = {"type": "function", "function": FUNCTION}
