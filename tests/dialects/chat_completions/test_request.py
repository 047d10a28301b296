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
from tests.dialects.refusals import sayable

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
        ({"max_tokens": 1}, {"max_output_tokens": 1}),
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
        ({"frequency_penalty": "much"}, "frequency_penalty"),
        ({"seed": 1.5}, "seed"),
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


CALLS = '"role":"assistant","tool_calls":[{"id":"c",%s"function":{"name":"f","arguments":"{}"%s}}]'


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ('"role":"user","content":"a","content":"a"', "messages.1.content"),
        ('"role":"user","content":"a","c\\u006fntent":"b"', "messages.1.content"),
        ('"role":"user","role":"user","content":"a"', "messages.1.role"),
        ('"role":"user","content":"a","x":1,"content":"b"', "messages.1.content"),
        (
            '"role":"user","content":[{"type":"text","text":"a","text":"b"}]',
            "messages.1.content.0.text",
        ),
        (CALLS % ('"id":"d",', ""), "messages.1.tool_calls.0.id"),
        (CALLS % ("", ',"arguments":""'), "messages.1.tool_calls.0.function.arguments"),
        (
            '"role":"user","content":[{"type":"file","file":{"file_id":"a","file_id":"b"}}]',
            "messages.1.content.0.file.file_id",
        ),
    ],
)
def test_a_member_that_is_repeated_is_refused(messages, param, separators):
    """In messages, parts and calls, too: nobody can say which of the two is meant."""
    comma, colon = separators
    raw = '{"model":"m","messages":[{"role":"user","content":"\\"a\\",b"},{' + messages + "}]}"
    raw = raw.replace('":', f'"{colon}').replace(',"', f'{comma}"')
    with pytest.raises(InvalidRequest, match="more than once") as caught:
        sayable(decode_request(raw.encode(), {}, HIDING))
    assert param == caught.value.param


@pytest.mark.parametrize(
    ("name", "raw", "param"),
    [
        (
            "tools",
            '[{"type":"function","type":"function","function":{"name":"f"}}]',
            "tools.0.type",
        ),
        ("tool_choice", '{"type":"function","function":{"name":"f","name":"g"}}', None),
        ("response_format", '{"type":"text","type":"json_object"}', None),
        ("reasoning", '{"effort":"low","effort":"high"}', "reasoning.effort"),
        ("stream_options", '{"include_usage":true,"include_usage":false}', None),
    ],
)
def test_a_member_that_is_repeated_in_a_setting_is_refused(name, raw, param):
    """Wherever the gateway reads it."""
    sent = '{"model":"m","messages":[{"role":"user","content":"a"}],' + f'"{name}":{raw}}}'
    with pytest.raises(InvalidRequest, match="more than once") as caught:
        sayable(decode_request(sent.encode(), {}, HIDING))
    assert caught.value.param.startswith(param or name)


IMAGE = {"url": "https://example.org/a.png", "detail": "low"}


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"response_format": {"type": "json_schema", "json_schema": SCHEMA, "x": 1}}, "x"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {**SCHEMA, "x": 1}}},
            "json_schema.x",
        ),
        ({"reasoning": {"effort": "low", "x": 1}}, "x"),
        ({"stream_options": {"include_usage": True, "x": 1}}, "x"),
        ({"web_search_options": {"x": 1}}, "x"),
        (
            {"web_search_options": {"user_location": {"approximate": PLACE, "x": 1}}},
            "user_location.x",
        ),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}, "x": 1}}, "x"),
        ({"tool_choice": {"type": "function", "function": {"name": "f", "x": 1}}}, "function.x"),
    ],
)
def test_a_nested_member_that_is_left_out_is_named(members, named):
    """Nothing is lost in silence, however deep it is."""
    (name,) = members
    assert (f"{name}.{named}",) == turn_of(**members).source.dropped


