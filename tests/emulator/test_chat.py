"""Chat Completions of the emulator: the same turns in another API, refused as strictly."""

import json
from contextlib import suppress

import aiohttp
import pytest
from openai import AsyncOpenAI

from longwire.emulator import Fault, Script, digest

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "read",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
        },
    }
]
USER = {"role": "user", "content": "hello"}


def body_of(**members):
    return {"model": "gpt-4.1", "messages": [USER]} | members


def post(it, key="sk-one", **members):
    headers = {"authorization": f"Bearer {key}"}
    url = f"{it.emulator.url}/v1/chat/completions"
    return it.session.post(url, json=body_of(**members), headers=headers)


async def whole(it, **members):
    """A completion, which must be one."""
    async with post(it, **members) as answer:
        assert 200 == answer.status, await answer.text()
        return await answer.json()


async def chunks(it, **members):
    """The data of a stream, `[DONE]` as it is."""
    async with post(it, stream=True, **members) as answer:
        assert 200 == answer.status, await answer.text()
        texts = (await answer.text()).split("\n\n")
        found = [text.removeprefix("data: ") for text in texts if text.startswith("data: ")]
        return [text if text == "[DONE]" else json.loads(text) for text in found]


async def refused(it, **members):
    """Status and error of a request that is refused."""
    async with post(it, **members) as answer:
        return answer.status, (await answer.json())["error"]


async def received(answer):
    """All that comes before the end, or before a reset."""
    content = b""
    with suppress(OSError, aiohttp.ClientPayloadError):
        async for chunk in answer.content.iter_any():
            content += chunk
    return content


async def test_a_completion_tells_the_digest_of_its_items(upstream):
    """The messages count as the items that they stand for."""
    async with upstream() as it:
        messages = [{"role": "system", "content": "Be brief."}, USER]
        completion = await whole(it, messages=messages)
        items = [{"role": "system", "content": "Be brief."}, USER]
        assert f"context sha256:{digest(items)}" == completion["choices"][0]["message"]["content"]
        turn = it.emulator.turns[-1]
        assert ("chat_completions", digest(items), "completed") == (
            turn.api,
            turn.digest,
            turn.status,
        )


async def test_a_stream_has_role_content_finish_usage_and_its_end(upstream):
    """The chunks come in the order in which OpenAI sends them."""
    async with upstream(Script(deltas=2)) as it:
        found = await chunks(it, stream_options={"include_usage": True})
        assert "[DONE]" == found.pop()
        usage = found.pop()
        assert ([], 0) == (
            usage["choices"],
            usage["usage"]["prompt_tokens_details"]["cached_tokens"],
        )
        deltas = [chunk["choices"][0]["delta"] for chunk in found]
        assert {"role": "assistant", "content": "", "refusal": None} == deltas[0]
        assert f"context sha256:{digest([USER])}" == "".join(d["content"] for d in deltas[1:-1])
        assert {} == deltas[-1]
        reasons = [chunk["choices"][0]["finish_reason"] for chunk in found]
        assert [None, None, None, "stop"] == reasons
        assert [None] * 4 == [chunk["usage"] for chunk in found]


@pytest.mark.parametrize("stream", [False, True])
async def test_official_client_holds_a_conversation(upstream, stream):
    """Turns with parallel calls through the official client have the digests of Responses."""
    async with (
        upstream(Script(tool_rounds=2, parallel_calls=2)) as it,
        AsyncOpenAI(base_url=f"{it.emulator.url}/v1", api_key="sk-one") as client,
    ):
        messages, items = [USER], [USER]
        for _ in range(3):
            request = {"model": "gpt-5.5", "messages": messages, "tools": TOOLS}
            if stream:
                async with client.chat.completions.stream(**request) as events:
                    completion = await events.get_final_completion()
            else:
                completion = await client.chat.completions.create(**request)
            assert digest(items) == it.emulator.turns[-1].digest
            message = completion.choices[0].message
            said = {"type": "message", "role": "assistant", "content": message.content}
            messages.append({"role": "assistant", "content": message.content})
            items.append(said)
            for call in message.tool_calls or ():
                function = {"name": call.function.name, "arguments": call.function.arguments}
                shown = {"id": call.id, "type": "function", "function": function}
                messages[-1].setdefault("tool_calls", []).append(shown)
                items.append({"type": "function_call", "call_id": call.id, **function})
            for call in message.tool_calls or ():
                messages.append({"role": "tool", "tool_call_id": call.id, "content": "1.50"})
                output = {"call_id": call.id, "output": "1.50"}
                items.append({"type": "function_call_output", **output})
        assert "stop" == completion.choices[0].finish_reason
        assert [] == it.emulator.violations


