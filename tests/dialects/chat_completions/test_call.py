"""Turns as they are said in Chat Completions."""

import json

import pytest

from longwire.core.errors import InvalidRequest
from longwire.dialects.profiles.known import PROFILE_NAMES, profile_of
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.seals import Seal, sealed
from tests.dialects.chat_completions.upstreams import (
    QUESTION,
    Item,
    body_of,
    call_of,
    messages_of,
    turn_of,
)

DEEPSEEK, MISTRAL, VLLM = (profile_of(name, "") for name in ("deepseek", "mistral", "vllm"))
OPENAI, AZURE, KIMI = (profile_of(name, "") for name in ("openai", "azure", "kimi"))
PATCH: Item = {"type": "custom", "name": "apply_patch", "description": "Patches."}
READ: Item = {"type": "function", "name": "read", "parameters": {"type": "object"}}
WRITE: Item = {**READ, "name": "write"}
SCHEMA: Item = {"type": "object", "properties": {"a": {"type": "number"}}}
FORMAT: Item = {"type": "json_schema", "name": "out", "schema": SCHEMA, "strict": True}


def spoken(text: str) -> Item:
    content = [{"type": "output_text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content}


def call(call_id: str, arguments: str = "{}", **members: str) -> Item:
    own = {"type": "function_call", "call_id": call_id, "name": "read", "arguments": arguments}
    return {**own, **members}


def result(call_id: str, output: object = "done") -> Item:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def thought(text: str, issuer: str) -> Item:
    seal = sealed(Seal(issuer, text))
    return {"type": "reasoning", "summary": [], "encrypted_content": seal}


def tool_call(call_id: str, arguments: str = "{}", name: str = "read") -> Item:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def refusal_of(*items: Item, **members: object) -> str:
    with pytest.raises(InvalidRequest) as refused:
        call_of(*items, **members)
    return str(refused.value)


def test_the_body_streams_and_asks_for_usage():
    """Whatever the client asked for: the gateway folds what it wants whole."""
    assert {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    } == body_of(QUESTION)
    assert "stream_options" not in body_of(QUESTION, profile=MISTRAL)


def test_a_text_is_an_input():
    """It is what the user says."""
    turn = turn_of()
    assert [{"role": "user", "content": "hi"}] == messages_of(*json.loads(turn.input))
    with pytest.raises(InvalidRequest, match="says nothing"):
        call_of({"role": "user", "content": []})


def test_instructions_come_first_and_roles_are_those_of_the_vendor():
    """Few vendors know developers; some take one message of the system alone."""
    items = [
        {"role": "developer", "content": "d"},
        QUESTION,
        {"role": "developer", "content": "later"},
    ]
    said = [("system", "i"), ("system", "d"), ("user", "hi"), ("system", "later")]
    assert said == [(e["role"], e["content"]) for e in messages_of(*items, instructions="i")]
    assert ["system", "developer", "user", "developer"] == [
        e["role"] for e in messages_of(*items, instructions="i", profile=OPENAI)
    ]
    assert [
        {"role": "system", "content": "i\n\nd"},
        {"role": "user", "content": "hi"},
        {"role": "user", "content": "<system-reminder>\nlater\n</system-reminder>"},
    ] == messages_of(*items, instructions="i", profile=VLLM)


def test_what_the_model_did_in_one_step_is_one_message():
    """Its reasoning, texts and calls; results follow in the order of the calls."""
    items = [
        QUESTION,
        thought("hm", "deepseek"),
        spoken("a"),
        call("c1", '{"x":1.50}'),
        spoken("b"),
        call("c2"),
        result("c2", "two"),
        result("c1", "one"),
        QUESTION,
    ]
    assert [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": "a\n\nb",
            "reasoning_content": "hm",
            "tool_calls": [tool_call("c1", '{"x":1.50}'), tool_call("c2")],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        {"role": "user", "content": "hi"},
    ] == messages_of(*items, profile=DEEPSEEK)


def test_a_call_alone_has_no_content():
    """That is null, as the API has it."""
    assert {"role": "assistant", "content": None, "tool_calls": [tool_call("c")]} == (
        messages_of(QUESTION, call("c"), result("c"))[1]
    )


def test_a_call_without_an_output_gets_one():
    """Vendors refuse a call that nobody answered."""
    said = messages_of(QUESTION, call("c1"), call("c2"), result("c2"), QUESTION)
    assert [
        ("c1", "There is no output of this call."),
        ("c2", "done"),
    ] == [(each["tool_call_id"], each["content"]) for each in said if each["role"] == "tool"]


def test_an_output_without_a_call_is_said_by_the_user():
    """Nothing of a history is lost, and no vendor takes it for a result."""
    said = messages_of(result("c9", 'a "b"'), QUESTION)
    assert 'The result of an earlier call, c9:\na "b"' == said[0]["content"]
    assert ["user", "user"] == [each["role"] for each in said]


def test_an_output_before_its_call_is_none_of_it():
    """What came before cannot have come of it."""
    said = messages_of(result("c", "early"), call("c"), QUESTION)
    assert "There is no output of this call." == said[2]["content"]
    assert "early" in said[0]["content"]


def test_two_calls_of_one_id_have_an_output_each():
    """The first output behind a call is its own."""
    said = messages_of(call("c"), result("c", "1"), call("c"), result("c", "2"))
    assert ["1", "2"] == [each["content"] for each in said if each["role"] == "tool"]


def test_images_of_a_result_are_shown_by_the_user():
    """Behind the results of all calls of that step, since only texts are results."""
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"}
    text = {"type": "input_text", "text": "a"}
    items = [call("c1"), call("c2"), result("c1", [text, text, image]), result("c2", [image])]
    shown = {"type": "image_url", "image_url": {"url": image["image_url"], "detail": "low"}}
    marker = "What the result of the call {} shows:"
    assert [
        {"role": "tool", "tool_call_id": "c1", "content": "a\na"},
        {
            "role": "tool",
            "tool_call_id": "c2",
            "content": "The result is shown in the next message of the user.",
        },
        {
            "role": "user",
            "content": [
                {"type": "text", "text": marker.format("c1")},
                shown,
                {"type": "text", "text": marker.format("c2")},
                shown,
            ],
        },
        {"role": "user", "content": "hi"},
    ] == messages_of(*items, QUESTION)[1:]
    taken = Profile("x", takes_result_images=True)
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "a"}, shown]
    assert parts == messages_of(*items, QUESTION, profile=taken)[1]["content"]


