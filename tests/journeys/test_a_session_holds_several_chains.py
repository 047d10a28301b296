"""Side calls, branches and parallel turns of one session: each keeps its own history."""

import asyncio

import pytest

from tests.journeys.agent import scripted, streamed, user, ways

SESSION = {"session-id": "s-1"}
TITLE = {"instructions": "Name this conversation in four words.", "tools": []}


async def together(*turns):
    """Take turns at the same moment."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(turn) for turn in turns]
    return [task.result() for task in running]


async def test_a_side_call_between_turns_leaves_the_main_chain_alone(emulator, hire):
    """A title generator with other properties gets a connection of its own, and keeps it."""
    main, title = hire(headers=SESSION), hire(headers=SESSION, **TITLE)
    assert ["fresh new_session", "continued"] == ways(await main.turns(2))
    assert "fresh new_branch" == (await title.say(user("Name: hi"))).way
    assert ["continued"] * 2 == ways(await main.turns(2))
    assert "continued" == (await title.say(user("Shorter."))).way
    assert ["continued"] * 2 == ways(await main.turns(2))
    assert 2 == emulator.counters.sockets_opened


async def test_a_side_call_during_a_turn_leaves_the_main_chain_alone(emulator, hire):
    """Both run at once, and afterwards each goes on where it was."""
    main, title = hire(headers=SESSION, ask=streamed), hire(headers=SESSION, **TITLE)
    await main.turns(2)
    during = await together(
        main.step(metadata=scripted(first_event_ms=60)),
        title.say(user("Name: hi"), metadata=scripted(first_event_ms=60)),
    )
    assert ["continued", "fresh new_branch"] == ways(during)
    during = await together(main.step(), title.say(user("Shorter.")))
    assert ["continued", "continued"] == ways(during)
    assert 2 == emulator.counters.sockets_opened


async def test_new_titles_do_not_need_new_connections(emulator, hire):
    """A side call that always begins anew does so on the connection that it used before."""
    main = hire(headers=SESSION)
    told = []
    for number in range(3):
        assert 0 < len(await main.turns(1))
        title = hire(headers=SESSION, **TITLE)
        told.append(await title.say(user(f"Name: {number}")))
    assert ["fresh new_branch"] + ["fresh history_rewritten"] * 2 == ways(told)
    assert 1 == len({turn.record.connection for turn in told})
    assert "continued" == (await main.step()).way
    assert 2 == emulator.counters.sockets_opened


@pytest.mark.parametrize("headers", [SESSION, None], ids=["session", "none"])
async def test_four_branches_run_at_once_and_each_goes_on(emulator, hire, headers):
    """Parallel turns never fail and never wait: one continues, the others open what they need."""
    trunk = hire(headers=headers)
    await trunk.turns(3)
    branches = [trunk.fork() for _ in range(4)]
    slow = scripted(first_event_ms=60)
    told = await together(
        *(agent.say(user(f"branch {n}"), metadata=slow) for n, agent in enumerate(branches))
    )
    assert ["continued"] + ["fresh"] * 3 == sorted(way.split()[0] for way in ways(told))
    assert 4 == len({turn.record.connection for turn in told})
    for _ in range(2):
        told = await together(*(agent.step(metadata=slow) for agent in branches))
        assert ["continued"] * 4 == ways(told)
    assert 4 == emulator.counters.sockets_opened


@pytest.mark.parametrize("headers", [SESSION, None], ids=["session", "none"])
async def test_eight_evaluations_of_one_prompt_run_at_once(emulator, hire, headers):
    """Identical openings are normal: eight connections, and then each chain is lent once."""
    agents = [hire(headers=headers) for _ in range(8)]
    slow = scripted(first_event_ms=80)
    told = await together(*(agent.say(user("the prompt"), metadata=slow) for agent in agents))
    assert {"fresh"} == {way.split()[0] for way in ways(told)}
    assert 8 == len({turn.record.connection for turn in told})
    told = await together(*(agent.step(metadata=slow) for agent in agents))
    assert ["continued"] * 8 == ways(told)
    assert 8 == len({turn.record.connection for turn in told})
    assert 8 == emulator.counters.sockets_opened


@pytest.mark.parametrize("tables", [{"sessions": {"max_connections_per_session": 2}}])
async def test_turns_beyond_the_cap_wait_and_none_fails(emulator, hire):
    """Six turns at once on two connections: all are answered, and no third one is opened."""
    agents = [hire(headers=SESSION) for _ in range(6)]
    slow = scripted(first_event_ms=20)
    told = await together(
        *(agent.say(user(f"prompt {n}"), metadata=slow) for n, agent in enumerate(agents))
    )
    assert {"completed"} == {turn.response.status for turn in told}
    assert {"completed"} == {(await agent.step()).response.status for agent in agents}
    assert 2 >= emulator.counters.sockets_peak


async def test_many_conversations_without_a_name_never_disturb_each_other(emulator, hire):
    """Turns of ten nameless conversations in any order: all but the first of each continue."""
    agents = [hire() for _ in range(10)]
    first = [await agent.say(user(f"conversation {n}")) for n, agent in enumerate(agents)]
    assert ["fresh new_session"] * 10 == ways(first)
    later = await together(*(agent.step() for agent in agents))
    later += [await agent.step() for agent in reversed(agents)]
    assert ["continued"] * 20 == ways(later)
    assert 10 == emulator.counters.sockets_opened
