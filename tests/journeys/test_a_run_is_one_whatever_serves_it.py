"""An agent and its sub-agents are one run: over channels, models, nodes and restarts."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from longwire.core.nouns.access import ApiKey, Grant
from longwire.core.nouns.secret import Secret
from longwire.store.store import open_store
from tests.conftest import serving
from tests.journeys.conftest import become, settings_of, websocket_channel

CODEX = ({"session-id": "run", "thread-id": "run"}, {"session-id": "run", "thread-id": "child"})
CLAUDE = (
    {"x-claude-code-session-id": "run"},
    {"x-claude-code-session-id": "run", "x-claude-code-agent-id": "child"},
)
MODELS = ("large", "small", "tiny")


@pytest.fixture
async def secret(store, actor):
    """The secret of a stored key."""
    grant = Grant(project_id="prj_default")
    return (await store.keys.create(ApiKey("", "ci", "", b"", grant), actor)).secret


async def _ask(gateway, secret, model, headers):
    """Two turns of one conversation, as an agent has them."""
    headers = {"authorization": f"Bearer {secret.reveal()}", **headers}
    history = [{"role": "user", "content": f"a question to {model}"}]
    async with aiohttp.ClientSession(headers=headers) as session:
        for _ in range(2):
            body = {"model": model, "input": history, "store": False}
            async with session.post(f"{gateway.url}/v1/responses", json=body) as answer:
                assert 200 == answer.status
                output = (await answer.json())["output"]
            history = [*history, *output, {"role": "user", "content": "and then?"}]


@pytest.mark.parametrize("agents", [CODEX, CLAUDE], ids=["codex", "claude-code"])
async def test_a_run_over_two_channels_three_models_and_two_nodes(
    emulator, store, secret, database_url, tmp_path, agents
):
    """Its sums are right, whichever node wrote them, and are there when all have gone."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    main, child = agents
    channels = (
        websocket_channel(emulator.url, name="one", models=["large"]),
        websocket_channel(emulator.url, name="two", models=["small", "tiny"]),
    )
    settings = settings_of(emulator.url, channels=channels)
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(serving(settings, opens)) for _ in range(2)]
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                for model in MODELS[:2]:
                    group.create_task(_ask(node, secret, model, main))
                group.create_task(_ask(node, secret, "tiny", child))
        for node in nodes:
            await become(lambda node=node: node.app.control.backlog[0] == 0)
    rows = (await store.turns.page(first=100)).items
    trace = await store.runs.get("trace", "run")
    assert 12 == trace.sums.turns == len(rows)
    assert 6 == trace.sums.continued
    assert set(MODELS) == set(trace.models)
    assert {"file:one", "file:two"} == set(trace.channels)
    assert (sum(row.bytes_received for row in rows), sum(row.bytes_sent for row in rows)) == (
        trace.sums.bytes_received,
        trace.sums.bytes_sent,
    )
    assert (sum(row.input_tokens for row in rows), sum(row.output_tokens for row in rows)) == (
        trace.sums.input_tokens,
        trace.sums.output_tokens,
    )
    assert (min(row.started_at for row in rows), "ci") == (trace.first_at, trace.key_name)
    sessions = (await store.runs.page("session")).items
    assert [4, 8] == sorted(each.sums.turns for each in sessions)
    assert 12 == len((await store.turns.of_run(trace, 100)).items)