async def test_a_longer_prompt_counts_the_shorter_one_as_cached(upstream):
    """The prefix of an earlier request is cached for its account, over another connection too."""
    async with upstream() as it:
        first = await whole(it)
        longer = [USER, first["choices"][0]["message"] | {"refusal": None}, USER]
        second = await whole(it, messages=longer)
        other = await whole(it, key="sk-two", messages=longer)
        cached = [
            answer["usage"]["prompt_tokens_details"]["cached_tokens"]
            for answer in (first, second, other)
        ]
        assert (0, True, 0) == (
            cached[0],
            0 < cached[1] < second["usage"]["prompt_tokens"],
            cached[2],
        )


async def test_a_key_is_needed(upstream):
    """Without a key, or with one that is not let in, the answer is 401."""
    async with upstream(api_keys=("sk-one",)) as it:
        status, error = await refused(it, key="sk-two")
        assert (401, "invalid_api_key") == (status, error["code"])


@pytest.mark.parametrize(
    ("act", "expected"), [("reset", "cut"), ("error", "spoiled"), ("close", "cut")]
)
async def test_faults_strike_in_a_stream(upstream, act, expected):
    """What strikes behind a delta ends the stream without its end mark."""
    async with upstream(Script(deltas=4)) as it:
        it.emulator.faults.add(Fault(at="mid_delta", act=act, skip=1))
        async with post(it, stream=True) as answer:
            content = await received(answer)
            assert (True, False) == (b'"content"' in content, b"[DONE]" in content)
            assert (act == "error") == (b'data: {"error":{' in content)
        assert expected == it.emulator.turns[-1].status


CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
OUTPUT = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
FUNCTION = TOOLS[0]["function"]
SCHEMA = {"name": "a", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}


def messages(*found):
    return {"messages": list(found)}


def part(kind, **members):
    return messages({"role": "user", "content": [{"type": kind, **members}]})


def function(**members):
    return {"tools": [{"type": "function", "function": FUNCTION | members}]}


def call(**members):
    return messages(USER, CALLING | {"tool_calls": [CALL | members]}, OUTPUT)


