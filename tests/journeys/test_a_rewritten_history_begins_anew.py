"""Whatever a client changes in its past, the model sees the new past, and then it goes on."""

import json

import pytest

from longwire.emulator import Script
from tests.journeys.agent import TOOLS, scripted, user, ways

SESSION = {"session-id": "s-1"}
IDLESS = {"tools": []}


def idless(output):
    """Replay messages alone, without ids."""
    texts = [item.content[0].text for item in output if item.type == "message"]
    return [{"role": "assistant", "content": text} for text in texts]


def edited(history):
    """An earlier question is another one."""
    return [user("another question"), *history[1:]]


def cut(history):
    """The first questions and answers are gone; the last answer has its reasoning before it."""
    last = max(n for n, item in enumerate(history) if getattr(item, "role", "") == "assistant")
    return [user("what was before, in short"), *history[last - 1 : last + 1]]


def pruned(history):
    """Old outputs of tools are cleared."""
    return [
        {**item, "output": "[cleared]"}
        if isinstance(item, dict) and item.get("type", "").endswith("_output")
        else item
        for item in history
    ]


async def test_a_new_history_without_ids_begins_anew_on_the_same_socket(emulator, hire):
    """The prompt cache lives with the socket, so a rewritten history stays on it."""
    emulator.script = Script(reasoning=False)
    agent = hire(headers=SESSION, replay=idless, **IDLESS)
    turns = await agent.turns(3)
    agent.history = edited(agent.history)
    turns += await agent.turns(3)
    assert [
        "fresh new_session",
        "continued",
        "continued",
        "fresh history_rewritten",
        "continued",
        "continued",
    ] == ways(turns)
    assert 1 == emulator.counters.sockets_opened


@pytest.mark.parametrize("rewrite", [edited, cut, pruned])
async def test_a_new_history_with_ids_replaces_the_socket(emulator, hire, rewrite):
    """Upstreams refuse ids that a socket holds: a new socket, and the old one goes."""
    agent = hire(headers=SESSION)
    await agent.turns(6)
    agent.history = rewrite(agent.history)
    turns = await agent.turns(3)
    assert ["fresh history_rewritten", "continued", "continued"] == ways(turns)
    assert (2, 1) == (emulator.counters.sockets_opened, emulator.counters.sockets_open)


async def test_a_step_back_is_a_rewritten_history(emulator, hire):
    """A client that takes back its last turns begins anew from there."""
    agent = hire(headers=SESSION)
    await agent.turns(3)
    back, last = [*agent.history], agent.last
    await agent.turns(2)
    agent.history, agent.last = back, last
    assert ["fresh history_rewritten", "continued"] == ways(await agent.turns(2))


async def test_the_same_turn_again_begins_anew(emulator, hire):
    """A retry of an answered turn has nothing new to send: it travels in full, and goes on."""
    agent = hire(headers=SESSION)
    await agent.turns(3)
    before = [*agent.history, user("again?")]
    turns = []
    for _ in range(3):
        agent.history = [*before]
        turns.append(await agent.ask())
    turns += await agent.turns(2)
    assert ["continued"] + ["fresh history_rewritten"] * 2 + ["continued"] * 2 == ways(turns)
    assert 1 == emulator.counters.sockets_open


@pytest.mark.parametrize(
    ("plus", "way"), [(0, "continued"), (1e-9, "fresh history_rewritten")], ids=["same", "other"]
)
async def test_a_number_is_its_value(plus, way, emulator, hire):
    """1.50 comes back as 1.5 from clients that parse arguments, and is no other history."""
    tool = {
        "type": "function",
        "name": "pay",
        "parameters": {"type": "object", "properties": {"sum": {"type": "number"}}},
    }

    def rewritten(output):
        for item in output:
            given = item.to_dict()
            if item.type == "function_call":
                assert "1.50" in item.arguments
                given["arguments"] = json.dumps({"sum": json.loads(item.arguments)["sum"] + plus})
            yield given

    agent = hire(headers=SESSION, tools=[tool], replay=lambda output: list(rewritten(output)))
    turns = await agent.turns(3)
    assert ["fresh new_session", way] == ways(turns[:2])


@pytest.mark.parametrize(
    "change",
    [
        {"reasoning": {"effort": "high"}},
        {"tools": TOOLS[:1]},
        {"instructions": "Answer in one word."},
        {"tool_choice": "none"},
        {"extra_body": {"parallel_tool_calls": False}},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_changed_properties_travel_in_full_and_go_on(emulator, hire, change):
    """A conversation whose effort or tools change is sent anew, on one connection in the end."""
    agent = hire(headers=SESSION)
    await agent.turns(3)
    agent.members |= change
    turns = await agent.turns(3)
    assert ["fresh properties_changed", "continued", "continued"] == ways(turns)
    assert (2, 1) == (emulator.counters.sockets_opened, emulator.counters.sockets_open)


async def test_changed_properties_without_ids_stay_on_the_socket(emulator, hire):
    """Nothing that the socket holds is sent again, so it serves the changed turn, too."""
    emulator.script = Script(reasoning=False)
    agent = hire(headers=SESSION, replay=idless, **IDLESS)
    turns = await agent.turns(2)
    agent.members["instructions"] = "Answer in one word."
    turns += await agent.turns(2)
    assert ["fresh new_session", "continued", "fresh properties_changed", "continued"] == ways(
        turns
    )
    assert 1 == emulator.counters.sockets_opened


@pytest.mark.parametrize(
    ("finish", "then"),
    [
        ("failed:server_error", "fresh turn_failed"),
        ("cancelled", "fresh turn_failed"),
        ("incomplete", "continued"),
    ],
)
async def test_the_turn_after_one_that_did_not_complete_is_right(emulator, hire, finish, then):
    """Failed and cancelled turns are forgotten, incomplete ones continued."""
    agent = hire(headers=SESSION)
    await agent.turns(3)
    before, last = [*agent.history], agent.last
    told = await agent.step(metadata=scripted(finish=finish))
    assert (finish.partition(":")[0], "continued") == (told.response.status, told.way)
    if then != "continued":
        agent.history, agent.last = before, last
    assert [then, "continued", "continued"] == ways(await agent.turns(3))
    assert 1 == emulator.counters.sockets_open
