"""The real Codex CLI, which speaks Responses alone, at upstreams that speak anything else."""

import json

import pytest

from longwire.emulator import Script, digest
from longwire.emulator.carried import merged, numbered, said, spoken
from tests.journeys.codex import answer_of
from tests.journeys.conftest import settings_of

ROUNDS = 3
SHELL = Script(tool_rounds=ROUNDS, tool="exec_command", arguments='{"cmd":"echo hi"}')
CHANNELS = {
    "chat_completions": {"type": "openai", "apis": ["chat_completions"], "profile": "openai"},
    "messages": {"type": "anthropic"},
    "generate_content": {"type": "gemini"},
}
MODELS = {
    "chat_completions": "gpt-5.5",
    "messages": "claude-opus-4-6",
    "generate_content": "gemini-3-pro-preview",
}


@pytest.fixture(params=CHANNELS)
def api(request):
    """The only API that the upstream speaks."""
    return request.param


@pytest.fixture
async def gateway(emulator, serve, api):
    """A gateway with one channel of this API."""
    emulator.script = SHELL
    version = "v1beta" if api == "generate_content" else "v1"
    channel = {
        "name": "main",
        "base_url": f"{emulator.url}/{version}",
        "api_key": "sk-upstream",
        "models": ["none"],
        "renames": {"gpt-5.5": MODELS[api]},
        **CHANNELS[api],
    }
    return await serve(settings_of(emulator.url, channels=(channel,)))


def seen_of(api, instructions, items):
    """What a model is shown of a request over an API, as the oracle compares it."""
    if api == "messages":
        return digest(said(items, instructions))
    first = [{"role": "system", "content": instructions}] if instructions else []
    items = [*first, *functions(items)]
    return digest(numbered(merged(items)) if api == "generate_content" else spoken(items))


def functions(items):
    """Items whose calls of custom tools are calls of functions."""
    for item in items:
        kind = item.get("type", "message")
        plain = {**item, "type": kind.replace("custom_tool_call", "function_call")}
        if "input" in item:
            plain["arguments"] = json.dumps({"input": plain.pop("input")})
        yield plain


async def test_two_questions_with_tools(codex, emulator, overheard, api):
    """Each is three rounds of a tool, right at every turn, and answered in the end."""
    first = await codex.run("say hi")
    assert (first.code, first.answer) == (0, answer_of(emulator)), first.said
    second = await codex.run("resume", "--last", "and again")
    assert (second.code, second.answer) == (0, answer_of(emulator)), second.said
    assert 2 * (ROUNDS + 1) == len(emulator.turns)
    assert {api} == {turn.api for turn in emulator.turns}
    sent = {
        seen_of(api, *each) for each in zip(overheard.instructions, overheard.inputs(), strict=True)
    }
    assert sent.issuperset(turn.digest for turn in emulator.turns)
    last = overheard.inputs()[-1]
    outputs = [item for item in last if item.get("type") == "function_call_output"]
    assert 2 * ROUNDS == len(outputs)
    assert all("hi" in json.dumps(item["output"]) for item in outputs)