REFUSED = {
    "no messages": ({"messages": []}, "empty_array", "messages"),
    "missing messages": ({"messages": None}, "missing_required_parameter", "messages"),
    "missing model": ({"model": None}, "missing_required_parameter", "model"),
    "an unknown member": ({"input": "hello"}, "unknown_parameter", "input"),
    "thinking": ({"thinking": {"type": "enabled"}}, "unknown_parameter", "thinking"),
    "a wrong type": ({"temperature": "1"}, "invalid_type", "temperature"),
    "a boolean for a number": ({"n": True}, "invalid_type", "n"),
    "n of 0": ({"n": 0}, "integer_below_min_value", "n"),
    "n of 129": ({"n": 129}, "integer_above_max_value", "n"),
    "no tokens": ({"max_completion_tokens": 0}, "integer_below_min_value", "max_completion_tokens"),
    "too hot": ({"temperature": 2.5}, "decimal_above_max_value", "temperature"),
    "five stops": ({"stop": list("abcde")}, "array_above_max_length", "stop"),
    "max_tokens to a model that thinks": (
        {"model": "gpt-5.5", "max_tokens": 9},
        "unsupported_parameter",
        "max_tokens",
    ),
    "temperature to a model that thinks": (
        {"model": "gpt-5.5", "temperature": 0.5},
        "unsupported_value",
        "temperature",
    ),
    "effort max": ({"reasoning_effort": "max"}, "invalid_value", "reasoning_effort"),
    "options without a stream": ({"stream_options": {}}, None, "stream_options"),
    "a choice without tools": ({"tool_choice": "auto"}, None, "tool_choice"),
    "no tools": ({"tools": []}, "empty_array", "tools"),
    "a tool of responses": (
        {"tools": [{"type": "function", **FUNCTION}]},
        "missing_required_parameter",
        "tools[0].function",
    ),
    "a tool with a dot": (function(name="a.b"), "invalid_value", "tools[0].function.name"),
    "a tool with a long name": (
        function(name="a" * 65),
        "string_above_max_length",
        "tools[0].function.name",
    ),
    "a tool with cache_control": (
        {"tools": [TOOLS[0] | {"cache_control": {}}]},
        "unknown_parameter",
        "tools[0].cache_control",
    ),
    "parameters that are no object": (
        function(parameters={"type": "string"}),
        "invalid_function_parameters",
        "tools[0].function.parameters",
    ),
    "a choice of responses": (
        {"tools": TOOLS, "tool_choice": {"type": "function", "name": "read"}},
        "missing_required_parameter",
        "tool_choice.function",
    ),
    "a choice of anthropic": (
        {"tools": TOOLS, "tool_choice": "any"},
        "invalid_value",
        "tool_choice",
    ),
    "a choice that is not there": (
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "write"}}},
        None,
        "tool_choice",
    ),
    "a flat schema": (
        {"response_format": {"type": "json_schema", **SCHEMA}},
        "missing_required_parameter",
        "response_format.json_schema",
    ),
    "a schema without a name": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        "missing_required_parameter",
        "response_format.json_schema.name",
    ),
    "a strange format": (
        {"response_format": {"type": "xml"}},
        "invalid_value",
        "response_format.type",
    ),
    "JSON that nobody speaks of": ({"response_format": {"type": "json_object"}}, None, "messages"),
    "a strange role": (
        messages({"role": "model", "content": "a"}),
        "invalid_value",
        "messages[0].role",
    ),
    "no role": (messages({"content": "a"}), "missing_required_parameter", "messages[0].role"),
    "no content": (messages({"role": "user"}), None, "messages[0].content"),
    "an answer without content": (
        messages(USER, {"role": "assistant", "content": None}),
        None,
        "messages[1].content",
    ),
    "no parts": (messages({"role": "user", "content": []}), "empty_array", "messages[0].content"),
    "a part of responses": (
        part("input_text", text="a"),
        "invalid_value",
        "messages[0].content[0].type",
    ),
    "a picture of responses": (
        part("image_url", image_url="https://example.org/a.png"),
        "invalid_type",
        "messages[0].content[0].image_url",
    ),
    "a picture from nowhere": (
        part("image_url", image_url={"url": "a.png"}),
        "invalid_image_url",
        "messages[0].content[0].image_url.url",
    ),
    "a strange detail": (
        part("image_url", image_url={"url": "https://example.org/a.png", "detail": "most"}),
        "invalid_value",
        "messages[0].content[0].image_url.detail",
    ),
    "sound": (part("input_audio", input_audio={}), "invalid_value", "messages[0].content[0]"),
    "a picture of the system": (
        messages({"role": "system", "content": [{"type": "image_url", "image_url": {}}]}),
        "invalid_value",
        "messages[0].content[0].type",
    ),
    "reasoning": (
        messages(USER, {"role": "assistant", "content": "a", "reasoning_content": "b"}),
        "unknown_parameter",
        "messages[1].reasoning_content",
    ),
    "an output without its call": (messages(USER, OUTPUT), None, "messages[1].role"),
    "an output of another call": (
        messages(USER, CALLING, OUTPUT | {"tool_call_id": "call_2"}),
        None,
        "messages[2].role",
    ),
    "two outputs of one call": (
        messages(USER, CALLING, OUTPUT, OUTPUT),
        None,
        "messages[3].role",
    ),
    "a call without its output": (messages(USER, CALLING, USER), None, "messages[2].role"),
    "a call at the end": (messages(USER, CALLING), None, "messages[1].role"),
    "an output behind a question": (
        messages(USER, CALLING, USER, OUTPUT),
        None,
        "messages[2].role",
    ),
    "no calls": (
        messages(USER, CALLING | {"tool_calls": []}),
        "empty_array",
        "messages[1].tool_calls",
    ),
    "a call without an id": (
        call(id=None),
        "missing_required_parameter",
        "messages[1].tool_calls[0].id",
    ),
    "a call with a long id": (
        call(id="a" * 65),
        "string_above_max_length",
        "messages[1].tool_calls[0].id",
    ),
    "a call of responses": (
        call(type="function_call"),
        "invalid_value",
        "messages[1].tool_calls[0].type",
    ),
    "arguments that are no text": (
        call(function={"name": "read", "arguments": {}}),
        "invalid_type",
        "messages[1].tool_calls[0].function.arguments",
    ),
    "a call with a strange name": (
        call(function={"name": "a b", "arguments": "{}"}),
        "invalid_value",
        "messages[1].tool_calls[0].function.name",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_openai_refuses_is_refused(upstream, case):
    """The refusal has OpenAI's code, names the place, and is a violation."""
    members, code, param = REFUSED[case]
    async with upstream() as it:
        status, error = await refused(it, **members)
        assert (400, code, param) == (status, error["code"], error["param"]), error
        assert "invalid_request_error" == error["type"]
        assert 1 == len(it.emulator.violations)


async def test_settings_of_sampling_go_with_no_effort(upstream):
    """A model that does not think this time takes them."""
    async with upstream() as it:
        await whole(it, model="gpt-5.5", temperature=0.5, reasoning_effort="none")
        assert [] == it.emulator.violations


async def test_all_kinds_of_parts_and_calls_become_items(upstream):
    """Pictures, files, refusals and custom calls count as in Responses."""
    url = "data:image/png;base64,AAAA"
    custom = {"id": "call_2", "type": "custom", "custom": {"name": "patch", "input": "naïve"}}
    picture = {"type": "image_url", "image_url": {"url": url, "detail": "low"}}
    file = {"type": "file", "file": {"file_data": "data:a", "filename": "a.pdf"}}
    items = [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": url, "detail": "low"},
                {"type": "input_file", "file_data": "data:a", "filename": "a.pdf"},
            ],
        },
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"type": "function_call", "call_id": "call_1", "name": "read", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "patch", "input": "naïve"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "b"},
        {"type": "function_call_output", "call_id": "call_1", "output": "done"},
    ]
    said = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "see"}, picture, file]},
        {"role": "assistant", "content": None, "refusal": "no", "tool_calls": [CALL, custom]},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "b"}]},
        OUTPUT,
    ]
    async with upstream() as it:
        await whole(it, messages=said)
        assert digest(items) == it.emulator.turns[-1].digest


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (Script(finish="incomplete"), "length"),
        (Script(finish_reason="content_filter"), "content_filter"),
        (Script(), "stop"),
    ],
)
async def test_an_answer_names_the_reason_of_its_end(upstream, script, expected):
    """Whole or streamed, the finish reason is what the script says."""
    async with upstream(script) as it:
        completion = await whole(it)
        *_, finish, _ = await chunks(it)
        assert [expected, expected] == [
            each["choices"][0]["finish_reason"] for each in (completion, finish)
        ]


