"""The official Anthropic client: histories with thinking, a moving cache mark, and its threads."""

import pytest
from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient, beta_async_tool

from tests.conftest import KEY

QUESTIONS = ("How is the weather?", "And tomorrow?")
CONNECTION = [False, *[True] * 5]
"""Two questions with two rounds of tools each: six turns, all but the first continued."""
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "number"}},
}
REQUEST = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 8192,
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "system": [{"type": "text", "text": "You know the weather."}],
    "tools": [{"name": "weather", "description": "The weather", "input_schema": SCHEMA}],
}

pytestmark = pytest.mark.clients


@pytest.fixture
async def client(stage):
    """The official client, without retries."""
    http = DefaultAsyncHttpxClient(trust_env=False)
    async with AsyncAnthropic(
        base_url=stage.url, auth_token=KEY, api_key=None, max_retries=0, http_client=http
    ) as running:
        yield running


async def whole(client, messages):
    """Ask for one JSON answer."""
    return await client.messages.create(**REQUEST, messages=messages)


async def streamed(client, messages):
    """Ask through the client's streaming helper, and take its final message."""
    async with client.messages.stream(**REQUEST, messages=messages) as stream:
        return await stream.get_final_message()


def marked(messages):
    """The messages with the cache mark on the last block of the last one, as agents set it."""
    *before, last = messages
    *blocks, block = last["content"]
    mark = {"cache_control": {"type": "ephemeral"}}
    return [*before, {**last, "content": [*blocks, {**block, **mark}]}]


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_a_session_keeps_one_connection(ask, client, stage):
    """Six turns with thinking and parallel calls are one handshake, then only what is new."""
    messages = []
    for question in QUESTIONS:
        messages.append({"role": "user", "content": [{"type": "text", "text": question}]})
        while (message := await ask(client, marked(messages))).stop_reason == "tool_use":
            assert message.content[0].type in {"thinking", "redacted_thinking"}
            messages.append({"role": "assistant", "content": message.to_dict()["content"]})
            calls = [block.id for block in message.content if block.type == "tool_use"]
            assert 2 == len(calls)
            results = [
                {"type": "tool_result", "tool_use_id": call, "content": f"✓ {call}"}
                for call in calls
            ]
            messages.append({"role": "user", "content": results})
        messages.append({"role": "assistant", "content": message.to_dict()["content"]})
        assert stage.answer == message.content[-1].text
    assert CONNECTION == stage.continued()
    assert 1 == stage.emulator.counters.sockets_opened
    assert stage.said() == stage.seen()


@pytest.mark.parametrize("threads", [True, False], ids=["threads", "whole history"])
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
async def test_the_tool_runner_goes_on(threads, streams, client, stage):
    """It runs to its answer on one connection, also in a message thread, as by its default.

    It leaves out the tools of a thread that goes on, has to replay it, and gives threads up.
    """

    @beta_async_tool
    async def weather(city: str, days: float) -> str:
        """The weather in a city."""
        return f"{city}: ✓ {days}"

    runner = client.beta.messages.tool_runner(
        **{**REQUEST, "tools": [weather]},
        messages=[{"role": "user", "content": QUESTIONS[0]}],
        stream=streams,
        **({} if threads else {"thread": False}),
    )
    message = await runner.until_done()
    assert stage.answer == message.content[-1].text
    kinds = [one.body.get("thread", {}).get("type") for one in stage.recorder.turns("/v1/messages")]
    assert (["create", "create", None] if threads else [None] * 3) == kinds
    assert CONNECTION[:3] == stage.continued()
    assert 1 == stage.emulator.counters.sockets_opened
    assert stage.said() == stage.seen()