def test_parts_are_those_of_the_api():
    """Texts, images, files and sounds; what a vendor does not take is refused by its place."""
    parts = [
        {"type": "input_text", "text": "a"},
        {"type": "input_file", "file_data": "data:x", "filename": "a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
    ]
    user = {"role": "user", "content": parts}
    assert [
        {"type": "text", "text": "a"},
        {"type": "file", "file": {"file_data": "data:x", "filename": "a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
    ] == messages_of(user)[0]["content"]
    assert (
        "'input.0.content.1' is input_file, which azure does not take; leave it out, or set "
        'the channel\'s unsupported = "drop".'
    ) == refusal_of(user, profile=AZURE)
    dropping = call_of(user, profile=AZURE, may_drop=True)
    assert ("input.input_file",) == dropping.dropped
    assert 2 == len(json.loads(dropping.body)["messages"][0]["content"])


def test_texts_are_one_where_a_vendor_takes_no_parts():
    """They are joined by a blank line."""
    texts = [{"type": "input_text", "text": each} for each in "ab"]
    said = messages_of({"role": "user", "content": texts}, profile=DEEPSEEK)
    assert [{"role": "user", "content": "a\n\nb"}] == said


def test_a_refusal_is_beside_the_text_or_is_it():
    """As the vendor has it."""
    said = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    assert {"role": "assistant", "content": "no"} == messages_of(QUESTION, said)[1]
    assert {"role": "assistant", "content": "", "refusal": "no"} == (
        messages_of(QUESTION, said, profile=OPENAI)[1]
    )


def test_functions_are_nested():
    """Strict only where the client says so and the vendor knows it."""
    tools = [{**READ, "description": "Reads.", "strict": True}, {**WRITE, "parameters": None}]
    assert [
        {
            "type": "function",
            "function": {
                "name": "read",
                "description": "Reads.",
                "parameters": {"type": "object"},
                "strict": True,
            },
        },
        {
            "type": "function",
            "function": {"name": "write", "parameters": {"type": "object", "properties": {}}},
        },
    ] == body_of(tools=tools)["tools"]
    lax = call_of(tools=tools, profile=KIMI)
    assert b"strict" not in lax.body
    assert ("tools.strict",) == lax.dropped


def test_tools_of_codex_are_functions():
    """A custom tool has one text; its grammar stands in the description."""
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    tools = [{**PATCH, "format": grammar}, {"type": "local_shell"}, {"type": "shell"}]
    patch, shell, _ = body_of(tools=tools)["tools"]
    assert (
        "Patches.\n\nThe input keeps this grammar (lark):\nstart: x"
        == (patch["function"]["description"])
    )
    assert ["input"] == patch["function"]["parameters"]["required"]
    assert ["command"] == shell["function"]["parameters"]["required"]


def test_calls_of_codex_tools_are_calls_of_functions():
    """What they say is the arguments, without what a model need not say."""
    action = {"type": "exec", "command": ["ls"], "env": {}}
    operation = {"type": "delete_file", "path": "a"}
    items = [
        {"type": "custom_tool_call", "call_id": "a", "name": "apply_patch", "input": '"é\n'},
        {"type": "local_shell_call", "call_id": "b", "action": action},
        {"type": "apply_patch_call", "call_id": "c", "operation": operation},
        {"type": "custom_tool_call_output", "call_id": "a", "output": "1"},
        {"type": "local_shell_call_output", "call_id": "b", "output": "2"},
        {"type": "apply_patch_call_output", "call_id": "c", "status": "completed", "output": "3"},
    ]
    said = messages_of(*items)
    calls = said[0]["tool_calls"]
    assert [{"input": '"é\n'}, {"command": ["ls"]}, operation] == [
        json.loads(each["function"]["arguments"]) for each in calls
    ]
    assert ["apply_patch", "local_shell", "apply_patch"] == [
        each["function"]["name"] for each in calls
    ]
    assert ["1", "2", "3"] == [each["content"] for each in said[1:]]


def test_a_shells_outputs_are_a_text():
    """Each command's output is an object that the model reads as JSON."""
    outcome = [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    items = [
        {"type": "shell_call", "call_id": "b", "action": {"commands": ["ls"]}},
        {"type": "shell_call_output", "call_id": "b", "output": outcome},
    ]
    assert outcome == json.loads(messages_of(*items)[1]["content"])


def test_a_search_of_tools_that_the_client_runs_is_a_function():
    """What it finds can be called from then on; one that OpenAI runs is a tool of its own."""
    search = {
        "type": "tool_search",
        "execution": "client",
        "description": "Finds.",
        "parameters": SCHEMA,
    }
    found = {"type": "namespace", "name": "crm", "tools": [WRITE]}
    own = {"call_id": "s", "execution": "client"}
    items = [
        {"type": "tool_search_call", **own, "arguments": {"query": "x"}},
        {"type": "tool_search_output", **own, "tools": [found]},
    ]
    body = body_of(*items, QUESTION, tools=[READ, search])
    names = [each["function"]["name"] for each in body["tools"]]
    assert ["read", "tool_search", "crm__write"] == names
    assert SCHEMA == body["tools"][1]["function"]["parameters"]
    asked, answered, _ = body["messages"]
    assert {"query": "x"} == json.loads(asked["tool_calls"][0]["function"]["arguments"])
    assert [found] == json.loads(answered["content"])
    assert ("tools.tool_search",) == call_of(tools=[{"type": "tool_search"}]).dropped
    hosted = [{"type": "tool_search_call"}, {"type": "tool_search_output", "tools": []}]
    assert ("input.tool_search_call", "input.tool_search_output") == (
        call_of(QUESTION, *hosted).dropped
    )


def test_names_of_a_namespace_are_joined_with_it():
    """Long ones are shortened, always in the same way."""
    long = "n" * 70
    tools = [{"type": "namespace", "name": "crm", "tools": [READ, {**READ, "name": long}]}]
    items = [call("c", namespace="crm"), call("d", namespace="crm", name=long)]
    names = [each["function"]["name"] for each in body_of(tools=tools)["tools"]]
    assert ("crm__read", 64) == (names[0], len(names[1]))
    assert names == [
        each["function"]["name"] for each in messages_of(QUESTION, *items)[1]["tool_calls"]
    ]


def test_tools_that_come_later_are_among_the_tools():
    """A history brings them as items."""
    later = {"type": "additional_tools", "role": "developer", "tools": [WRITE]}
    tools = body_of(QUESTION, later, QUESTION, tools=[READ])["tools"]
    assert ["read", "write"] == [each["function"]["name"] for each in tools]


def test_tools_that_only_openai_runs_are_left_out():
    """By their types, whatever the channel says of what is unsupported."""
    call_ = call_of(tools=[READ, {"type": "web_search"}, {"type": "mcp", "server_label": "x"}])
    assert ("tools.mcp", "tools.web_search") == call_.dropped
    assert ["read"] == [each["function"]["name"] for each in json.loads(call_.body)["tools"]]


@pytest.mark.parametrize(
    ("choice", "profile", "expected", "names"),
    [
        ("auto", OPENAI, None, "read write"),
        ("required", OPENAI, "required", "read write"),
        ("none", OPENAI, "none", "read write"),
        ("none", Profile("x", tool_choices=("auto",)), None, ""),
        (
            {"type": "function", "name": "read"},
            OPENAI,
            {"type": "function", "function": {"name": "read"}},
            "read write",
        ),
        (
            {"type": "function", "name": "read"},
            Profile("x", tool_choices=("required",)),
            "required",
            "read",
        ),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", **WRITE}]},
            KIMI,
            None,
            "write",
        ),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [WRITE]},
            OPENAI,
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "write"}}],
                },
            },
            "read write",
        ),
    ],
)
def test_a_choice_is_said_as_the_vendor_knows_it(choice, profile, expected, names):
    """Where it knows no such choice, only the functions that are chosen are sent."""
    body = body_of(tools=[READ, WRITE], tool_choice=choice, profile=profile)
    assert expected == body.get("tool_choice")
    assert names.split() == [each["function"]["name"] for each in body.get("tools", ())]