async def test_a_limit_cuts_the_answer(upstream):
    """A completion of as many tokens as are allowed ends with `length`."""
    async with upstream() as it:
        choice = (await whole(it, max_tokens=2))["choices"][0]
        assert ("context ", "length") == (choice["message"]["content"], choice["finish_reason"])


async def test_an_answer_stops_before_a_stop_sequence(upstream):
    """What follows the first sequence that is found is left out, whole or streamed."""
    async with upstream(Script(text="one two three", deltas=5)) as it:
        choice = (await whole(it, stop=["three", " two"]))["choices"][0]
        assert ("one", "stop") == (choice["message"]["content"], choice["finish_reason"])
        found = [chunk for chunk in (await chunks(it, stop=" two"))[:-1] if chunk["choices"]]
        deltas = [chunk["choices"][0]["delta"].get("content", "") for chunk in found]
        assert "one" == "".join(deltas)


async def test_scenes_play(upstream):
    """A user's text makes the model do the same as in Responses."""
    async with upstream() as it:
        scene = {"role": "user", "content": 'scene:tool read {"path": "1.50"}'}
        completion = await whole(it, messages=[scene], tools=TOOLS)
        (found,) = completion["choices"][0]["message"]["tool_calls"]
        assert {"name": "read", "arguments": '{"path": "1.50"}'} == found["function"]
        refusal = await whole(it, messages=[{"role": "user", "content": "scene:refusal"}])
        assert "I cannot help with that." == refusal["choices"][0]["message"]["refusal"]
        ends = await whole(it, messages=[{"role": "user", "content": "scene:ends length"}])
        assert "length" == ends["choices"][0]["finish_reason"]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_fails_at_once_is_a_status(upstream, stream):
    """Before any output a failure is an HTTP error with its code."""
    async with upstream(Script(finish="failed:rate_limit_exceeded", output=False)) as it:
        status, error = await refused(it, stream=stream)
        assert (429, "rate_limit_exceeded") == (status, error["code"])
        assert "error:rate_limit_exceeded" == it.emulator.turns[-1].status
        assert [] == it.emulator.violations


