"""Clients that send back all of a reply but its reasoning go on, and the model keeps its own."""

import pytest

from longwire.emulator import Options, digest
from tests.journeys.agent import MODEL, TOOLS, user
from tests.journeys.conftest import settings_of, websocket_channel

SESSIONS = {"none": {}, "header": {"session-id": "s-1"}}
MEMBERS = {"model": MODEL, "tools": TOOLS, "store": False}
MEMBERS["include"] = ["reasoning.encrypted_content"]


@pytest.fixture
def options():
    """An upstream that takes items by their ids without the reasoning before them."""
    return Options(needs_reasoning=False)


class Forgetful:
    """An agent whose client drops reasoning; `said` is all that was said, reasoning included."""

    def __init__(self, client, emulator):
        self._client = client
        self._emulator = emulator
        self._last = []
        self.history = []
        self.said = []

    async def turn(self):
        """Take a turn; return how it travelled, and what the model was shown."""
        calls = [item for item in self._last if item["type"].endswith("_call")]
        new = [
            {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": "done"}
            for call in calls
        ]
        await self._ask(*(new or [user(f"question {len(self.history)}")]))
        return self.way, self._emulator.turns[-1].digest

    async def _ask(self, *new):
        self.history += new
        self.said += new
        raw = await self._client.responses.with_raw_response.create(**MEMBERS, input=self.history)
        self.way = raw.headers["x-longwire-continuity"]
        self.asked = digest(self.history)
        self.meant = digest(self.said)
        self._last = [item.to_dict() for item in raw.parse().output]
        self.history += [item for item in self._last if item["type"] != "reasoning"]
        self.said += self._last


@pytest.mark.parametrize("headers", SESSIONS.values(), ids=SESSIONS)
async def test_every_turn_continues(emulator, gateway, client_of, headers):
    """With tools and with answers, on one connection; the model sees its own reasoning, too."""
    agent = Forgetful(client_of(gateway, headers=headers), emulator)
    for number in range(8):
        way, shown = await agent.turn()
        assert ("continued" if number else "fresh") == way
        assert agent.meant == shown
    assert agent.meant != agent.asked
    assert (1, 7) == (emulator.counters.sockets_opened, emulator.counters.creates_continued)


@pytest.mark.parametrize("tables", [{"sessions": {"omitted_reasoning": "fresh"}}])
async def test_the_strict_rule_shows_what_was_sent(emulator, gateway, client_of):
    """Who sets it has each turn begin anew, and the model see no reasoning but what came."""
    agent = Forgetful(client_of(gateway, headers=SESSIONS["header"]), emulator)
    for _ in range(4):
        way, shown = await agent.turn()
        assert "fresh" == way
        assert agent.asked == shown


async def test_without_a_connection_it_begins_anew(emulator, serve, client_of):
    """Over HTTP nothing is held, so the model sees what the client sent."""
    channel = websocket_channel(emulator.url, transport="http")
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    agent = Forgetful(client_of(gateway), emulator)
    for _ in range(3):
        way, shown = await agent.turn()
        assert "fresh" == way
        assert agent.asked == shown


async def test_part_of_the_reasoning_is_another_history(emulator, gateway, client_of):
    """Reasoning that comes back for one of two replies is all there or the past was rewritten."""
    agent = Forgetful(client_of(gateway, headers=SESSIONS["header"]), emulator)
    await agent.turn()
    thought = next(item for item in agent.said if item.get("type") == "reasoning")
    agent.history.append(thought)
    way, shown = await agent.turn()
    assert "fresh" == way
    assert agent.asked == shown