def test_a_choice_that_a_vendor_does_not_take_is_refused_or_dropped():
    """DeepSeek takes it where its model does not think."""
    members = {"tools": [READ], "tool_choice": "required", "profile": DEEPSEEK}
    assert (
        "'tool_choice' is required, which deepseek does not take while its model thinks; "
        'leave it out, or set the channel\'s unsupported = "drop".'
    ) == refusal_of(**members)
    assert ("tool_choice",) == call_of(**members, may_drop=True).dropped
    assert "required" == body_of(**members, reasoning={"effort": "none"})["tool_choice"]
    assert "names 'nothing', which is not among the 'tools'" in refusal_of(
        tools=[READ], tool_choice={"type": "function", "name": "nothing"}
    )


def test_choices_without_tools_are_not_said():
    """Vendors refuse them."""
    assert {"model", "messages", "stream", "stream_options"} == set(
        body_of(tools=[], tool_choice="auto", parallel_tool_calls=True)
    )


def test_a_schema_is_nested():
    """As it was written, digits and all."""
    body = body_of(text={"format": FORMAT, "verbosity": "low"}, profile=OPENAI)
    nested = {"name": "out", "schema": SCHEMA, "strict": True}
    assert {"type": "json_schema", "json_schema": nested} == body["response_format"]
    assert "low" == body["verbosity"]
    assert ("text.verbosity",) == call_of(text={"verbosity": "low"}).dropped


