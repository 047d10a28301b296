"""Turns that name a response or a conversation themselves travel exactly as given."""

import openai
import pytest

from longwire.emulator import digest
from tests.conftest import KEY
from tests.journeys.agent import Agent, streamed, user, ways, whole
from tests.journeys.conftest import OTHER_KEY, settings_of, websocket_channel

SESSION = {"session-id": "s-1"}
NEVER_ISSUED = "resp_0123456789abcdef"


async def refused(turn) -> openai.APIStatusError:
    """The error with which a turn is refused."""
    with pytest.raises(openai.APIStatusError) as caught:
        await turn
    return caught.value


@pytest.mark.parametrize("ask", [whole, streamed])
@pytest.mark.parametrize("session", [{"headers": SESSION}, {}], ids=["session", "none"])
async def test_a_held_response_is_continued_where_it_is_held(emulator, hire, session, ask):
    """A client that chains by itself stays on its connection, and is told its own ids."""
    agent = hire(ask=ask, tools=[], **session)
    first = await agent.step()
    everything, turns = [*agent.history], [first]
    for number in range(3):
        agent.history = [user(f"and {number}")]
        told = await agent.ask(previous_response_id=turns[-1].response.id)
        assert turns[-1].response.id == told.response.previous_response_id
        everything += agent.history
        turns.append(told)
    assert ["fresh new_session"] + ["as-given"] * 3 == ways(turns)
    heard = [item if isinstance(item, dict) else item.to_dict() for item in everything]
    assert digest(heard[: -len(turns[-1].response.output)]) == turns[-1].record.digest
    assert 1 == emulator.counters.sockets_opened


async def test_mixed_clients_are_right_at_every_turn(emulator, hire):
    """First a whole history, then an id, then a whole history again: never a wrong chain."""
    agent = hire(headers=SESSION, tools=[])
    turns = await agent.turns(2)
    chained = agent.fork()
    chained.history = [user("by its id")]
    told = await chained.ask(previous_response_id=turns[-1].response.id)
    assert ("as-given", turns[-1].record.connection) == (told.way, told.record.connection)
    turns = await agent.turns(2)
    assert "fresh" == turns[0].way.split()[0]
    assert "continued" == turns[1].way


@pytest.mark.parametrize("session", [{"headers": SESSION}, {}], ids=["session", "none"])
async def test_an_id_that_upstream_forgot_is_refused_in_its_words(emulator, hire, session):
    """The upstream's own error passes unchanged, and the next turn is right."""
    agent = hire(**session)
    turns = await agent.turns(3)
    forgotten = agent.fork()
    forgotten.history = [user("go on from there")]
    error = await refused(forgotten.ask(previous_response_id=turns[0].response.id))
    assert (400, "previous_response_not_found", "previous_response_id") == (
        error.status_code,
        error.code,
        error.param,
    )
    assert turns[0].response.id in error.message
    assert ["continued", "continued"] == ways(await agent.turns(2))


async def test_an_id_of_another_key_is_worth_nothing(emulator, hire):
    """A guessed id leads to no connection of its owner, whose next turn continues."""
    mine, theirs = hire(headers=SESSION), hire(key=OTHER_KEY, headers=SESSION)
    turns = await mine.turns(2)
    theirs.history = [user("what did they say?")]
    error = await refused(theirs.ask(previous_response_id=turns[-1].response.id))
    assert (400, "previous_response_not_found") == (error.status_code, error.code)
    connections = {record.connection for record in emulator.turns if record.items_in == 1}
    assert emulator.turns[-1].connection != turns[-1].record.connection
    assert 2 == len(connections)
    theirs.history = []
    assert ["continued", "continued"] == ways(await mine.turns(2))
    assert "fresh" == (await theirs.step()).way.split()[0]


async def test_an_id_nobody_ever_issued_is_refused_in_its_words(emulator, hire):
    """The upstream decides what it does not know; the session's chain is left alone."""
    agent = hire(headers=SESSION)
    await agent.turns(2)
    lost = agent.fork()
    error = await refused(lost.say(user("hi"), previous_response_id=NEVER_ISSUED))
    assert (400, "previous_response_not_found") == (error.status_code, error.code)
    assert 1 == len(emulator.violations)
    emulator.violations.clear()
    assert ["continued", "continued"] == ways(await agent.turns(2))


@pytest.mark.parametrize("transport", ["http", "auto", "websocket"])
@pytest.mark.parametrize("ask", [whole, streamed])
async def test_an_id_of_another_life_keeps_its_code(emulator, serve, client_of, transport, ask):
    """By it clients know that they must send everything again."""
    channel = websocket_channel(emulator.url, transport=transport)
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    agent = Agent(client_of(gateway), emulator, ask=ask)
    error = await refused(agent.say(user("hi"), previous_response_id="resp_of_another_life"))
    assert (400, "previous_response_not_found") == (error.status_code, error.code)
    emulator.violations.clear()


@pytest.mark.parametrize("conversation", ["conv_1", {"id": "conv_1"}])
async def test_a_conversation_is_the_upstreams_affair(emulator, hire, conversation):
    """It is passed on with its input, whole; what the upstream says of it passes back."""
    agent = hire(headers=SESSION)
    await agent.turns(2)
    other = agent.fork()
    other.history = [user("hi"), user("hi again")]
    error = await refused(other.ask(conversation=conversation))
    assert (404, "Conversation not found.") == (error.status_code, error.body["message"])
    assert 2 == emulator.turns[-1].items_in
    assert 1 == len(emulator.violations)
    emulator.violations.clear()
    assert ["continued", "continued"] == ways(await agent.turns(2))


async def test_a_stored_response_is_found_wherever_it_is(emulator, hire):
    """With `store` an older response can be continued, too: the upstream knows it."""
    agent = hire(headers=SESSION, store=True, tools=[])
    turns = await agent.turns(3)
    branch = hire(key=KEY, headers=SESSION, store=True, tools=[])
    branch.history = [user("back to the first")]
    told = await branch.ask(previous_response_id=turns[0].response.id)
    assert ("as-given", turns[0].response.id) == (told.way, told.response.previous_response_id)
    heard = [*turns[0].history, *turns[0].response.output, user("back to the first")]
    heard = [item if isinstance(item, dict) else item.to_dict() for item in heard]
    assert digest(heard) == told.record.digest
    assert "continued" == (await agent.step()).way
