"""The official OpenAI client in Chat Completions: its history in each turn, one connection."""

import pytest
from pydantic import BaseModel

from tests.journeys.clients.conftest import MODEL

QUESTIONS = ("How is the weather?", "And tomorrow?")
CONNECTION = [False, *[True] * 5]
"""Two questions with two rounds of tools each: six turns, all but the first continued."""
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "number"}},
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}

pytestmark = pytest.mark.clients


class Trip(BaseModel):
    city: str
    days: int


async def whole(client, messages):
    """Ask for one JSON answer."""
    reply = await client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
    return reply.choices[0].message


async def streamed(client, messages):
    """Ask through the client's streaming helper, and take its final completion."""
    chat = client.chat.completions
    async with chat.stream(
        model=MODEL, messages=messages, tools=[TOOL], stream_options={"include_usage": True}
    ) as stream:
        reply = await stream.get_final_completion()
    assert reply.usage.prompt_tokens > 0
    return reply.choices[0].message


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_a_session_keeps_one_connection(ask, client_of, stage):
    """Six turns with parallel calls are one handshake, then only what is new."""
    messages = [{"role": "system", "content": "You know the weather."}]
    async with client_of(stage) as client:
        for question in QUESTIONS:
            messages.append({"role": "user", "content": question})
            while (message := await ask(client, messages)).tool_calls:
                messages.append(message.to_dict())
                calls = [call.id for call in message.tool_calls]
                assert 2 == len(calls)
                messages += [
                    {"role": "tool", "tool_call_id": call, "content": f"✓ {call}"} for call in calls
                ]
            messages.append(message.to_dict())
            assert stage.answer == message.content
    assert CONNECTION == stage.continued()
    assert 1 == stage.emulator.counters.sockets_opened
    assert stage.said() == stage.seen()


async def test_a_model_is_parsed(client_of, stage):
    """`parse()` gives the object that its class describes."""
    async with client_of(stage) as client:
        reply = await client.chat.completions.parse(
            model=MODEL,
            messages=[{"role": "user", "content": "Plan a trip"}],
            response_format=Trip,
        )
    assert Trip(city="naïve ✓ 0", days=7) == reply.choices[0].message.parsed
    assert stage.said() == stage.seen()