def test_a_schema_stands_in_the_prompt_where_it_is_not_taken():
    """DeepSeek takes any JSON, vLLM needs both."""
    prompt = "Answer with JSON alone, which fits this JSON schema:\n"
    for profile, kind in ((DEEPSEEK, "json_object"), (VLLM, "json_schema")):
        body = body_of(text={"format": FORMAT}, profile=profile, instructions="i")
        said = "\n\n".join(each["content"] for each in body["messages"][:-1])
        assert said.startswith("i\n\n" + prompt)
        assert SCHEMA == json.loads(said.partition(prompt)[2])
        assert kind == body["response_format"]["type"]


def test_wishes_have_the_vendors_names():
    """The most tokens, how to sample, logprobs."""
    members = {
        "max_output_tokens": 9,
        "temperature": 0.5,
        "top_p": 1.0,
        "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
    }
    body = body_of(**members)
    assert {"max_tokens": 9, "temperature": 0.5, "logprobs": True, "top_logprobs": 2}.items() <= (
        body.items()
    )
    assert 9 == body_of(**members, profile=OPENAI)["max_completion_tokens"]


@pytest.mark.parametrize("name", PROFILE_NAMES)
@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_each_vendor_knows_each_effort(name, effort):
    """An effort is said in some way, and never as one that the vendor has not."""
    call_ = call_of(profile=profile_of(name, ""), reasoning={"effort": effort, "summary": "auto"})
    body = json.loads(call_.body)
    assert () == call_.dropped
    assert {"reasoning_effort", "thinking", "enable_thinking", "reasoning"} & set(body)


