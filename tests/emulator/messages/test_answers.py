"""Messages and Responses are two tongues of one model: same context, same digest, same answer."""

import json

import pytest
from anthropic import AsyncAnthropic

from longwire.emulator import Script, digest, said

RESPONSES_TOOL = {
    "type": "function",
    "name": "read",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
}


def results(message):
    """The user's message that answers all calls of an answer."""
    calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
    blocks = [{"type": "tool_result", "tool_use_id": call, "content": "done"} for call in calls]
    return {"role": "user", "content": blocks}


def answered(message):
    """An answer as a client sends it back."""
    return {"role": "assistant", "content": message["content"]}


async def test_whole_answer_is_a_message(claude, user, tool, thinking):
    """Thinking, text with the digest, and a call, with the usage of all."""
    async with claude() as it:
        message = await it.answer(user, tools=[tool], thinking=thinking)
        kinds = [block["type"] for block in message["content"]]
        assert ["thinking", "text", "tool_use"] == kinds
        assert digest([user]) in message["content"][1]["text"]
        assert ("message", "assistant", "tool_use") == (
            message["type"],
            message["role"],
            message["stop_reason"],
        )
        (turn,) = it.emulator.turns
        assert (message["id"], digest([user]), "completed", "messages") == (
            turn.response_id,
            turn.digest,
            turn.status,
            turn.api,
        )
        assert turn.input_tokens == message["usage"]["input_tokens"]


async def test_stream_adds_up_to_the_whole_answer(claude, user, tool, thinking):
    """Every block of the stream, put together from its deltas, is that of the whole answer."""
    async with claude(Script(parallel_calls=2)) as it:
        members = {"tools": [tool], "thinking": thinking}
        whole = await it.answer(user, **members)
        events = await it.events(user, **members)
        assert whole["content"] == blocks_of(events)
        assert ["message_start", "ping"] == [event["type"] for event in events[:2]]
        assert ["message_delta", "message_stop"] == [event["type"] for event in events[-2:]]
        usage = events[0]["message"]["usage"] | events[-2]["usage"]
        assert (whole["usage"], whole["stop_reason"]) == (usage, events[-2]["delta"]["stop_reason"])


def blocks_of(events):
    """The blocks of a stream from their deltas."""
    blocks, texts = [], {}
    for event in events:
        if event["type"] == "content_block_start":
            assert len(blocks) == event["index"]
            blocks.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            name = delta["type"].removesuffix("_delta")
            if name == "input_json":
                texts[event["index"]] = texts.get(event["index"], "") + delta["partial_json"]
            else:
                block[name] += delta[name]
    for index, text in texts.items():
        blocks[index]["input"] = json.loads(text or "{}")
    return blocks


async def test_one_history_has_one_digest_in_both_tongues(claude, upstream, user, tool, thinking):
    """A conversation with system, thinking, parallel calls and results, said over both APIs."""
    script = Script(parallel_calls=2)
    async with claude(script) as it, upstream(script) as other:
        first = await it.answer(user, system="Be brief.", tools=[tool], thinking=thinking)
        history = [user, answered(first), results(first)]
        await it.answer(*history, system="Be brief.", tools=[tool], thinking=thinking)
        text, *calls = [block for block in first["content"] if block["type"] != "thinking"]
        items = [
            {"role": "developer", "content": "Be brief."},
            user,
            {"role": "assistant", "content": text["text"]},
            *(
                {
                    "type": "function_call",
                    "call_id": call["id"],
                    "name": "read",
                    "arguments": json.dumps(call["input"], indent=2),
                }
                for call in calls
            ),
            *(
                {"type": "function_call_output", "call_id": call["id"], "output": "done"}
                for call in calls
            ),
        ]
        async with other.post({"input": items, "tools": [RESPONSES_TOOL]}) as answer:
            assert 200 == answer.status
        turns = it.emulator.turns
        assert digest(items) == other.emulator.turns[-1].digest == turns[-1].digest
        assert (7, 1) == (turns[-1].items_rendered, turns[-1].thoughts)


@pytest.mark.parametrize(
    ("items", "messages"),
    [
        (
            [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
            [{"role": "user", "content": [{"type": "text", "text": text} for text in "ab"]}],
        ),
        (
            [
                {"role": "user", "content": "a"},
                {"type": "reasoning", "summary": [], "encrypted_content": "x"},
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
                {"role": "user", "content": "b"},
            ],
            [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "no"},
                {"role": "user", "content": "b"},
            ],
        ),
        (
            [
                {"role": "user", "content": [{"type": "input_image", "image_url": "https://a/b"}]},
                {
                    "type": "custom_tool_call",
                    "call_id": "c",
                    "name": "read",
                    "input": "x",
                },
                {"type": "custom_tool_call_output", "call_id": "c", "output": "y"},
            ],
            [
                {
                    "role": "user",
                    "content": [{"type": "image", "source": {"type": "url", "url": "https://a/b"}}],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "tool_use", "id": "c", "name": "read", "input": {"input": "x"}}
                    ],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "c", "content": "y"}],
                },
            ],
        ),
    ],
    ids=["users side by side", "reasoning and refusal", "image and custom tool"],
)
async def test_items_are_compared_as_messages_can_say_them(claude, tool, items, messages):
    """`said` gives of items of Responses those that the same conversation is here."""
    async with claude() as it:
        await it.answer(*messages, system="S", tools=[tool])
        assert digest(said(items, "S")) == it.emulator.turns[-1].digest


async def test_official_client_holds_a_conversation(claude, user, tool, thinking):
    """Streams and whole answers, parsed by the official client, with its own way to replay."""
    async with (
        claude(Script(tool_rounds=2, parallel_calls=2)) as it,
        AsyncAnthropic(base_url=it.emulator.url, api_key="sk-one", max_retries=0) as client,
    ):
        asked = {"model": "claude-opus-5-5", "max_tokens": 1000}
        asked |= {"tools": [tool], "thinking": thinking}
        history = [user]
        for number in range(3):
            if number % 2:
                async with client.messages.stream(messages=history, **asked) as stream:
                    message = await stream.get_final_message()
            else:
                message = await client.messages.create(messages=history, **asked)
            calls = [block.id for block in message.content if block.type == "tool_use"]
            history.append({"role": "assistant", "content": message.content})
            history.append(results(message.to_dict()))
        assert ([], "end_turn", []) == (calls, message.stop_reason, it.emulator.violations)
        counted = await client.messages.count_tokens(model="m", messages=[user])
        assert counted.input_tokens > 0


@pytest.mark.parametrize("prefix", ["/v1", "/anthropic/v1"])
async def test_models_are_of_the_tongue_that_asks(claude, prefix):
    """Who names a version gets Anthropic's list; on the shared route others get OpenAI's."""
    async with claude(models=("a", "b")) as it:
        url = f"{it.emulator.url}{prefix}/models"
        headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
        async with it.session.get(url, params={"limit": 1}, headers=headers) as answer:
            listed = await answer.json()
        assert (["a"], True, "model") == (
            [model["id"] for model in listed["data"]],
            listed["has_more"],
            listed["data"][0]["type"],
        )
        async with it.session.get(f"{url}/b", headers=headers) as answer:
            assert "b" == (await answer.json())["id"]
        if prefix == "/v1":
            async with it.session.get(url, headers={"authorization": "Bearer k"}) as answer:
                assert "list" == (await answer.json())["object"]
