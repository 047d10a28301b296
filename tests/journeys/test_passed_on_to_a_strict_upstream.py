"""Official clients whose requests are passed on, before an upstream as strict as the real ones."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import pytest

from longwire.emulator import Emulator, Script
from tests.conftest import KEY, Gateway, serving
from tests.journeys.conftest import settings_of

CLAUDE, GPT = "claude-opus-4-6", "gpt-5.5"
CHANNELS = {
    CLAUDE: {"type": "anthropic"},
    GPT: {"apis": ["responses"], "transport": "http"},
    "gpt-5.4": {"apis": ["chat_completions"]},
}
CACHED = {"cache_control": {"type": "ephemeral"}}
RULES = {"type": "text", "text": "What everybody has to know of this project. " * 500, **CACHED}
TOOL = {"type": "object", "properties": {"path": {"type": "string"}}}


@asynccontextmanager
async def before_emulator(script: Script) -> AsyncIterator[Gateway]:
    """A gateway with a channel for each model, before an upstream that has nothing to complain."""
    async with Emulator(script=script) as emulator:
        own = {"base_url": f"{emulator.url}/v1", "api_key": "sk-upstream"}
        channels = tuple(
            {"name": model, "models": [model], **own, **channel}
            for model, channel in CHANNELS.items()
        )
        async with serving(settings_of(emulator.url, channels=channels)) as gateway:
            yield gateway
        assert [] == emulator.violations


@asynccontextmanager
async def claude_client(gateway: Gateway) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """Anthropic's own client."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    http = anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=bare)
    async with anthropic.AsyncAnthropic(
        base_url=gateway.url, api_key=KEY, max_retries=0, http_client=http
    ) as client:
        yield client


async def say(
    client: anthropic.AsyncAnthropic, history: list[Any], model: str, content: Any
) -> anthropic.types.Message:
    """Say something, and keep what was answered."""
    history.append({"role": "user", "content": content})
    async with client.messages.stream(
        model=model,
        max_tokens=2000,
        system=[RULES],
        messages=history,
        thinking={"type": "adaptive"},
        tools=[{"name": "read_file", "input_schema": TOOL}],
    ) as stream:
        message = await stream.get_final_message()
        assert (model != GPT) == (stream.response.headers["x-longwire-reason"] == "native_api")
    history.append({"role": "assistant", "content": [b.to_dict() for b in message.content]})
    return message


def results_of(message: anthropic.types.Message) -> list[dict[str, Any]]:
    """What the tools of a message gave."""
    return [
        {"type": "tool_result", "tool_use_id": block.id, "content": "42"}
        for block in message.content
        if block.type == "tool_use"
    ]


async def test_an_agent_of_messages_reads_its_own_cache():
    """Its marks stay where it set them, and its thinking is signed by who reads it again."""
    async with (
        before_emulator(Script(tool_rounds=1)) as gateway,
        claude_client(gateway) as client,
    ):
        history: list[Any] = []
        first = await say(client, history, CLAUDE, "What does it say?")
        second = await say(client, history, CLAUDE, results_of(first))
        third = await say(client, history, CLAUDE, "And now?")
    assert {"thinking", "tool_use"} <= {block.type for block in first.content}
    assert ("tool_use", "end_turn") == (first.stop_reason, second.stop_reason)
    written = first.usage.cache_creation_input_tokens
    assert 0 < written == second.usage.cache_read_input_tokens
    assert written == third.usage.cache_read_input_tokens


async def test_a_conversation_goes_from_model_to_model():
    """What one vendor's model thought is not shown to another's, and each goes on."""
    async with (
        before_emulator(Script(tool_rounds=0)) as gateway,
        claude_client(gateway) as client,
    ):
        history: list[Any] = []
        for model in (GPT, CLAUDE, GPT, CLAUDE, CLAUDE):
            message = await say(client, history, model, f"What do you say, {model}?")
            assert "thinking" in {block.type for block in message.content}
            assert "end_turn" == message.stop_reason


@pytest.mark.parametrize("streams", [False, True])
async def test_an_agent_of_chat_completions(client_of, streams):
    """Two turns with a tool between them, whole and streamed."""
    function = {"name": "read_file", "parameters": TOOL}
    async with before_emulator(Script(tool_rounds=1)) as gateway:
        completions = client_of(gateway).chat.completions
        members = {"model": "gpt-5.4", "tools": [{"type": "function", "function": function}]}
        history: list[Any] = [{"role": "user", "content": "What does it say?"}]
        reasons = []
        for _ in range(2):
            if streams:
                async with completions.stream(messages=history, **members) as stream:
                    choice = (await stream.get_final_completion()).choices[0]
            else:
                choice = (await completions.create(messages=history, **members)).choices[0]
            reasons.append(choice.finish_reason)
            history.append(choice.message.model_dump(exclude_none=True, exclude={"parsed"}))
            history += [
                {"role": "tool", "tool_call_id": call.id, "content": "42"}
                for call in choice.message.tool_calls or ()
            ]
    assert ["tool_calls", "stop"] == reasons
