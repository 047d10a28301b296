"""Clients of Chat Completions: they resend everything each turn, and travel on one connection."""

import json
from typing import Any

import aiohttp
import pytest
from openai import APIError, APIStatusError, AsyncOpenAI, BadRequestError, RateLimitError

from longwire.emulator import Script
from tests.journeys.conftest import become, leased, settings_of, websocket_channel

TURNS = 9
WAYS = ["fresh new_session"] + ["continued"] * (TURNS - 1)
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "mcp__files__" + "read_" * 12,
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "lines": {"type": "number"}},
            },
        },
    },
    {"type": "custom", "custom": {"name": "patch"}},
]
SESSIONS = {"none": {}, "header": {"session-id": "s-1"}}
REASONING = {"extra_body": {"reasoning": {"effort": "low"}}}
FULL = {"code": "context_length_exceeded", "message": "Too long."}


class ChatAgent:
    """A client with one conversation, which it keeps as messages; `members` go into each body."""

    def __init__(self, client: AsyncOpenAI, **members: Any) -> None:
        self._client = client
        self._members = {"model": "gpt-5.5", "tools": TOOLS, **members}
        self.messages: list[Any] = [{"role": "system", "content": "Be brief, naïvely."}]
        self.ways: list[str] = []

    def speak(self) -> None:
        """Answer the calls of the last message, else ask a question."""
        calls = self.messages[-1].get("tool_calls") or []
        for number, call in enumerate(calls):
            text = f"gave ✓ {number}"
            self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
        if not calls:
            self.messages.append({"role": "user", "content": f"question {len(self.messages)}"})

    async def turn(self, **members: Any) -> Any:
        """Take one turn, and keep the answer as the client has it."""
        self.speak()
        request = {**self._members, "messages": self.messages, **members}
        raw = await self._client.chat.completions.with_raw_response.create(**request)
        headers = raw.headers
        reason = headers.get("x-longwire-reason", "")
        self.ways.append(f"{headers['x-longwire-continuity']} {reason}".strip())
        final = await self.added_up(raw.parse()) if request.get("stream") else raw.parse()
        message = final.choices[0].message
        self.messages.append(message if isinstance(message, dict) else message.model_dump())
        return final

    async def added_up(self, stream: Any) -> Any:
        """Add up chunks as most clients do: by themselves."""
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        async for chunk in stream:
            if not chunk.choices:
                final = chunk
                continue
            choice = chunk.choices[0]
            message["content"] += choice.delta.content or ""
            for part in choice.delta.model_dump(exclude_none=True).get("tool_calls", []):
                add_call(message.setdefault("tool_calls", []), part)
            for name in ("reasoning_content", "reasoning_details"):
                if (more := getattr(choice.delta, name, None)) is not None:
                    message[name] = message[name] + more if name in message else more
            final = chunk if choice.finish_reason else None
        final.choices = [type("Choice", (), {"message": message})()]
        return final


def add_call(calls: list[Any], part: dict[str, Any]) -> None:
    """Add a part of a call to the calls so far."""
    if part["index"] == len(calls):
        calls.append({name: value for name, value in part.items() if name != "index"})
        return
    for kind in ("function", "custom"):
        for name, text in part.get(kind, {}).items():
            calls[part["index"]][kind][name] += text


@pytest.fixture
def chat(client_of, gateway):
    """A function: `chat(headers, **members)` gives an agent with an empty history."""

    def make(headers: dict | None = None, **members: Any) -> ChatAgent:
        return ChatAgent(client_of(gateway, headers=headers), **members)

    return make