@pytest.mark.parametrize(
    "members",
    [
        {"response_format": {"type": "grammar", "grammar": "x"}},
        {"web_search_options": {"user_location": {"type": "approximate", "approximate": PLACE}}},
        {"tools": [{"type": "custom", "custom": {"name": "f", "format": {"type": "x", "y": 1}}}]},
    ],
)
def test_what_is_sent_or_said_by_the_rest_is_not_named(members):
    """A format of another kind travels as it is; a place is approximate anyway."""
    assert () == turn_of(**members).source.dropped


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"type": "image_url", "image_url": {**IMAGE, "x": 1}}, "image_url.x"),
        ({"type": "file", "file": {"file_id": "f", "x": 1}}, "file.x"),
    ],
)
def test_what_is_left_out_of_a_part_is_named(part, named):
    """By its path, which is that of all such parts."""
    turn = turn_of({"role": "user", "content": [part]})
    assert (f"messages.content.{named}",) == turn.source.dropped


def test_what_is_left_out_of_a_grammar_is_named():
    """A custom tool's format has members, too."""
    style = {"type": "grammar", "grammar": {**GRAMMAR, "x": 1}}
    tools = [{"type": "custom", "custom": {"name": "f", "format": style}}]
    assert ("tools.custom.format.grammar.x",) == turn_of(tools=tools).source.dropped


@pytest.mark.parametrize(
    "detail",
    [
        {"type": "reasoning.text", "text": "t", "format": "openai-responses-v1"},
        {"type": "reasoning.encrypted", "data": "x", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "x"},
        {"type": "reasoning.encrypted", "data": None, "format": "openai-responses-v1"},
        {"type": "reasoning.summary", "summary": "s", "format": "openai-responses-v1"},
    ],
)
def test_reasoning_that_nobody_can_read_is_named(detail):
    """Beside what is sent on, too."""
    ours = {"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1", "index": 3}
    answer = {"role": "assistant", "content": "a", "reasoning_details": [ours, detail]}
    turn = turn_of(QUESTION, answer, QUESTION)
    assert "messages.reasoning_details" in turn.source.dropped
    assert 1 == sum(item["type"] == "reasoning" for item in items_of(turn))


REASONS = {"reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"]}


@pytest.mark.parametrize(
    ("members", "grant", "expected"),
    [
        ({}, SHOWING, REASONS),
        ({}, HIDING, {}),
        ({"include_reasoning": True}, HIDING, REASONS),
        ({"include_reasoning": False}, SHOWING, {}),
        ({"reasoning": {"exclude": True}}, SHOWING, {}),
        ({"reasoning_effort": "none"}, SHOWING, {**REASONS, "reasoning": {"effort": "none"}}),
    ],
)
def test_what_a_key_shows_is_wanted_from_upstream(members, grant, expected):
    """As if the request itself had said so, unless it says otherwise."""
    hub = turn_of(grant=grant, **members).members
    sent = {name: json.loads(hub[name]) for name in ("reasoning", "include") if name in hub}
    assert expected == sent


@pytest.mark.parametrize("name", ["reasoning_effort", "reasoning"])
def test_an_effort_is_refused_by_its_own_name(name):
    """As the client wrote it."""
    wrong = {"reasoning_effort": 5} if name == "reasoning_effort" else {"reasoning": {"effort": 5}}
    param = "reasoning_effort" if name == "reasoning_effort" else "reasoning.effort"
    assert param == refused(**wrong).param


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "image_url"}, "messages.0.content.0.image_url"),
        ({"type": "file"}, "messages.0.content.0.file"),
    ],
)
def test_a_part_without_its_content_says_what_is_required(part, param):
    """Not that its JSON ends too soon."""
    error = refused({"role": "user", "content": [part]})
    assert (param, f"'{param}' is required.") == (error.param, str(error))


def test_a_call_of_another_type_names_the_type():
    """What its type would need is not the fault."""
    calls = [{"id": "c", "type": "zzz"}]
    error = refused({"role": "assistant", "tool_calls": calls})
    assert "messages.0.tool_calls.0.type" == error.param


@pytest.mark.parametrize(("bias", "is_refused"), [({"50256": 0}, False), ({"1": 0, "2": 1}, True)])
def test_a_bias_of_zeros_is_none(bias, is_refused):
    """Only what biases anything is refused."""
    if is_refused:
        assert "logit_bias" == refused(logit_bias=bias).param
    else:
        assert turn_of().members == turn_of(logit_bias=bias).members


@pytest.mark.parametrize("role", ["user", "system", "assistant"])
def test_messages_that_say_nothing_are_refused(role):
    """An upstream would be sent no input."""
    assert "messages" == refused({"role": role, "content": []}).param
