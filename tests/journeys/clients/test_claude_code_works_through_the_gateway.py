"""The real Claude Code through a gateway: what continues, what costs nothing, what strikes."""

import json

import pytest

from longwire.emulator import Call, Fault, Script
from tests.journeys.clients.conftest import MESSAGES

ROUNDS = 4
BASH = Call(tool="Bash", arguments=json.dumps({"command": "echo hi", "description": "Say hi"}))
READ = Call(tool="Read", arguments=json.dumps({"file_path": "/etc/hostname"}))
LOOK = {"description": "Look", "prompt": "Look around", "subagent_type": "Explore"}
AGENT = Call(tool="Agent", arguments=json.dumps(LOOK))
SEARCH = Call(tool="WebSearch", arguments=json.dumps({"query": "warm sessions"}))
TOOLS = Script(tool_rounds=ROUNDS, calls=(BASH, READ))
ANSWER = Script(tool_rounds=0)
QUESTION = [False, *[True] * ROUNDS]
"""The turns of a first question: all but the first continued."""

pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]


@pytest.fixture
def asked(stage):
    """A function: how many turns were asked for, answered or not."""
    return lambda: sum((one.method, one.path) == ("POST", MESSAGES) for one in stage.recorded)


async def test_two_questions_keep_one_connection(claude_code, stage):
    """Four tool rounds each are one handshake, and what is new goes alone."""
    stage.emulator.script = TOOLS
    answers = await claude_code.converse("say hi", "and again")
    turns = stage.turns
    assert [f"context sha256:{turns[at].digest}" for at in (ROUNDS, -1)] == answers
    assert [*QUESTION, *[True] * (ROUNDS + 1)] == stage.continued()
    assert 1 == stage.emulator.counters.sockets_opened
    assert stage.said() == stage.seen()


async def test_a_session_is_taken_up_again(claude_code, stage):
    """A new process goes on with the session; its tool rounds continue.

    Its first turn is fresh, and rightly so: this version then leaves a reminder out of its first
    message.
    """
    stage.emulator.script = TOOLS
    first = await claude_code.run("say hi")
    assert (0, stage.answer) == (first.code, first.answer)
    second = await claude_code.run("--continue", "and again")
    assert (0, stage.answer) == (second.code, second.answer)
    assert first.result["session_id"] == second.result["session_id"]
    assert QUESTION * 2 == stage.continued()
    assert stage.said() == stage.seen()


async def test_a_sub_agent_costs_the_main_chain_nothing(claude_code, stage):
    """It has a connection of its own; the main conversation goes on as if it were not there."""
    stage.emulator.script = Script(tool_rounds=2, calls=(AGENT, BASH))
    ran = await claude_code.run("say hi")
    assert (0, stage.answer) == (ran.code, ran.answer)
    assert ([False, True, True], [False, True, True]) == stage.main_and_beside()
    assert 2 == stage.emulator.counters.sockets_opened
    assert stage.said() == stage.seen()


async def test_a_search_costs_the_main_chain_nothing(claude_code, stage):
    """It is asked for in a turn of its own, with the search for its only tool."""
    stage.emulator.script = Script(tool_rounds=2, calls=(SEARCH, BASH), searches=True)
    ran = await claude_code.run("say hi")
    assert (0, stage.answer) == (ran.code, ran.answer)
    assert ([False, True, True], [False]) == stage.main_and_beside()
    assert stage.said() == stage.seen()


async def test_a_compaction_begins_a_new_chain(claude_code, stage):
    """The summary is asked for beside the chain; then the short history goes once in full."""
    stage.emulator.script = TOOLS
    await claude_code.run("say hi")
    before = len(stage.turns)
    stage.emulator.script = ANSWER
    assert 0 == (await claude_code.run("--continue", "/compact")).code
    stage.emulator.script = TOOLS
    ran = await claude_code.run("--continue", "and on")
    assert (0, stage.answer) == (ran.code, ran.answer)
    summary, *after = stage.turns[before:]
    assert not summary.continued
    assert QUESTION == [turn.continued for turn in after]
    assert after[0].items_rendered < summary.items_rendered
    assert stage.said() == stage.seen()


async def test_its_context_is_counted_beside_the_chain(claude_code, stage):
    """`/context` has every part of it counted, and takes no turn."""
    stage.emulator.script = TOOLS
    await claude_code.run("say hi")
    before = len(stage.emulator.turns)
    ran = await claude_code.run("--continue", "/context")
    assert 0 == ran.code
    assert "Tokens" in ran.answer
    counts = [one.status for one in stage.recorded if one.path == f"{MESSAGES}/count_tokens"]
    assert len(counts) > 10
    assert {200} == set(counts)
    assert before == len(stage.emulator.turns)


async def test_a_refused_key_ends_it_at_once(claude_code, stage, asked):
    """It asks once, and says why, where it would otherwise try again for minutes."""
    ran = await claude_code.run("say hi", ANTHROPIC_AUTH_TOKEN="lw-key-of-nobody")
    assert (1, 1) == (ran.code, asked())
    assert "authentication_error" in ran.answer


async def test_a_full_context_is_compacted(claude_code, stage, asked):
    """It hears that the prompt is too long in the words it knows, and can be compacted."""
    stage.emulator.script = TOOLS
    await claude_code.run("say hi")
    before = asked()
    full = Fault(at="before_create", act="error", code="context_length_exceeded", status=400)
    stage.emulator.faults.add(full)
    ran = await claude_code.run("--continue", "and again")
    assert (1, "Prompt is too long", 1) == (ran.code, ran.answer, asked() - before)
    stage.emulator.script = ANSWER
    assert 0 == (await claude_code.run("--continue", "/compact")).code
    ran = await claude_code.run("--continue", "and again")
    assert (0, stage.answer) == (ran.code, ran.answer)
    assert stage.said() == stage.seen()
