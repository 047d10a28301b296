"""The real Claude Code, which speaks Messages alone, at upstreams that speak anything else."""

import json

import pytest

from longwire.emulator import Call, Options, Script
from tests.journeys.clients.conftest import MESSAGES, MODEL
from tests.journeys.clients.transcript import numbered
from tests.journeys.conftest import settings_of

ROUNDS = 3
TURNS = 2 * (ROUNDS + 1)
BASH = Call(tool="Bash", arguments=json.dumps({"command": "echo hi", "description": "Say hi"}))
READ = Call(tool="Read", arguments=json.dumps({"file_path": "/etc/hostname"}))
LOOK = {"description": "Look", "prompt": "Look around", "subagent_type": "Explore"}
AGENT = Call(tool="Agent", arguments=json.dumps(LOOK))
TOOLS = Script(tool_rounds=ROUNDS, calls=(BASH, READ))
CHANNELS = {
    "responses": {"renames": {"claude-*": MODEL}},
    "chat_completions": {
        "apis": ["chat_completions"],
        "profile": "deepseek",
        "renames": {"claude-*": "deepseek-v4-pro"},
    },
    "messages": {"type": "anthropic"},
    "generate_content": {"type": "gemini", "renames": {"claude-*": "gemini-3-pro-preview"}},
}
REASONS = {
    "responses": {"new_session", None},
    "chat_completions": {"translated"},
    "messages": {"native_api"},
    "generate_content": {"translated"},
}
IN_CALLS = [0, 1, 2, 3, 3, 4, 5, 6]
THOUGHTS = {
    "responses": [0] * TURNS,  # a session holds them
    "chat_completions": IN_CALLS,
    "messages": [*range(TURNS)],
    "generate_content": IN_CALLS,
}
"""How many of the model's thoughts came back in each turn: those that led to calls, at least."""

pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]


@pytest.fixture
def options():
    """Its Chat Completions are those of a vendor that wants its reasoning back."""
    return Options(chat_vendor="deepseek")


@pytest.fixture
def api():
    """The only API that the upstream speaks: that of Claude Code."""
    return "messages"


@pytest.fixture
async def gateway(emulator, serve, api):
    """A gateway with one channel of this API."""
    emulator.script = TOOLS
    version = "v1beta" if api == "generate_content" else "v1"
    address = {"base_url": f"{emulator.url}/{version}", "api_key": "sk-upstream"}
    channel = {"name": "main", **address, **CHANNELS[api]}
    return await serve(settings_of(emulator.url, channels=(channel,)))


@pytest.fixture
def ways(stage):
    """A function: in which APIs turns were asked for upstream, and why, as clients were told."""

    def found():
        replies = [one.reply_headers for one in stage.recorder.turns(MESSAGES)]
        return {(each["x-longwire-api"], each.get("x-longwire-reason")) for each in replies}

    return found


@pytest.mark.parametrize("api", CHANNELS)
async def test_two_questions_with_tools(claude_code, stage, api, ways):
    """Each is three rounds of tools, right at every turn, and answered in the end."""
    answers = await claude_code.converse("say hi", "and again")
    turns = stage.turns
    assert [f"context sha256:{turns[at].digest}" for at in (ROUNDS, -1)] == answers
    assert [api] * TURNS == [turn.api for turn in stage.emulator.turns]
    assert {(api, reason) for reason in REASONS[api]} == ways()
    assert THOUGHTS[api] == [turn.thoughts for turn in turns]
    assert [*map(numbered, stage.said())] == [*map(numbered, stage.seen())]


async def test_a_sub_agent_of_claudes(claude_code, stage, ways):
    """Its turns are passed on beside those of the main conversation, which goes on."""
    stage.emulator.script = Script(tool_rounds=2, calls=(AGENT, BASH))
    ran = await claude_code.run("say hi")
    assert (0, stage.answer) == (ran.code, ran.answer)
    assert 6 == len(stage.turns)
    assert {("messages", "native_api")} == ways()
    assert stage.said() == stage.seen()


async def test_a_compaction_of_claudes(claude_code, stage, ways):
    """The summary is asked for with the whole history, and takes its place."""
    await claude_code.run("say hi")
    before = len(stage.turns)
    stage.emulator.script = Script(tool_rounds=0)
    assert 0 == (await claude_code.run("--continue", "/compact")).code
    stage.emulator.script = TOOLS
    ran = await claude_code.run("--continue", "and on")
    assert (0, stage.answer) == (ran.code, ran.answer)
    summary, *after = stage.turns[before:]
    assert ROUNDS + 1 == len(after)
    assert after[0].items_rendered < summary.items_rendered
    assert {("messages", "native_api")} == ways()
    assert stage.said() == stage.seen()
