"""What a channel sets, defaults and removes, in message threads and in what is said to Gemini."""

from dataclasses import replace

import pytest

from longwire.emulator import Options, Script
from longwire.settings.channels import Override
from tests.journeys.clients.recorder import recording
from tests.journeys.conftest import settings_of
from tests.journeys.test_gemini_upstream import Agent as GeminiAgent
from tests.journeys.test_message_threads import steps
from tests.journeys.test_messages_upstream import MODELS, Agent

CLAUDE, OLDER = MODELS
TEAM = {"action": "set", "header": "x-team", "value": "blue"}
TIER = {"action": "default", "member": "service_tier", "value": "standard_only"}
USER = {"action": "set", "member": "metadata.user_id", "value": "blue"}
CHOICE = {"action": "remove", "member": "tool_choice"}
BRIEF = {"action": "set", "member": "system", "value": "Be brief."}
OF_MESSAGES = [TEAM, TIER, USER, CHOICE, BRIEF]
TEMPERATURE = {"action": "set", "member": "generationConfig.temperature", "value": 0.5}
TOP_K = {"action": "default", "member": "generationConfig.topK", "value": 7}
TOP_P = {"action": "default", "member": "generationConfig.topP", "value": 0.1}
THOUGHTS = {"action": "remove", "member": "generationConfig.thinkingConfig.includeThoughts"}
OF_GEMINI = [TEAM, TEMPERATURE, TOP_K, TOP_P, THOUGHTS]


@pytest.fixture
async def upstream(emulator):
    """What the upstream is sent, noted on the socket before it."""
    async with recording(emulator.url) as recorder:
        yield recorder


@pytest.fixture
async def threads(upstream, serve):
    """A gateway whose channel to Anthropic keeps threads, and overrides requests."""
    channel = {"name": "claude", "type": "anthropic", "api_key": "sk-ant", "threads": True}
    overrides = [*OF_MESSAGES, {**TIER, "action": "set", "value": "auto", "models": [OLDER]}]
    declared = {**channel, "base_url": f"{upstream.url}/v1", "overrides": overrides}
    return await serve(settings_of("", channels=(declared,)))


class Silent(Agent):
    """An agent that brings no instructions of its own, whose system the channel sets."""

    async def step(self) -> None:
        """Answer the calls of the last turn, or ask."""
        self.history += self.following()
        request = {**self.members, "input": self.history}
        raw = await self._client.responses.with_raw_response.create(**request, stream=True)
        events = [event async for event in raw.parse()]
        self.headers, self.output = raw.headers, events[-1].response.to_dict()["output"]
        self.history += self.output


@pytest.mark.parametrize(("model", "tier"), [(CLAUDE, "standard_only"), (OLDER, "auto")])
async def test_a_thread_goes_on_with_what_is_put_in(
    threads, upstream, client_of, emulator, model, tier
):
    """Each of its requests has it, but for what a thread has from its beginning."""
    agent = Silent(client_of(threads), emulator, model=model, tool_choice="required")
    assert ["fresh new_session", *["continued"] * 4] == await steps(agent, 5)
    sent = upstream.turns("/v1/messages")
    assert {("blue", tier, False)} == {
        (one.body["metadata"]["user_id"], one.body["service_tier"], "tool_choice" in one.body)
        for one in sent
    }
    assert ["Be brief.", *[None] * 4] == [one.body.get("system") for one in sent]
    assert {"blue"} == {one.headers["x-team"] for one in sent}
    kinds = [one.body["thread"]["type"] for one in sent]
    assert ["create", *["continue"] * 4] == kinds


async def test_a_changed_override_begins_another_thread(threads, client_of, emulator):
    """What was set in a thread is one of its properties, and other headers are another session."""
    agent = Silent(client_of(threads), emulator)
    await steps(agent, 2)
    await _overridden(threads, [TEAM, TIER, USER])
    assert ["fresh properties_changed", "continued"] == await steps(agent, 2)
    await _overridden(threads, [{**TEAM, "value": "red"}, TIER, USER])
    assert ["fresh new_session", "continued"] == await steps(agent, 2)


@pytest.mark.parametrize("options", [Options(threads="unsupported")], ids=["unsupported"])
async def test_what_goes_without_a_thread_has_it_too(threads, upstream, client_of, emulator):
    """Where threads are not supported all is sent again, with all that is put in."""
    await steps(Silent(client_of(threads), emulator), 2)
    sent = upstream.turns("/v1/messages")
    assert [("blue", "Be brief.")] * 2 == [
        (one.body["metadata"]["user_id"], one.body["system"]) for one in sent
    ]
    assert [] == [one for one in sent if "thread" in one.body]


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
async def test_what_is_said_to_gemini_has_it(upstream, serve, client_of, emulator, *, streams):
    """In Gemini's own terms, at every turn, while the model sees what was meant."""
    channel = {"name": "google", "type": "gemini", "api_key": "sk", "overrides": OF_GEMINI}
    declared = {**channel, "base_url": f"{upstream.url}/v1beta"}
    gateway = await serve(settings_of("", channels=(declared,)))
    emulator.script = Script(tool_rounds=2, parallel_calls=2)
    agent = GeminiAgent(client_of(gateway), streams=streams, temperature=1.0, top_p=0.9)
    agent.members["reasoning"] = {"summary": "auto"}
    for _ in range(3):
        meant = agent.digest
        await agent.turn()
        assert meant == emulator.turns[-1].digest
    sent = upstream.answered("streamGenerateContent") + upstream.answered("generateContent")
    configs = [one.body["generationConfig"] for one in sent]
    assert [(0.5, 7, 0.9)] * 3 == [
        (each["temperature"], each["topK"], each["topP"]) for each in configs
    ]
    assert [] == [each for each in configs if "includeThoughts" in each.get("thinkingConfig", {})]
    assert {"blue"} == {one.headers["x-team"] for one in sent}


async def test_other_models_of_gemini_are_left_alone(upstream, serve, client_of, emulator):
    """A pattern of models is one of those that are sent."""
    overrides = [{**TEMPERATURE, "models": ["gemini-2*"]}, {**TEAM, "models": ["gemini-2*"]}]
    channel = {"name": "google", "type": "gemini", "api_key": "sk", "overrides": overrides}
    declared = {**channel, "base_url": f"{upstream.url}/v1beta"}
    gateway = await serve(settings_of("", channels=(declared,)))
    await GeminiAgent(client_of(gateway)).turn()
    (sent,) = upstream.answered("GenerateContent")
    assert "temperature" not in sent.body.get("generationConfig", {})
    assert "x-team" not in sent.headers


async def _overridden(gateway, overrides):
    """Let the channel have other overrides, as its changed file says."""
    reconciler = gateway.app.reconciler
    (declared,) = reconciler.declared.channels
    changed = tuple(Override(**each).override for each in overrides)
    held = replace(reconciler.declared, channels=(replace(declared, overrides=changed),))
    reconciler._read = lambda: held
    await reconciler.reload_file()
