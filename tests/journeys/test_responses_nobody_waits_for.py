"""`on_client_gone = "drain"`: the rest of a response is read for the sake of its chain."""

import pytest

from tests.journeys.agent import scripted, streamed, user, ways
from tests.journeys.conftest import become, leased
from tests.journeys.wire import event_of, wire

SESSION = {"session-id": "s-1"}
DRAINING = {"on_client_gone": "drain"}


@pytest.fixture
def tables():
    """A gateway that drains."""
    return {"sessions": DRAINING}


def body_of(agent, *items, **members):
    """The next turn of an agent, as its client would send it over a stream."""
    history = [item if isinstance(item, dict) else item.to_dict() for item in agent.history]
    return {**agent.members, "input": [*history, *items], "stream": True, **members}


async def vanish(gateway, agent, moment, **script):
    """Ask a question and go away at the first event of a name."""
    async with wire(gateway.url) as client:
        slow = scripted(delay_ms=10, **script)
        client.post(body_of(agent, user("hi"), metadata=slow), session_id="s-1")
        await client.until(event_of(moment))
        assert 1 == leased(gateway)
        client.vanish()


@pytest.mark.parametrize("moment", ["response.created", "response.output_text.delta"])
async def test_the_chain_goes_on_with_what_nobody_heard(emulator, gateway, hire, moment):
    """The upstream ends its answer, and who comes back with that answer continues it."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    twin = hire(headers={"session-id": "twin"}, tools=[])
    for each in (agent, twin):
        await each.turns(2)
    await vanish(gateway, agent, moment)
    await become(lambda: leased(gateway) == 0)
    assert "completed" == emulator.turns[-1].status
    heard = await twin.say(user("hi"), metadata=scripted(delay_ms=10))
    agent.history += [user("hi"), *heard.response.output]
    agent.last = heard.response.output
    assert ["continued", "continued"] == ways(await agent.turns(2))
    assert (2, 0) == (emulator.counters.sockets_opened, emulator.counters.cancelled)


async def test_who_comes_back_without_it_begins_anew(emulator, gateway, hire):
    """The client asks once more, as if nothing had been: it is shown its own history alone."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    await agent.turns(2)
    await vanish(gateway, agent, "response.created")
    await become(lambda: leased(gateway) == 0)
    assert ["fresh history_rewritten", "continued"] == ways(await agent.turns(2))


async def test_who_comes_back_early_does_not_wait(emulator, gateway, hire):
    """While the rest is still read another connection serves."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    await agent.turns(2)
    await vanish(gateway, agent, "response.created", first_event_ms=0, deltas=200)
    assert ["fresh new_branch", "continued"] == ways(await agent.turns(2))
    assert 1 == leased(gateway)
    await become(lambda: leased(gateway) == 0)
    assert (2, 0) == (emulator.counters.sockets_open, emulator.counters.cancelled)


@pytest.mark.parametrize("tables", [{"sessions": {**DRAINING, "drain_timeout": "100ms"}}])
async def test_it_is_not_read_for_ever(emulator, gateway, hire):
    """After `drain_timeout` the connection is closed, as it would be without draining."""
    agent = hire(headers=SESSION, ask=streamed, tools=[])
    await agent.turns(2)
    await vanish(gateway, agent, "response.created", deltas=2000)
    await become(lambda: gateway.app.pool.ledger.live == 0)
    await become(lambda: emulator.counters.sockets_open == 0)
    assert "cancelled" == emulator.turns[-1].status
    assert ["fresh connection_lost", "continued"] == ways(await agent.turns(2))
