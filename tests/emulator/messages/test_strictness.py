"""What no correct client of Messages sends is refused in the words of the API, and written down."""

import pytest

from longwire.emulator import Script

OLDER = "claude-sonnet-4-5"
MANUAL = {"type": "enabled", "budget_tokens": 2000}
EPHEMERAL = {"type": "ephemeral"}
MARKED = {"type": "text", "text": "x", "cache_control": EPHEMERAL}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}
WITHOUT_RESULT = (
    "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1."
    " Each `tool_use` block must have a corresponding `tool_result` block in the next message."
)


def user(*blocks):
    return {"role": "user", "content": list(blocks) or "hello"}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def text(words):
    return {"type": "text", "text": words}


def schema(**members):
    return {"tools": [{"name": "read", "input_schema": {"type": "object"}} | members]}


MEMBERS = {
    "max_tokens missing": ({"max_tokens": None}, "max_tokens: Field required"),
    "max_tokens 0": (
        {"max_tokens": 0},
        "max_tokens: Input should be greater than or equal to 1",
    ),
    "max_tokens beyond the model's": (
        {"max_tokens": 200_000},
        (
            "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for"
            " claude-opus-5-5"
        ),
    ),
    "max_tokens as a flag": ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
    "temperature as a text": (
        {"temperature": "1"},
        "temperature: Input should be a valid number",
    ),
    "temperature of another API": ({"temperature": 1.5}, "temperature: range: 0..1"),
    "unknown member": ({"reasoning": {}}, "reasoning: Extra inputs are not permitted"),
    "member of a beta": ({"thread": {"type": "create"}}, "thread: Extra inputs are not permitted"),
    "unknown metadata": ({"metadata": {"a": "b"}}, "metadata.a: Extra inputs are not permitted"),
    "unknown effort": (
        {"output_config": {"effort": "minimal"}},
        "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh', 'max'",
    ),
    "format with a name": (
        {"output_config": {"format": {"type": "json_schema", "schema": {}, "name": "n"}}},
        "output_config.format.name: Extra inputs are not permitted",
    ),
    "blank stop sequence": (
        {"stop_sequences": [" "]},
        "stop_sequences: each stop sequence must contain non-whitespace",
    ),
    "empty system": (
        {"system": [text("")]},
        "system: text content blocks must be non-empty",
    ),
    "five marks": (
        {"system": [MARKED] * 4, "cache_control": EPHEMERAL},
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "mark of another type": (
        {"system": [MARKED | {"cache_control": {"type": "persistent"}}]},
        (
            "system.0.text.cache_control: Input tag 'persistent' found using 'type' does not match"
            " any of the expected tags: 'ephemeral'"
        ),
    ),
    "mark of another lifetime": (
        {"system": [MARKED | {"cache_control": EPHEMERAL | {"ttl": "2h"}}]},
        "system.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
    ),
    "tool of Responses": (
        {"tools": [{"type": "function", "name": "read", "parameters": {}}]},
        (
            "tools.0: Input tag 'function' found using 'type' does not match any of the expected"
            " tags:"
            " 'bash_20250124', 'custom', 'text_editor_20250728', 'web_search_20250305'"
        ),
    ),
    "tool without a schema": (
        {"tools": [{"name": "read"}]},
        "tools.0.custom.input_schema: Field required",
    ),
    "schema without a type": (
        schema(input_schema={"properties": {}}),
        "tools.0.custom.input_schema.type: Field required",
    ),
    "schema of no object": (
        schema(input_schema={"type": "array"}),
        "tools.0.custom.input_schema.type: Input should be 'object'",
    ),
    "name of other characters": (
        schema(name="a.b"),
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    "name of 129 characters": (
        schema(name="a" * 129),
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    "two tools of one name": (
        {"tools": schema()["tools"] * 2},
        "tools: Tool names must be unique.",
    ),
    "choice of no tool": (
        schema() | {"tool_choice": {"type": "tool", "name": "write"}},
        "tool_choice: Tool 'write' not found in provided tools",
    ),
    "choice without tools": (
        {"tool_choice": {"type": "any"}},
        "tool_choice: tool_choice may only be specified while providing tools.",
    ),
    "budget too small": (
        {"thinking": MANUAL | {"budget_tokens": 100}},
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    "forced call beside manual thinking": (
        schema() | {"max_tokens": 3000, "thinking": MANUAL, "tool_choice": {"type": "any"}},
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    "adaptive thinking of an older model": (
        {"model": OLDER, "thinking": {"type": "adaptive"}},
        "adaptive thinking is not supported on this model",
    ),
    "top_k beside thinking": (
        {"thinking": {"type": "adaptive"}, "top_k": 5},
        "`top_k` must be unset when thinking is enabled or in adaptive mode.",
    ),
}


@pytest.mark.parametrize(("members", "words"), MEMBERS.values(), ids=MEMBERS)
async def test_member_is_refused(claude, members, words):
    """A member that is missing, unknown or out of its bounds."""
    async with claude() as it:
        assert words == await it.refusal(user(), **members)
        assert 1 == len(it.emulator.violations)
        assert "error:invalid_request_error" == it.emulator.turns[-1].status


@pytest.mark.parametrize(
    ("members", "beginning"),
    [
        (
            {"thinking": {"type": "adaptive"}, "temperature": 0.5},
            "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode. ",
        ),
        (
            {"thinking": MANUAL, "max_tokens": 2000},
            "`max_tokens` must be greater than `thinking.budget_tokens`. ",
        ),
    ],
)
async def test_refusal_beside_thinking_names_the_documentation(claude, members, beginning):
    """Sampling and a budget that leaves nothing for the answer."""
    async with claude() as it:
        words = await it.refusal(user(), **members)
        assert words.startswith(beginning + "Please consult our documentation at https://")


MESSAGES = {
    "nothing": ((), "messages: at least one message is required"),
    "the assistant first": (
        (assistant(text("a")), user()),
        'messages: first message must use the "user" role',
    ),
    "another role": (
        ({"role": "developer", "content": "a"},),
        "messages.0.role: Input should be 'user' or 'assistant'",
    ),
    "a system message without its beta": (
        (user(), {"role": "system", "content": "a"}),
        (
            'messages: Unexpected role "system". The Messages API accepts a top-level `system`'
            ' parameter, not "system" as an input message role.'
        ),
    ),
    "a prefill": (
        (user(), assistant(text("a"))),
        (
            "This model does not support assistant message prefill. The conversation must end"
            " with a"
            " user message."
        ),
    ),
    "an empty text": ((user(text("")),), "messages: text content blocks must be non-empty"),
    "a blank text": (
        (user(text(" \n")),),
        "messages: text content blocks must contain non-whitespace text",
    ),
    "an empty content": (
        (user(), assistant(), user()),
        (
            "messages.1: all messages must have non-empty content except for the optional final"
            " assistant message"
        ),
    ),
    "a member of another API": (
        ({"role": "user", "content": "a", "name": "b"},),
        "messages.0.name: Extra inputs are not permitted",
    ),
    "a part of Responses": (
        (user({"type": "input_text", "text": "a"}),),
        (
            "messages.0.content.0: Input tag 'input_text' found using 'type' does not match any"
            " of the"
            " expected tags: 'container_upload', 'document', 'image', 'search_result', 'text',"
            " 'tool_result'"
        ),
    ),
    "a mark on an empty text": (
        (user(text("") | {"cache_control": EPHEMERAL}),),
        "messages.0.content.0.text: cache_control cannot be set for empty text blocks",
    ),
    "a mark on thinking": (
        (
            user(),
            assistant(
                {"type": "thinking", "thinking": "", "signature": "s", "cache_control": EPHEMERAL}
            ),
            user(),
        ),
        "messages.1.content.0.thinking.cache_control: Extra inputs are not permitted",
    ),
    "thinking without a signature": (
        (user(), assistant({"type": "thinking", "thinking": "a"}), user()),
        "messages.1.content.0.thinking.signature: Field required",
    ),
    "a foreign signature": (
        (user(), assistant({"type": "thinking", "thinking": "a", "signature": "gAAAA"}), user()),
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    "foreign data": (
        (user(), assistant({"type": "redacted_thinking", "data": "gAAAA"}), user()),
        "messages.1.content.0: Invalid `data` in `redacted_thinking` block",
    ),
    "a call without a result": ((user(), assistant(CALL), user()), WITHOUT_RESULT),
    "a text before the result": (
        (user(), assistant(CALL), user(text("a"), RESULT)),
        WITHOUT_RESULT,
    ),
    "a result a message later": (
        (user(), assistant(CALL), user(), assistant(text("a")), user(RESULT)),
        WITHOUT_RESULT,
    ),
    "a call at the end": ((user(), assistant(CALL)), WITHOUT_RESULT),
    "a result without a call": (
        (user(RESULT),),
        (
            "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1."
            " Each `tool_result` block must have a corresponding `tool_use` block in the previous"
            " message."
        ),
    ),
    "two results of one call": (
        (user(), assistant(CALL), user(RESULT, RESULT)),
        (
            "messages.2.content.1: each tool_use must have a single result. Found multiple"
            " `tool_result` blocks with id: toolu_1"
        ),
    ),
    "two calls of one id": (
        (user(), assistant(CALL, CALL), user(RESULT)),
        "messages.1.content.1: `tool_use` ids must be unique",
    ),
    "an id of other characters": (
        (user(), assistant(CALL | {"id": "call:1"}), user(RESULT | {"tool_use_id": "call:1"})),
        "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    ),
    "arguments as a text": (
        (user(), assistant(CALL | {"input": "{}"}), user(RESULT)),
        "messages.1.content.0.tool_use.input: Input should be a valid dictionary",
    ),
    "a found page without its search": (
        (
            user(),
            assistant({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}),
            user(),
        ),
        (
            "messages.1.content.0: unexpected `tool_use_id` found in `web_search_tool_result`"
            " blocks:"
            " s. Each `web_search_tool_result` block must have a corresponding `server_tool_use`"
            " block"
            " before it."
        ),
    ),
}


@pytest.mark.parametrize(("messages", "words"), MESSAGES.values(), ids=MESSAGES)
async def test_conversation_is_refused(claude, messages, words):
    """Blocks out of place or shape, calls without results, thinking that was not signed here."""
    async with claude() as it:
        assert words == await it.refusal(*messages)
        assert 1 == len(it.emulator.violations)


@pytest.mark.parametrize(
    "messages",
    [
        (user(), user(text("again"))),
        (user(), assistant(text("a")), assistant(CALL), user(RESULT), user(text("b"))),
        (user(), assistant(CALL), user(RESULT | {"content": ""}, text("b"))),
    ],
    ids=["users side by side", "answers side by side", "an empty result, then text"],
)
async def test_messages_of_one_role_are_one(claude, messages):
    """What the API merges is let in."""
    async with claude() as it:
        await it.answer(*messages)
        assert [] == it.emulator.violations


async def test_thinking_comes_back_as_it_was(claude, tool, thinking):
    """For its own key and letter by letter; a changed letter or another key is refused."""
    async with claude() as it:
        answer = await it.answer(user(), tools=[tool], thinking=thinking)
        thought, said, call = answer["content"]
        rest = user(RESULT | {"tool_use_id": call["id"]})
        await it.answer(user(), assistant(thought, said, call), rest)
        words = "messages.1.content.0: Invalid `signature` in `thinking` block"
        changed = assistant(thought | {"thinking": "Weighing."}, said, call)
        assert words == await it.refusal(user(), changed, rest)
        assert words == await it.refusal(user(), assistant(*answer["content"]), rest, key="sk-two")
        dropping = thinking | {"block_binding": {"prefix_mismatch_behavior": "drop_block"}}
        await it.answer(user(), changed, rest, tools=[tool], thinking=dropping)
        assert [0, 1, 0] == [turn.thoughts for turn in it.emulator.turns if turn.digest]


@pytest.mark.parametrize("display", ["omitted", "summarized"])
@pytest.mark.parametrize("summaries", [0, 1])
async def test_hidden_thinking_comes_back_too(claude, display, summaries):
    """Without a summary it is redacted, with `display: omitted` an empty text with a signature."""
    async with claude(Script(summaries=summaries)) as it:
        thinking = {"type": "adaptive", "display": display}
        answer = await it.answer(user(), thinking=thinking)
        kind = "thinking" if summaries else "redacted_thinking"
        assert (kind, summaries and display != "omitted") == (
            answer["content"][0]["type"],
            bool(answer["content"][0].get("thinking")),
        )
        await it.answer(user(), assistant(*answer["content"]), user(), thinking=thinking)
        assert 1 == it.emulator.turns[-1].thoughts


async def test_older_model_wants_its_thinking_before_a_call(claude, tool):
    """A last call without thinking is refused there, and let in where thinking is off."""
    async with claude() as it:
        messages = (user(), assistant(CALL), user(RESULT))
        members = {"model": OLDER, "tools": [tool], "max_tokens": 3000}
        words = await it.refusal(*messages, **members, thinking=MANUAL)
        assert words.startswith(
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found"
            " `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a"
            " thinking block"
        )
        await it.answer(*messages, **members)
        await it.answer(*messages, **members | {"model": "claude-opus-5-5"}, thinking=MANUAL)


async def test_older_model_goes_on_from_a_prefill(claude):
    """Its last message may be the assistant's, without blanks at its end."""
    async with claude() as it:
        await it.answer(user(), assistant(text("{")), model=OLDER)
        words = await it.refusal(user(), assistant(text("{ ")), model=OLDER)
        assert "messages: final assistant content cannot end with trailing whitespace" == words


async def test_system_messages_need_their_beta(claude, tool):
    """They stand in their place as a developer's, and change effort and tools."""
    deferred = tool | {"name": "late", "defer_loading": True}
    system = {
        "role": "system",
        "output_config": {"effort": "low"},
        "content": [{"type": "tool_addition", "tool": {"type": "tool_reference", "name": "late"}}],
    }
    async with claude(Script(tool="late")) as it:
        betas = "mid-conversation-tool-changes-2026-07-01"
        answer = await it.answer(user(), system, tools=[tool, deferred], betas=betas)
        assert "late" == answer["content"][-1]["name"]
        assert 3 == it.emulator.turns[-1].items_rendered


async def test_deferred_tool_is_called_once_it_was_found(claude, tool):
    """A reference in a result brings the tool; before that the model does not know it."""
    tools = [tool, tool | {"name": "late", "defer_loading": True}]
    async with claude(Script(tool="late", tool_rounds=2)) as it:
        first = await it.answer(user(), tools=tools)
        call = first["content"][-1]
        found = [{"type": "tool_reference", "tool_name": "late"}]
        result = RESULT | {"tool_use_id": call["id"], "content": found}
        second = await it.answer(user(), assistant(*first["content"]), user(result), tools=tools)
        assert ["read", "late"] == [call["name"], second["content"][-1]["name"]]


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"x-api-key": ""}, 401, "authentication_error"),
        ({"x-api-key": "sk-other"}, 401, "authentication_error"),
        ({"x-api-key": "", "authorization": "Bearer sk-other"}, 401, "authentication_error"),
        ({"anthropic-version": ""}, 400, "invalid_request_error"),
        ({"anthropic-version": "latest"}, 400, "invalid_request_error"),
        ({"x-api-key": "", "authorization": "Bearer sk-one"}, 200, None),
    ],
)
async def test_headers_are_checked(claude, headers, status, kind):
    """A key in either header, and a version; a refusal has its envelope and a request id."""
    async with claude(api_keys=("sk-one",)) as it:
        body = {"model": "m", "max_tokens": 9, "messages": [user()]}
        async with it.post(body, headers=headers) as answer:
            content = await answer.json()
            assert (status, kind) == (answer.status, content.get("error", {}).get("type"))
            assert kind is None or content["request_id"] == answer.headers["request-id"]


async def test_count_takes_what_makes_the_prompt(claude, tool, user):
    """It equals the usage of the turn, takes a prefill, and refuses what is no part of a prompt."""
    async with claude() as it:
        members = {"model": "m", "messages": [user], "tools": [tool], "system": "S"}
        path = "/anthropic/v1/messages/count_tokens"
        async with it.post(members, path) as answer:
            counted = (await answer.json())["input_tokens"]
        usage = (await it.answer(user, tools=[tool], system="S", model="m"))["usage"]
        assert usage["input_tokens"] == counted
        messages = [user, {"role": "assistant", "content": "a"}]
        async with it.post(members | {"messages": messages, "tools": []}, path) as answer:
            assert 200 == answer.status
        async with it.post(members | {"max_tokens": 9}, path) as answer:
            message = (await answer.json())["error"]["message"]
            assert "max_tokens: Extra inputs are not permitted" == message
