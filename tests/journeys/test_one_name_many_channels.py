"""A public name over two upstreams: order, fallbacks, conditions, and changes under load."""

import asyncio
import json
from dataclasses import replace

import pytest

from longwire.core.nouns.access import Actor, Grant
from longwire.core.nouns.model import Condition, Model, Target
from longwire.core.nouns.secret import Secret
from longwire.core.rules.turn import Principal
from longwire.dialects.sample import Sample
from longwire.emulator import Emulator, Fault
from longwire.relay.turns.explained import explain
from longwire.store.store import open_store
from longwire.store.turn_filter import TurnFilter
from tests.journeys.agent import Agent
from tests.journeys.conftest import SCRIPT, become, settings_of, websocket_channel
from tests.journeys.two_upstreams import staged

FAILING = Fault(at="after_create", act="error", status=503, code="slow_down", times=0)
LIMITED = Fault(
    at="after_create", act="error", status=429, code="rate_limit_exceeded", route="http"
)
SMART = {
    "name": "smart",
    "targets": [{"channel": "a", "model": "gpt-5.5"}, {"channel": "b", "model": "o9", "order": 1}],
}


def models_at(upstream: Emulator) -> list[str]:
    """The names that an upstream was asked by."""
    return [turn.model for turn in upstream.turns]


async def test_targets_are_tried_in_their_order(tmp_path):
    """The first one serves, by the model's name there; where it refuses, the next one does."""
    async with staged(tmp_path, models=[SMART]) as stage:
        assert {"a"} == {(await stage.ask(f"q{n}", model="smart")).channel for n in range(6)}
        stage.upstreams["a"].faults.add(LIMITED)
        reply = await stage.ask("now", model="smart")
        assert (200, "b") == (reply.status, reply.channel)
        assert {"gpt-5.5"} == {*models_at(stage.upstreams["a"])}
        assert ["o9"] == models_at(stage.upstreams["b"])


async def test_a_fallback_serves_where_no_target_does(tmp_path):
    """And never before: while a target answers, the fallback is asked nothing."""
    smart = {"name": "smart", "targets": [{"channel": "a"}], "fallbacks": ["spare"]}
    spare = {"name": "spare", "targets": [{"channel": "b", "model": "cheap"}]}
    async with staged(tmp_path, models=[smart, spare]) as stage:
        assert "a" == (await stage.ask("hi", model="smart")).channel
        assert [] == models_at(stage.upstreams["b"])
        stage.upstreams["a"].faults.add(FAILING)
        reply = await stage.ask("again", model="smart")
        assert (200, "b") == (reply.status, reply.channel)
        assert ["cheap"] == models_at(stage.upstreams["b"])


@pytest.mark.parametrize(
    ("api", "body", "channel"),
    [
        ("responses", {"input": "hi"}, "b"),
        ("chat/completions", {"messages": [{"role": "user", "content": "hi"}]}, "a"),
        ("responses", {"input": "hi", "stream": True}, "b"),
        ("responses", {"input": "x" * 4_000}, "a"),
    ],
)
async def test_conditions_choose_by_what_the_turn_is(tmp_path, api, body, channel):
    """By the client's API, by whether it streams, by the size of its input."""
    targets = [
        {"channel": "a", "apis": ["chat_completions"]},
        {"channel": "a", "model": "long", "min_tokens": 900},
        {"channel": "b", "order": 1},
    ]
    async with staged(tmp_path, models=[{"name": "smart", "targets": targets}]) as stage:
        reply = await stage.call("POST", f"/v1/{api}", json={"model": "smart", **body})
        assert (200, channel) == (reply.status, reply.channel), reply.body


async def test_a_disabled_model_and_one_of_another_project_are_refused(tmp_path):
    """A channel that lists every name does not serve them instead; the reason is said."""
    off = {**SMART, "name": "off", "enabled": False}
    theirs = {**SMART, "name": "theirs", "projects": ["prj_other"]}
    async with staged(tmp_path, models=[SMART, off, theirs]) as stage:
        replies = {name: await stage.ask("hi", model=name) for name in ("off", "theirs")}
        assert {404} == {each.status for each in replies.values()}
        assert "disabled" in replies["off"].json["error"]["message"]
        assert "not for the project" in replies["theirs"].json["error"]["message"]
        listed = (await stage.call("GET", "/v1/models")).json["data"]
        names = {each["id"] for each in listed}
        assert "smart" in names
        assert not names & {"off", "theirs"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/models", {}),
        ("/anthropic/v1/models", {"anthropic-version": "2023-06-01"}),
        ("/v1beta/models", {}),
        ("/v1/models?client_version=0.169.0", {}),
    ],
)
async def test_every_dialect_lists_it(tmp_path, path, headers):
    """Beside what channels list."""
    async with staged(tmp_path, models=[SMART]) as stage:
        reply = await stage.call("GET", path, headers=headers)
        assert '"smart"' in json.dumps(reply.json) or "models/smart" in json.dumps(reply.json)