@pytest.mark.parametrize("members", [{}, REASONING], ids=["hidden", "reasoning"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
async def test_an_agent_continues_at_every_turn(emulator, chat, session, stream, members):
    """With tools, commentary and reasoning: one handshake, and only what is new is sent."""
    agent = chat(session, stream=stream, **members)
    for _ in range(TURNS):
        await agent.turn()
    assert WAYS == agent.ways
    assert (1, TURNS, TURNS - 1) == (
        emulator.counters.sockets_opened,
        emulator.counters.creates,
        emulator.counters.creates_continued,
    )
    names = {call["function"]["name"] for m in agent.messages for call in m.get("tool_calls") or ()}
    assert {TOOLS[0]["function"]["name"]} == names


async def test_an_agent_may_change_between_streamed_and_whole(emulator, chat):
    """Both say the same, so that the next turn continues either."""
    agent = chat()
    for number in range(6):
        await agent.turn(stream=bool(number % 2))
    assert WAYS[:6] == agent.ways


async def test_custom_tools_continue(emulator, chat):
    """Calls with free text, and their results."""
    emulator.script = Script(tool_rounds=2, parallel_calls=2, custom_tools=True)
    for stream in (False, True):
        agent = chat({"session-id": f"s-{stream}"}, stream=stream)
        for _ in range(5):
            await agent.turn()
        assert WAYS[:5] == agent.ways
        assert any("custom" in call for m in agent.messages for call in m.get("tool_calls") or ())


async def test_a_connection_that_was_lost_costs_one_turn(emulator, chat):
    """The whole history is sent again, with the reasoning that the client has kept, and goes on."""
    agent = chat({"session-id": "s-1"}, stream=True, **REASONING)
    for number in range(6):
        if number == 3:
            emulator.drop_connections()
        await agent.turn()
    assert ["continued"] * 2 == agent.ways[1:3]
    assert agent.ways[3].startswith("fresh ")
    assert ["continued"] * 2 == agent.ways[4:]


async def test_a_rewritten_history_begins_anew(chat):
    """A text that was changed is not what the upstream holds."""
    agent = chat({"session-id": "s-1"}, tools=[])
    await agent.turn()
    agent.messages[-1]["content"] += "!"
    await agent.turn()
    assert ["fresh new_session", "fresh history_rewritten"] == agent.ways


async def test_a_stop_sequence_cuts_the_answer(emulator, gateway, chat):
    """Streamed and whole; what was cut is not gone on from, but its connection serves again."""
    for stream in (False, True):
        agent = chat(
            {"session-id": f"s-{stream}"}, tools=[], stream=stream, stop=["sha256", "never"]
        )
        await agent.turn()
        assert "context " == agent.messages[-1]["content"]
        await become(lambda: leased(gateway) == 0)
        await agent.turn()
        assert "fresh answer_cut" == agent.ways[1]
    assert 2 == emulator.counters.sockets_opened


async def test_usage_is_told(chat):
    """Whole, and in the last chunk where that is wanted."""
    agent = chat(tools=[])
    first = await agent.turn()
    last = await agent.turn(stream=True, stream_options={"include_usage": True})
    for usage in (first.usage, last.usage):
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    assert last.usage.prompt_tokens_details.cached_tokens > 0


async def test_what_has_no_equivalent_is_named(client_of, serve, emulator):
    """In a header, where it is a hint; as an error, where it changes the answer.

    Unless an operator has it left out.
    """
    refusing, dropping = (
        websocket_channel(emulator.url, apis=["responses"], unsupported=unsupported)
        for unsupported in ("refuse", "drop")
    )
    client = client_of(await serve(settings_of(emulator.url, channels=(refusing,))))
    tolerant = client_of(await serve(settings_of(emulator.url, channels=(dropping,))))
    request = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "hi"}]}
    raw = await client.chat.completions.with_raw_response.create(**request, seed=7)
    assert ("seed", "responses") == (
        raw.headers["x-longwire-dropped"],
        raw.headers["x-longwire-api"],
    )
    with pytest.raises(BadRequestError) as caught:
        await client.chat.completions.create(**request, n=2)
    assert ("n", "invalid_request_error") == (caught.value.param, caught.value.type)
    raw = await tolerant.chat.completions.with_raw_response.create(**request, n=2)
    assert "n" == raw.headers["x-longwire-dropped"]
    assert 1 == len(raw.parse().choices)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_error_before_output_has_its_status(emulator, chat, stream):
    """The upstream's own, in the envelope that the official client reads."""
    error = {"code": "rate_limit_exceeded", "message": "Slow down"}
    emulator.script = Script(finish="failed:rate_limit_exceeded", error=error, output=False)
    with pytest.raises(APIStatusError) as caught:
        await chat(stream=stream).turn()
    assert isinstance(caught.value, RateLimitError)
    assert "rate_limit_exceeded" == caught.value.code


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_response_that_only_failed_is_an_error(emulator, chat, stream):
    """Though the upstream says it inside an answer: nothing was shown, so it has a status."""
    emulator.script = Script(finish="failed:context_length_exceeded", error=FULL, output=False)
    with pytest.raises(BadRequestError) as caught:
        await chat(stream=stream).turn()
    assert "context_length_exceeded" == caught.value.code


async def test_an_error_in_a_stream_is_raised(emulator, chat):
    """Nothing that was cut is taken for an answer."""
    error = {"code": "server_error", "message": "Broke"}
    emulator.script = Script(finish="failed:server_error", error=error, output=True)
    with pytest.raises(APIError, match="Broke"):
        await chat(stream=True).turn()


async def test_a_failed_answer_is_no_completion(emulator, chat):
    """Whole, too: an HTTP error, never a 200."""
    error = {"code": "server_error", "message": "Broke"}
    emulator.script = Script(finish="failed:server_error", error=error, output=True)
    with pytest.raises(APIStatusError) as caught:
        await chat().turn()
    assert 500 == caught.value.status_code


async def test_a_stream_on_the_wire(gateway):
    """A role at once, one end, `[DONE]`; no event has a name."""
    body = {
        "model": "gpt-5.5",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    }
    url = f"{gateway.url}/v1/chat/completions"
    async with (
        aiohttp.ClientSession(headers=gateway.headers) as client,
        client.post(url, json=body) as answer,
    ):
        lines = [line for line in (await answer.text()).split("\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert "data: [DONE]" == lines[-1]
    first = json.loads(lines[0].removeprefix("data: "))
    assert {"role": "assistant", "content": "", "refusal": None} == first["choices"][0]["delta"]
