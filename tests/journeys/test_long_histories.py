"""Histories of megabytes: sent once, then only what is new; and told clearly what is too long."""

import openai
import pytest

from tests.journeys.agent import Agent, scripted, user, ways
from tests.journeys.conftest import settings_of, websocket_channel

SESSION = {"session-id": "s-1"}
MEBIBYTE = 1024 * 1024


async def test_two_megabytes_travel_once(emulator, hire):
    """The history arrives whole, and later turns send only their new items."""
    agent = hire(headers=SESSION)
    agent.history = [user(f"{number} naïve ✓ " * 2000) for number in range(80)]
    turns = await agent.turns(4)
    assert ["fresh new_session"] + ["continued"] * 3 == ways(turns)
    assert 2 * MEBIBYTE < turns[0].record.bytes_in
    assert 4096 > max(told.record.bytes_in for told in turns[1:])
    assert 1 == emulator.counters.sockets_opened


async def test_a_history_beyond_the_largest_frame_goes_on_while_its_chain_lives(emulator, hire):
    """No frame holds such a history, but what is new fits; once it must travel whole, it is 413."""
    agent = hire(headers=SESSION, tools=[])
    turns = [await agent.say(user(letter * (9 * MEBIBYTE))) for letter in "xy"]
    assert ["fresh new_session", "continued"] == ways(turns)
    before = [*agent.history]
    agent.history[0] = user("z" * (9 * MEBIBYTE))
    with pytest.raises(openai.APIStatusError) as caught:
        await agent.step()
    assert (413, "request_too_large") == (caught.value.status_code, caught.value.code)
    agent.history = before
    assert "continued" == (await agent.step()).way
    assert 1 == emulator.counters.sockets_open


async def test_a_first_turn_beyond_the_largest_frame_is_refused_clearly(emulator, hire):
    """413 names the limit, nothing reaches the upstream, and the session goes on."""
    agent = hire(headers=SESSION)
    with pytest.raises(openai.APIStatusError) as caught:
        await agent.say(user("x" * (16 * MEBIBYTE)))
    assert (413, "request_too_large") == (caught.value.status_code, caught.value.code)
    assert "is larger than the upstream takes in one message" in caught.value.message
    assert 0 == emulator.counters.creates
    agent.history = []
    turns = await agent.turns(2)
    assert ["fresh new_session", "continued"] == ways(turns)


async def test_a_long_answer_is_continued(emulator, hire):
    """Many items of a long answer come back from the client and are known."""
    agent = hire(headers=SESSION, tools=[])
    long = scripted(text_bytes=3_000_000, item_bytes=100_000, deltas=1)
    first = await agent.step(metadata=long)
    assert 30 < len(first.response.output)
    turns = await agent.turns(2)
    assert ["continued", "continued"] == ways(turns)
    assert 4096 > max(told.record.bytes_in for told in turns)


async def test_a_dozen_screenshots_go_over_http(emulator, serve, client_of):
    """With both transports the session goes on, past what a frame holds, and stays there."""
    channel = websocket_channel(emulator.url, transport="auto")
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    agent = Agent(client_of(gateway, headers=SESSION), emulator)
    shot = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 1_450_000}
    agent.history = [{"role": "user", "content": [shot]} for _ in range(12)]
    turns = await agent.turns(2)
    assert ["http"] * 2 == [turn.transport for turn in turns]
    assert 16 * MEBIBYTE < turns[0].record.bytes_in
    assert 0 == emulator.counters.creates_continued