async def test_a_turn_of_a_session_stays_while_targets_change_under_load(
    serve, client_of, emulator, tmp_path
):
    """Forty sessions go on, warm, while the model's targets, weights and text are changed."""
    url, key_file = f"sqlite:///{tmp_path}/longwire.db", tmp_path / "secret.key"
    settings = settings_of(
        emulator.url,
        channels=(websocket_channel(emulator.url, name="one"),),
        sessions={"max_connections": 100},
    )
    async with Emulator(script=SCRIPT) as other:
        both = (*settings.channels, websocket_channel(other.url, name="two"))
        settings = settings_of(emulator.url, channels=both, sessions={"max_connections": 100})
        gateway = await serve(settings, lambda: open_store(url, Secret(""), key_file))
        store = await open_store(url, Secret(""), key_file)
        actor = Actor("", "test")
        model = await store.models.create(
            Model("", "smart", targets=(Target("one", model="gpt-5.5"),)), actor
        )
        await gateway.app.reconciler.look()
        agents = [
            Agent(
                client_of(gateway, headers={"session-id": f"s-{number}"}), emulator, model="smart"
            )
            for number in range(40)
        ]
        for agent in agents:
            await agent.step()
        changes = (
            {"description": "changed"},
            {"targets": (*model.targets, Target("two", order=1))},
            {"targets": (Target("one", model="gpt-5.5", weight=3.0), Target("two", order=2))},
            {"targets": (*model.targets, Target("two", condition=Condition(has_tools=False)))},
        )

        async def change() -> None:
            held = model
            for each in changes:
                held = await store.models.update(replace(held, **each), actor)
                await gateway.app.reconciler.look()

        async with asyncio.TaskGroup() as group:
            group.create_task(change())
            steps = [group.create_task(agent.step()) for agent in agents]
        assert {"continued"} == {step.result().way for step in steps}
        assert {"continued"} == {(await agent.step()).way for agent in agents}
        assert (40, 0) == (emulator.counters.sockets_opened, other.counters.sockets_opened)
        await store.close()


async def test_the_log_says_why_a_turn_went_there(tmp_path):
    """Details keep who was accepted and refused as of then; what is routed is what is explained."""
    targets = [
        {"channel": "a", "model": "gpt-5.5"},
        {"channel": "b", "model": "tools-alone", "has_tools": True},
        {"channel": "b", "model": "o9", "order": 1},
        {"channel": "gone"},
    ]
    async with staged(tmp_path, models=[{"name": "smart", "targets": targets}]) as stage:
        stage.upstreams["a"].faults.add(LIMITED)
        assert "b" == (await stage.ask("hi", model="smart")).channel
        store = await _store_of(stage)
        await become(lambda: stage.gateway.app.control.backlog[0] == 0)
        (row,) = (await store.turns.page(TurnFilter(), 5)).items
        (details,) = (await store.turns.details([row.id])).values()
        await store.close()
        assert [
            ("a", "gpt-5.5", True, "first", ""),
            ("b", "o9", True, "order", ""),
            ("b", "tools-alone", False, "condition", "has_tools"),
            ("gone", "", False, "missing", ""),
        ] == [
            (each.channel_name, each.model, each.is_accepted, each.reason, each.detail)
            for each in details.route
        ]
        explained = await explain(stage.gateway.app.relay, Sample("smart"), Principal("anybody"))
        now = [each.channel_name for each in explained.steps if each.is_accepted]
        assert ["a", "b"] == now


async def test_what_is_explained_is_what_is_routed(tmp_path):
    """For every session, whoever it is drawn to by weight; and to no one where nobody can."""
    targets = [{"channel": "a", "weight": 2}, {"channel": "b"}]
    async with staged(tmp_path, models=[{"name": "smart", "targets": targets}]) as stage:
        firsts = []
        for number in range(12):
            sample = Sample("smart", session=f"s-{number}")
            steps = (await explain(stage.gateway.app.relay, sample, Principal("anybody"))).steps
            reply = await stage.ask("hi", model="smart", session=f"s-{number}")
            assert steps[0].channel_name == reply.channel
            assert ["first", "drawn"] == [each.reason for each in steps]
            firsts.append(reply.channel)
        assert {"a", "b"} == {*firsts}
        nobody = await explain(stage.gateway.app.relay, Sample("o9", api="messages"), _BOUND)
        assert "may not use it" in nobody.problem


_BOUND = Principal("bound", grant=Grant(models=("smart",)))


async def _store_of(stage):
    database = stage.settings.database
    url = database.url.get_secret_value()
    return await open_store(url, Secret(""), database.secret_file)
