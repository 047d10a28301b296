"""Items, parts, tools and members of a real upstream's shapes; any other is refused by name."""

import pytest

from longwire.emulator import Script

USER = {"role": "user", "content": "hi"}
LONG = "n" * 65
READ = {"type": "function", "name": "read"}
TOOLS = {"type": "additional_tools", "role": "developer", "tools": [READ]}
UPDATE = {"type": "configuration_update", "reasoning": {"effort": "high"}}
SCHEMA = {"type": "json_schema", "name": "a", "schema": {"type": "object"}}
SEALED = ["reasoning.encrypted_content"]


def said(*parts, role="user"):
    return [{"role": role, "content": [*parts]}]


def called(**changes):
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"} | changes
    return [call, {"type": "function_call_output", "call_id": call["call_id"], "output": "1"}]


def put_out(*parts):
    return [called()[0], {"type": "function_call_output", "call_id": "c", "output": [*parts]}]


REFUSED_ITEMS = {
    "audio": (
        said({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}),
        "invalid_value",
        "input[0].content[0].type",
    ),
    "a part of Chat": (
        said({"type": "image_url", "image_url": {"url": "https://a"}}),
        "invalid_value",
        "input[0].content[0].type",
    ),
    "an image without a source": (
        said({"type": "input_image", "detail": "low"}),
        "missing_required_parameter",
        "input[0].content[0].image_url",
    ),
    "an image that is no URL": (
        said({"type": "input_image", "image_url": "iVBORw0KGgo="}),
        "invalid_value",
        "input[0].content[0].image_url",
    ),
    "a file without a source": (
        said({"type": "input_file", "filename": "a.pdf"}),
        "missing_required_parameter",
        "input[0].content[0].file_id",
    ),
    "a text without text": (
        said({"type": "input_text"}),
        "missing_required_parameter",
        "input[0].content[0].text",
    ),
    "a refusal of a user": (
        said({"type": "refusal", "refusal": "no"}),
        "invalid_value",
        "input[0].content[0].type",
    ),
    "a refusal in a text": (
        said({"type": "refusal", "text": "no"}, role="assistant"),
        "missing_required_parameter",
        "input[0].content[0].refusal",
    ),
    "cache_control in a part": (
        said({"type": "input_text", "text": "a", "cache_control": {"type": "ephemeral"}}),
        "unknown_parameter",
        "input[0].content[0].cache_control",
    ),
    "tool_calls of a message": (
        [{"role": "assistant", "content": "", "tool_calls": []}],
        "unknown_parameter",
        "input[0].tool_calls",
    ),
    "an output that is answered": (
        put_out({"type": "output_text", "text": "1"}),
        "invalid_value",
        "input[1].output[0].type",
    ),
    "an output of a block": (
        put_out({"type": "tool_reference", "tool_name": "a"}),
        "invalid_value",
        "input[1].output[0].type",
    ),
    "a long call id": (called(call_id=LONG), "string_above_max_length", "input[0].call_id"),
    "an empty call id": (called(call_id=""), "empty_string", "input[0].call_id"),
    "a long name": (called(name=LONG), "string_above_max_length", "input[0].name"),
    "a name with a dot": (called(name="a.b"), "invalid_value", "input[0].name"),
    "tools of a user": ([TOOLS | {"role": "user"}], "invalid_value", "input[0].role"),
    "tools of nobody": (
        [{"type": "additional_tools", "tools": [READ]}],
        "missing_required_parameter",
        "input[0].role",
    ),
    "tools in Chat's nesting": (
        [TOOLS | {"tools": [{"type": "function", "function": {"name": "f"}}]}],
        "missing_required_parameter",
        "input[0].tools[0].name",
    ),
    "an empty update": (
        [{"type": "configuration_update"}],
        "missing_required_parameter",
        "input[0].reasoning",
    ),
    "an update to no effort": (
        [{"type": "configuration_update", "reasoning": {"effort": "ultra"}}],
        "invalid_value",
        "input[0].reasoning.effort",
    ),
    "an update to no format": (
        [{"type": "configuration_update", "text": {"format": {"type": "xml"}}}],
        "invalid_value",
        "input[0].text.format.type",
    ),
    "two updates": ([UPDATE, UPDATE], "invalid_value", "input"),
}
REFUSED_MEMBERS = {
    "few tokens": ({"max_output_tokens": 15}, "integer_below_min_value", "max_output_tokens"),
    "stop": ({"stop": ["a"]}, "unknown_parameter", "stop"),
    "messages": ({"messages": []}, "unknown_parameter", "messages"),
    "a long name": ({"tools": [READ | {"name": LONG}]}, "string_above_max_length", "tools[0].name"),
    "a tool of Chat": (
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        "missing_required_parameter",
        "tools[0].name",
    ),
    "a tool of Messages": (
        {"tools": [{"name": "f", "input_schema": {}}]},
        "invalid_value",
        "tools[0].type",
    ),
    "a schema of Messages": (
        {"tools": [READ | {"input_schema": {}}]},
        "unknown_parameter",
        "tools[0].input_schema",
    ),
    "parameters that are a text": (
        {"tools": [READ | {"parameters": "{}"}]},
        "invalid_type",
        "tools[0].parameters",
    ),
    "a tool of a namespace": (
        {"tools": [{"type": "namespace", "name": "n", "tools": [READ | {"name": "a b"}]}]},
        "invalid_value",
        "tools[0].tools[0].name",
    ),
    "a choice that is none": ({"tool_choice": "any"}, "invalid_value", "tool_choice"),
    "a choice of no tool": (
        {"tools": [READ], "tool_choice": {"type": "function", "name": "write"}},
        None,
        "tool_choice",
    ),
    "an effort that is none": (
        {"reasoning": {"effort": "ultra"}},
        "invalid_value",
        "reasoning.effort",
    ),
    "a format in Chat's nesting": (
        {"text": {"format": {"type": "json_schema", "json_schema": {"name": "a"}}}},
        "missing_required_parameter",
        "text.format.name",
    ),
    "a format without a schema": (
        {"text": {"format": {"type": "json_schema", "name": "a"}}},
        "missing_required_parameter",
        "text.format.schema",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("items", "members", "code", "param"),
    [
        *((items, {}, code, param) for items, code, param in REFUSED_ITEMS.values()),
        *(([], members, code, param) for members, code, param in REFUSED_MEMBERS.values()),
    ],
    ids=[*REFUSED_ITEMS, *REFUSED_MEMBERS],
)
async def test_what_is_of_another_shape_is_refused(upstream, items, members, code, param):
    """With 400, the code of a real upstream and the place, and it is written down."""
    async with upstream() as it, it.dial() as socket:
        error = await socket.refuse(*items, USER, **members)
        found = (error["status"], error["error"]["code"], error["error"]["param"])
        assert (400, code, param) == found
        assert 1 == len(it.emulator.violations)


TAKEN = {
    "an image": said({"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}),
    "a file": said({"type": "input_file", "filename": "a.pdf", "file_data": "data:a;base64,QQ=="}),
    "a file of a URL": said({"type": "input_file", "file_url": "https://a.example/b.pdf"}),
    "a refusal": said({"type": "refusal", "refusal": "no"}, role="assistant"),
    "parts as an output": put_out(
        {"type": "input_text", "text": "1"}, {"type": "input_image", "image_url": "https://a"}
    ),
    "a custom output": [
        {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c",
            "output": [{"type": "input_file", "file_id": "file-1"}],
        },
    ],
    "tools": [TOOLS],
    "updates apart": [UPDATE, USER, UPDATE],
    "an update of both": [UPDATE | {"text": {"format": SCHEMA}}],
}


@pytest.mark.parametrize("items", TAKEN.values(), ids=TAKEN)
async def test_what_other_dialects_come_to_is_taken(upstream, items):
    """Images, files, parts of outputs, tools and efforts as items."""
    async with upstream(Script(tool_rounds=0)) as it, it.dial() as socket:
        await socket.respond(*items, USER)
        assert [] == it.emulator.violations


async def test_two_updates_are_refused_across_requests_too(upstream):
    """Nothing of the model stands between them where a warm-up made no output."""
    async with upstream() as it, it.dial() as socket:
        warm = (await socket.create(USER, UPDATE, generate=False))[-1]["response"]
        error = await socket.refuse(UPDATE, USER, previous_response_id=warm["id"])
        assert "side by side" in error["error"]["message"]


async def test_additional_tools_are_there_from_then_on(upstream):
    """A choice may name them, and the next turn of the chain has them, too."""
    named = {"tool_choice": {"type": "function", "name": "read"}}
    async with upstream(Script(commentary=False)) as it, it.dial() as socket:
        first = await socket.respond(TOOLS, USER, **named)
        call = first["output"][-1]
        assert ("function_call", "read") == (call["type"], call["name"])
        answer = {"type": "function_call_output", "call_id": call["call_id"], "output": "1"}
        second = await socket.respond(answer, USER, previous_response_id=first["id"])
        assert "read" == second["output"][-1]["name"]


@pytest.mark.parametrize("path", ["/v1", "/backend-api/codex"])
@pytest.mark.parametrize("kind", ["message", "function_call"])
async def test_an_item_by_its_id_needs_its_reasoning(upstream, tools, path, kind):
    """Both or neither: with the reasoning before it, sealed or by its id, or without its own id."""
    async with upstream() as it, it.dial(path) as socket:
        members = {"tools": tools, "include": SEALED, "input": [USER]}
        made = (await socket.create(**members))[-1]["response"]["output"]
        reasoning, *others = made
        calls = [item for item in others if item["type"] == "function_call"]
        ends = [
            {"type": "function_call_output", "call_id": call["call_id"], "output": "1"}
            for call in calls
        ]
        (item,) = [item for item in others if item["type"] == kind]
        item_and_rest = [item, *(call for call in calls if call is not item)]
        error = await socket.refuse(input=[USER, *item_and_rest, *ends])
        message = error["error"].get("message") or error["error"]["detail"]
        expected = f"Item '{item['id']}' of type '{kind}' was provided without its required"
        assert message == f"{expected} 'reasoning' item: '{reasoning['id']}'."
        bare = [{name: value for name, value in each.items() if name != "id"} for each in made]
        for history in (made, bare, bare[1:], [bare[0], *others]):
            terminal = (await socket.create(input=[USER, *history, *ends]))[-1]
            assert "response.completed" == terminal["type"], terminal


async def test_an_item_of_a_response_without_reasoning_needs_none(upstream, tools):
    """Nor does one that another account was given."""
    async with upstream(Script(reasoning=False)) as it, it.dial() as socket:
        made = (await socket.respond(USER, tools=tools))["output"]
        end = {"type": "function_call_output", "call_id": made[-1]["call_id"], "output": "1"}
        await socket.respond(USER, *made, end)
        it.emulator.script = Script(tool_rounds=0)
        message = (await socket.respond(USER))["output"][-1]
        async with it.dial(key="sk-two") as other:
            await other.respond(USER, message, USER)
        assert [] == it.emulator.violations


COUNT = "/v1/responses/input_tokens"


async def test_input_tokens_are_counted_as_a_turn_has_them(upstream, tools):
    """The same figure as in its usage; nothing is answered or kept."""
    async with upstream() as it:
        headers = {"authorization": "Bearer sk-one"}
        body = {"model": "m", "input": [USER, *put_out({"type": "input_text", "text": "1"})]}
        url = f"{it.emulator.url}{COUNT}"
        async with it.session.post(url, json=body | {"tools": tools}, headers=headers) as reply:
            counted = await reply.json()
        async with it.dial() as socket:
            response = await socket.respond(*body["input"], tools=tools)
        figure = response["usage"]["input_tokens"]
        assert {"object": "response.input_tokens", "input_tokens": figure} == counted
        assert 1 == len(it.emulator.turns)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"max_output_tokens": 20}, "unknown_parameter"),
        ({"stream": True}, "unknown_parameter"),
        ({"input": [{"role": "tool", "content": ""}]}, "invalid_value"),
        ({"previous_response_id": "resp_invented"}, "previous_response_not_found"),
    ],
)
async def test_a_count_is_as_strict_as_a_turn(upstream, change, code):
    """It takes no members of an answer, and the same items."""
    async with upstream() as it:
        body = {"model": "m", "input": [USER]} | change
        headers = {"authorization": "Bearer sk-one"}
        async with it.session.post(
            f"{it.emulator.url}{COUNT}", json=body, headers=headers
        ) as reply:
            refused = await reply.json()
        assert (400, code) == (reply.status, refused["error"]["code"])
        assert 1 == len(it.emulator.violations)


async def test_an_upstream_may_count_nothing(upstream):
    """Then it answers as a server does that has no such route."""
    async with upstream(oddities=("count_missing",)) as it:
        body, headers = {"model": "m", "input": "hi"}, {"authorization": "Bearer sk-one"}
        async with it.session.post(
            f"{it.emulator.url}{COUNT}", json=body, headers=headers
        ) as reply:
            assert (404, {"detail": "Not Found"}) == (reply.status, await reply.json())
