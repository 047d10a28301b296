"""Threads towards Anthropic: later turns send only what is new, and what fails is never seen."""

import pytest
from openai import APIStatusError

from longwire.emulator import Fault, Options, Script
from tests.journeys.codex import Codex, answer_of
from tests.journeys.conftest import settings_of
from tests.journeys.test_messages_upstream import MODELS, TOOLS, Agent, channel

REASONING = {"effort": "high", "summary": "auto"}


@pytest.fixture
async def gateway(emulator, serve):
    """A gateway with one channel to Anthropic that keeps threads."""
    declared = channel(emulator, threads=True)
    return await serve(settings_of(emulator.url, channels=(declared,)))


@pytest.fixture
def agent(client_of, gateway, emulator):
    """An agent with an empty history."""
    return Agent(client_of(gateway), emulator, reasoning=REASONING)


def way(agent):
    """How the last turn travelled."""
    reason = agent.headers.get("x-longwire-reason", "")
    return f"{agent.headers['x-longwire-continuity']} {reason}".strip()


async def steps(agent, count):
    """How some turns travelled."""
    ways = []
    for _ in range(count):
        await agent.step()
        ways.append(way(agent))
    return ways


@pytest.mark.parametrize("model", MODELS)
async def test_later_turns_go_on_with_the_thread(agent, emulator, model):
    """Each is continued and sends only what is new, and the model sees the whole history."""
    agent.members["model"] = model
    assert ["fresh new_session", *["continued"] * 8] == await steps(agent, 9)
    sizes = [turn.bytes_in for turn in emulator.turns]
    assert max(sizes[1:]) < sizes[0]


@pytest.mark.parametrize("options", [Options(thread_lifetime=0.0)], ids=["expired"])
async def test_a_thread_that_is_gone_is_replayed_at_once(agent):
    """The client sees no 404: all is sent again, and begins another thread."""
    assert ["fresh new_session", *["fresh upstream_forgot"] * 3] == await steps(agent, 4)


@pytest.mark.parametrize("options", [Options(threads="unsupported")], ids=["unsupported"])
async def test_where_threads_are_not_supported_turns_stay_without(agent, emulator):
    """All is sent again without a thread, at once; later turns do not try again."""
    assert ["fresh translated"] * 3 == await steps(agent, 3)
    refused = [turn.status for turn in emulator.turns if turn.status.startswith("error")]
    assert ["error:invalid_request_error"] == refused


async def test_an_answer_that_was_cut_ends_the_thread(agent, emulator):
    """After the limit of tokens the next turn begins another one."""
    assert ["fresh new_session", "continued"] == await steps(agent, 2)
    emulator.script = Script(tool_rounds=0, finish="incomplete")
    assert ["continued"] == await steps(agent, 1)
    emulator.script = Script(tool_rounds=0)
    assert ["fresh new_session", "continued"] == await steps(agent, 2)


async def test_other_tools_begin_another_thread(agent):
    """What a thread was created with stays as it was."""
    await steps(agent, 2)
    agent.members["tools"] = TOOLS[:1]
    assert ["fresh properties_changed"] == await steps(agent, 1)
    assert 'tools[1] "' in agent.headers["x-longwire-changed"]
    assert ["continued"] == await steps(agent, 1)


async def test_a_history_that_branches_continues_once(agent, client_of, gateway, emulator):
    """A thread is one line: of two that share a history the second begins another one."""
    await steps(agent, 1)
    other = Agent(client_of(gateway), emulator, reasoning=REASONING)
    other.history, other.output = [*agent.history], agent.output
    assert ["continued"] == await steps(agent, 1)
    assert ["fresh new_branch", "continued"] == await steps(other, 2)


async def test_nothing_is_shared_between_callers(agent, client_of, gateway, emulator):
    """Another key with the same history begins a thread of its own."""
    await steps(agent, 1)
    other = Agent(client_of(gateway, "lw-key-of-somebody-else"), emulator, reasoning=REASONING)
    other.history, other.output = [*agent.history], agent.output
    assert ["fresh new_session"] == await steps(other, 1)


async def test_an_answer_that_broke_off_ends_the_thread(agent, client_of, gateway, emulator):
    """Nobody knows whether Anthropic has kept it, so the next turn begins another one."""
    await steps(agent, 1)
    emulator.faults.add(Fault(at="after_item", act="reset"))
    history = [*agent.history, *agent.following()]
    with pytest.raises(APIStatusError):
        await client_of(gateway).responses.create(**agent.members, input=history)
    assert ["fresh new_session", "continued"] == await steps(agent, 2)


async def test_codex_goes_on_with_a_thread(binary, gateway, emulator, tmp_path):
    """The real Codex CLI sends its whole history; Anthropic gets only what is new of it."""
    emulator.script = Script(tool_rounds=4, tool="exec_command", arguments='{"cmd":"echo hi"}')
    codex = Codex(binary, tmp_path, gateway.url, websockets=False)
    codex.set('model = "gpt-5.5"', f'model = "{MODELS[0]}"')
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    assert [False, *[True] * 4] == [turn.continued for turn in emulator.turns]


async def test_callers_without_a_key_are_in_no_thread(emulator, serve, client_of):
    """Nobody could tell whose session it is, so each turn is sent in full."""
    declared = channel(emulator, threads=True)
    server = {"allow_anonymous": True}
    settings = settings_of(emulator.url, channels=(declared,), api_keys=(), server=server)
    open_gateway = await serve(settings)
    stranger = Agent(client_of(open_gateway), emulator, reasoning=REASONING)
    assert ["fresh translated"] * 3 == await steps(stranger, 3)
