"""A conversation that was compacted goes on, over either transport and either upstream."""

import pytest

from tests.journeys.agent import TOOLS, Agent, user, ways
from tests.journeys.conftest import settings_of, websocket_channel

HTTP = "fresh http_transport"


@pytest.fixture(params=["websocket", "http"])
def transport(request):
    """How turns go upstream."""
    return request.param


@pytest.fixture(params=["openai", "codex"])
async def gateway(request, emulator, serve, transport):
    """A gateway before one of the two kinds of upstream."""
    base = {"openai": "/v1", "codex": "/backend-api/codex"}[request.param]
    kind = {"type": request.param, "base_url": emulator.url + base, "handshake_rate": 0}
    channel = websocket_channel(emulator.url, **kind, transport=transport)
    return await serve(settings_of(emulator.url, channels=(channel,)))


async def test_a_compaction_item_begins_a_new_chain(hire, transport):
    """The trigger rides along, and what is left of the history is shown to the model as it is."""
    agent: Agent = hire(headers={"thread-id": "t-1"}, tools=TOOLS)
    first = await agent.turns(3)
    compacted = await agent.say({"type": "compaction_trigger"})
    (item,) = compacted.response.output
    assert item.type == "compaction"
    agent.history, agent.last = [user("as before"), item], ()
    rest = [await agent.say(user("go on")), *await agent.turns(2)]
    expected = {
        "websocket": ["fresh new_session", *["continued"] * 3],
        "http": [HTTP] * 4,
    }
    assert ways([*first, compacted]) == expected[transport]
    after = {"websocket": ["fresh history_rewritten", *["continued"] * 2], "http": [HTTP] * 3}
    assert ways(rest) == after[transport]
