"""What a channel sets, defaults and removes reaches its upstream, and breaks no session."""

import json
from dataclasses import replace

import pytest

from longwire.core.nouns.override import Override
from longwire.settings.declared import channel_of
from tests.doubles.canned import answer
from tests.journeys.agent import Agent, ways
from tests.journeys.conftest import settings_of, websocket_channel
from tests.journeys.test_passed_on import (
    ANTHROPIC,
    CHAT,
    CHAT_BODY,
    CHAT_WHOLE,
    JSON,
    MESSAGES,
    MESSAGES_BODY,
    MESSAGES_WHOLE,
    before,
)

FLEX = {"action": "set", "member": "service_tier", "value": "flex"}
EFFORT = {"action": "default", "member": "reasoning.effort", "value": "low", "models": ["gpt-5*"]}
TEAM = {"action": "set", "header": "x-team", "value": "blue"}


async def test_a_constant_override_never_breaks_a_chain(serve, emulator, client_of):
    """Each turn has what the channel sets, and all but the first go on over the WebSocket."""
    channel = websocket_channel(emulator.url, overrides=[FLEX, EFFORT, TEAM])
    gateway = await serve(settings_of(emulator.url, channels=[channel]))
    agent = Agent(client_of(gateway, headers={"session-id": "s"}), emulator)
    turns = await agent.turns(4)
    assert ["fresh new_session", "continued", "continued", "continued"] == ways(turns)
    assert {("flex", "low")} == {
        (turn.response.service_tier, turn.response.reasoning.effort) for turn in turns
    }


@pytest.mark.parametrize("changed", [replace(Override("set", "service_tier"), value='"priority"')])
async def test_an_override_that_changes_begins_anew(serve, emulator, client_of, changed):
    """In mid-session it is a property like any other; no wrong context is gone on from."""
    settings = settings_of(
        emulator.url, channels=[websocket_channel(emulator.url, overrides=[FLEX])]
    )
    gateway = await serve(settings)
    agent = Agent(client_of(gateway, headers={"session-id": "s"}), emulator)
    await agent.turns(2)
    spec = replace(channel_of(settings.channels[0]), overrides=(changed,))
    declared = replace(gateway.app.reconciler.declared, channels=(spec,))
    gateway.app.reconciler._read = lambda: declared
    await gateway.app.reconciler.reload_file()
    turns = await agent.turns(2)
    assert ["fresh properties_changed", "continued"] == ways(turns)
    assert {"priority"} == {turn.response.service_tier for turn in turns}


@pytest.mark.parametrize(
    ("path", "tables", "body", "whole"),
    [
        (CHAT, {}, CHAT_BODY % b"", CHAT_WHOLE),
        (MESSAGES, ANTHROPIC["channel"], MESSAGES_BODY % b"", MESSAGES_WHOLE),
    ],
)
async def test_a_body_that_is_passed_on_has_them_too(tmp_path, path, tables, body, whole):
    """In the upstream's own terms; all else of the body keeps its bytes."""
    overrides = [
        {"action": "set", "member": "metadata.team", "value": "blue"},
        {"action": "remove", "member": "x_own"},
        {"action": "remove", "member": "n"},
        TEAM,
    ]
    channel = {**tables, "overrides": overrides}
    async with before(tmp_path, answer(whole, JSON), channel=channel) as (stage, upstream):
        reply = await stage.call("POST", path, data=body)
    assert 200 == reply.status
    sent = json.loads(upstream.bodies[0])
    left = {name: value for name, value in json.loads(body).items() if name not in ("n", "x_own")}
    assert {**left, "metadata": {"team": "blue"}} == sent
    start = body.index(b'"messages":') + len(b'"messages":')
    end = body.index(b"}]", start) + 2
    assert body[start:end] in upstream.bodies[0]
    assert "blue" == upstream.header("x-team")


async def test_models_that_are_not_meant_are_left_alone(serve, emulator, client_of):
    """A pattern of models is one of those that are sent."""
    overrides = [{**FLEX, "models": ["gpt-5-mini"]}]
    channel = websocket_channel(emulator.url, overrides=overrides, renames={"small": "gpt-5-mini"})
    gateway = await serve(settings_of(emulator.url, channels=[channel]))
    tiers = []
    for number, model in enumerate(["gpt-5.5", "small"]):
        client = client_of(gateway, headers={"session-id": f"s-{number}"})
        told = await Agent(client, emulator, model=model).step()
        tiers.append(told.response.service_tier)
    assert ["default", "flex"] == tiers


async def test_a_header_that_differs_by_model_has_its_own_connections(serve, emulator, client_of):
    """Headers are those of a handshake, so turns with others go over another connection."""
    overrides = [{**TEAM, "models": ["gpt-5-mini"]}]
    channel = websocket_channel(emulator.url, overrides=overrides)
    gateway = await serve(settings_of(emulator.url, channels=[channel]))
    client = client_of(gateway, headers={"session-id": "s"})
    first = await Agent(client, emulator, model="gpt-5.5").step()
    second = await Agent(client, emulator, model="gpt-5-mini").step()
    assert first.record.connection != second.record.connection
