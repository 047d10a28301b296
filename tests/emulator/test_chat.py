"""Chat Completions of the emulator: the same turns in another API, refused as strictly."""

import json

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
            content = b""
            try:
                async for chunk in answer.content.iter_any():
                    content += chunk
            except (OSError, aiohttp.ClientPayloadError):
                pass
            assert (True, False) == (b'"content"' in content, b"[DONE]" in content)
            assert (act == "error") == (b'data: {"error":{' in content)
        assert expected == it.emulator.turns[-1].status