def test_an_effort_depends_on_the_model():
    """Kimi's K3 always thinks, K2.6 has a switch, and K2.7 has nothing to be set."""
    found = [
        call_of(model=model, profile=KIMI, reasoning={"effort": "none"})
        for model in ("kimi-k3", "kimi-k2.6", "kimi-k2.7-code")
    ]
    assert ["low", None, None] == [json.loads(e.body).get("reasoning_effort") for e in found]
    assert [None, {"type": "disabled"}, None] == [json.loads(e.body).get("thinking") for e in found]
    assert [(), (), ("reasoning.effort",)] == [each.dropped for each in found]


def test_calls_one_at_a_time_are_asked_of_those_who_know_that():
    """Where nobody can be asked it is named."""
    gemini = profile_of("gemini-openai", "")
    assert body_of(tools=[READ], parallel_tool_calls=False)["parallel_tool_calls"] is False
    for wanted, dropped in ((False, ("parallel_tool_calls",)), (True, ())):
        call_ = call_of(tools=[READ], parallel_tool_calls=wanted, profile=gemini)
        assert (dropped, False) == (call_.dropped, b"parallel" in call_.body)


def test_members_go_to_those_who_take_them():
    """Others are left out and named; what asks for nothing is not."""
    members = {
        "prompt_cache_key": "k",
        "metadata": {"a": "b"},
        "store": False,
        "truncation": "disabled",
        "client_metadata": {"x": "y"},
        "include": ["reasoning.encrypted_content"],
        "service_tier": "auto",
        "seed": 7,
    }
    assert ("metadata", "prompt_cache_key", "seed") == call_of(**members).dropped
    assert {"prompt_cache_key": "k", "metadata": {"a": "b"}}.items() <= (
        body_of(**members, profile=OPENAI).items()
    )


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input.0"),
        ({"input": [QUESTION, {"type": "compaction", "encrypted_content": "gAAA"}]}, "input.1"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input.0.role"),
        ({"input": [{"role": "user", "content": 5}]}, "input.0.content"),
        ({"input": [result("c"), {"type": "function_call", "name": "x"}]}, "input.1.call_id"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tools": [{**READ, "parameters": 5}]}, "tools.0.parameters"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.name"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(members, param):
    """A clear error, never an upstream's."""
    with pytest.raises(InvalidRequest) as refused:
        call_of(**members)
    assert param == refused.value.param
    assert f"'{param}'" in str(refused.value)


def test_what_can_be_done_without_is_dropped_where_an_operator_wants_that():
    """And named, in order."""
    items = [{"type": "compaction", "encrypted_content": "gAAA"}, QUESTION]
    dropped = call_of(*items, may_drop=True, max_tool_calls=3).dropped
    assert ("input.compaction", "max_tool_calls") == dropped


def test_traces_of_hosted_tools_are_left_out():
    """What came of them stands in the answers."""
    items = [QUESTION, {"type": "web_search_call", "id": "ws_1"}, spoken("a"), QUESTION]
    call_ = call_of(*items)
    assert ("input.web_search_call",) == call_.dropped
    assert ["hi", "a", "hi"] == [e["content"] for e in json.loads(call_.body)["messages"]]


def test_references_are_resolved_for_those_who_do_not_follow_them():
    """A schema that refers to itself is any object there."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "n": {"const": 1}}}
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Node", "description": "first"}},
        "$defs": {"Node": node},
    }
    glm = profile_of("glm", "")
    tools = body_of(tools=[{**READ, "parameters": schema}], profile=glm)["tools"]
    inlined = {**node, "properties": {**node["properties"], "next": {"type": "object"}}}
    assert {"type": "object", "properties": {"a": {**inlined, "description": "first"}}} == (
        tools[0]["function"]["parameters"]
    )
    kept = body_of(tools=[{**READ, "parameters": schema}])["tools"]
    assert schema == kept[0]["function"]["parameters"]


def test_ids_of_calls_have_the_vendors_shape():
    """Mistral's have nine letters and digits: its own stay, others always become the same."""
    items = [call("gSIMJiOkT"), call("call_1"), result("call_1"), result("gSIMJiOkT")]
    said = messages_of(*items, profile=MISTRAL)
    ids = [each["id"] for each in said[0]["tool_calls"]]
    assert "gSIMJiOkT" == ids[0]
    assert (True, 9) == (ids[1].isalnum(), len(ids[1]))
    assert ids == [each["tool_call_id"] for each in said[1:]]
    assert said == messages_of(*items, profile=MISTRAL)


def test_what_others_sealed_is_left_out_and_named():
    """Neither as reasoning nor as a text."""
    items = [QUESTION, thought("secret", "kimi"), spoken("a"), QUESTION]
    unsealed = {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    for profile in (DEEPSEEK, OPENAI, Profile("generic")):
        call_ = call_of(*items, unsealed, profile=profile)
        assert b"secret" not in call_.body
        assert b"gAAA" not in call_.body
        assert ("input.reasoning",) == call_.dropped


def test_gemini_gets_a_dummy_for_a_signature_that_nobody_knows():
    """A client may not have been shown it; the first call of a step is refused without one."""
    calls = [
        {"type": "function_call", "call_id": each, "name": "f", "arguments": "{}"} for each in "ab"
    ]
    gemini = profile_of("gemini-openai", "")
    for model, expected in (("gemini-3-pro", [True, False]), ("gemini-2.5-pro", [False, False])):
        said = messages_of({"role": "user", "content": "x"}, *calls, profile=gemini, model=model)
        assert expected == ["extra_content" in call for call in said[1]["tool_calls"]]


@pytest.mark.parametrize("profile", [VLLM, DEEPSEEK])
def test_a_schema_that_is_missing_is_named(profile):
    """Whether it is sent or stands in the prompt."""
    with pytest.raises(InvalidRequest) as error:
        call_of(profile=profile, text={"format": {"type": "json_schema", "name": "n"}})
    assert "text.format.schema" == error.value.param


def test_a_last_word_of_which_nothing_is_left_is_named():
    """The model would answer to nothing."""
    audio = {"role": "user", "content": [{"type": "input_video", "url": "x"}]}
    answer = {"role": "assistant", "content": "b"}
    with pytest.raises(InvalidRequest) as error:
        call_of(QUESTION, answer, audio, may_drop=True)
    assert "input.2.content" == error.value.param
    assert call_of(QUESTION, audio, may_drop=True).dropped == ("input.input_video",)