async def test_an_answer_that_fails_in_mid_stream_says_so_there(upstream):
    """Behind output the error is the last thing in the stream; there is no `[DONE]`."""
    async with upstream(Script(finish="failed:server_error")) as it:
        found = await chunks(it)
        assert "server_error" == found[-1]["error"]["code"]
        assert "content" in found[1]["choices"][0]["delta"]


async def test_several_choices_are_answered(upstream):
    """Each of `n` choices has an index of its own, whole and in the stream."""
    async with upstream(Script(deltas=1)) as it:
        completion = await whole(it, n=2)
        assert [0, 1] == [choice["index"] for choice in completion["choices"]]
        found = (await chunks(it, n=2))[:-1]
        assert [0, 1] * 3 == [chunk["choices"][0]["index"] for chunk in found]


async def test_an_answer_fits_its_schema(upstream):
    """A nested schema is understood."""
    async with upstream() as it:
        form = {"type": "json_schema", "json_schema": SCHEMA}
        completion = await whole(it, response_format=form)
        assert {"a"} == set(json.loads(completion["choices"][0]["message"]["content"]))


@pytest.mark.parametrize(
    "at", ["before_create", "after_create", "after_created", "before_terminal"]
)
async def test_an_error_is_a_status_until_something_was_sent(upstream, at):
    """Then it is the last event of the stream, in OpenAI's envelope."""
    async with upstream() as it:
        it.emulator.faults.add(Fault(at=at, act="error", status=503, code="slow_down"))
        async with post(it, stream=True) as answer:
            text = await answer.text()
            assert (503 if "_create" == at[-7:] else 200) == answer.status
            assert '"code":"slow_down"' in text.replace(": ", ":")
            assert "[DONE]" not in text


async def test_a_refusal_at_the_door_has_its_own_body(upstream):
    """What stands before an upstream answers in any form."""
    async with upstream() as it:
        it.emulator.faults.add(Fault(at="handshake", act="refuse", status=502, body="nginx"))
        async with post(it) as answer:
            assert (502, "nginx") == (answer.status, await answer.text())


async def test_half_an_event_ends_in_a_reset(upstream):
    """The last thing that is read is the beginning of an error."""
    async with upstream() as it:
        it.emulator.faults.add(Fault(at="mid_delta", act="half"))
        async with post(it, stream=True) as answer:
            content = await received(answer)
        assert (True, False) == (b'"content"' in content, content.endswith(b"\n\n"))


async def test_a_stream_may_be_without_its_end(upstream):
    """Neither finish reason nor `[DONE]` come where the script leaves the terminal out."""
    async with upstream(Script(end_without_terminal=True)) as it:
        found = await chunks(it)
        assert [None] * 5 == [chunk["choices"][0]["finish_reason"] for chunk in found]
        assert "unfinished" == it.emulator.turns[-1].status


@pytest.mark.parametrize(
    ("ending", "reasons", "is_done"),
    [
        ("plain", ["stop"], True),
        ("twice", ["stop", "stop"], True),
        ("no_reason", [], True),
        ("no_done", ["stop"], False),
    ],
)
async def test_a_stream_may_end_oddly(upstream, ending, reasons, is_done):
    """With two finish chunks, without a reason, or without its end mark."""
    async with upstream(chat_ending=ending) as it:
        found = await chunks(it)
        assert is_done == ("[DONE]" == found[-1])
        choices = [choice for chunk in found if chunk != "[DONE]" for choice in chunk["choices"]]
        assert reasons == [each["finish_reason"] for each in choices if each["finish_reason"]]
