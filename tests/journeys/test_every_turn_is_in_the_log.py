"""Whatever became of a turn, its row says so: over real sockets, on both engines."""

import asyncio
import json
import ssl

import aiohttp
import anthropic
import pytest
from openai.types.chat import ChatCompletion

from longwire.core.nouns.access import ApiKey, Budgets, Grant
from longwire.core.nouns.secret import Secret
from longwire.emulator import Fault
from longwire.store.store import open_store
from longwire.store.turn_log import DEFAULT
from longwire.store.usage import DAY
from tests.conftest import serving
from tests.journeys.agent import scripted
from tests.journeys.conftest import become, settings_of, websocket_channel
from tests.journeys.wire import event_of, wire


@pytest.fixture
async def secret(store, actor):
    """The secret of a stored key whose bodies are kept."""
    grant = Grant(project_id="prj_default", keeps_bodies=True)
    return (await store.keys.create(ApiKey("", "ci", "", b"", grant), actor)).secret


@pytest.fixture
async def plain(store, actor):
    """The secret of a stored key whose bodies nobody keeps."""
    grant = Grant(project_id="prj_default")
    return (await store.keys.create(ApiKey("", "plain", "", b"", grant), actor)).secret


@pytest.fixture
async def logged(emulator, store, secret, database_url, tmp_path):
    """A gateway with one declared WebSocket channel, and a store in which its turns are kept."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    channel = websocket_channel(emulator.url, models=["gpt-5.5"])
    async with serving(settings_of(emulator.url, channels=(channel,)), opens) as running:
        yield running


async def _ask(gateway, secret, body):
    """Ask once as an agent; return the answer's status and what was said."""
    headers = {"authorization": f"Bearer {secret.reveal()}", "session-id": "agent-1"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{gateway.url}/v1/responses", json=body) as answer,
    ):
        return answer.status, await answer.json()


async def _rows(gateway, store, number):
    """Wait until so many turns are written; return them, oldest first."""
    await become(lambda: gateway.app.control.backlog[0] == 0)
    rows = (await store.turns.page()).items[::-1]
    assert number == len(rows)
    return rows


async def test_a_conversation_and_a_mistake(logged, store, secret):
    """Two turns that go well, the second continued, and one for a model that nobody serves."""
    first = {"model": "gpt-5.5", "input": [{"role": "user", "content": "a planted question"}]}
    _, answer = await _ask(logged, secret, first)
    second = {
        **first,
        "input": [*first["input"], *answer["output"], {"role": "user", "content": "more"}],
    }
    await _ask(logged, secret, second)
    assert 404 == (await _ask(logged, secret, {"model": "novel", "input": "hi"}))[0]
    one, two, three = await _rows(logged, store, 3)
    assert ("main", "file:main", "websocket") == (one.channel_name, one.channel_id, one.transport)
    assert [("fresh", "new_session"), ("continued", ""), ("", "")] == [
        (row.continuity, row.reason) for row in (one, two, three)
    ]
    assert {("ci", "prj_default", "agent-1")} == {
        (row.key_name, row.project_id, row.session) for row in (one, two, three)
    }
    assert one.connection == two.connection is not None
    assert two.bytes_sent < two.bytes_received
    assert one.input_tokens > 0 < one.cost
    assert one.request_id != two.request_id != ""
    assert ("refused", 404, "model_not_found", 0) == (
        three.outcome,
        three.status,
        three.error_code,
        three.attempts,
    )
    sums = await store.usage.totals(one.started_at - DAY, one.started_at + DAY)
    assert (3, 1, 1) == (sums.turns, sums.continued, sums.failures)
    kept = await store.turns.bodies(two.id)
    assert second == {k: v for k, v in json.loads(kept.request).items() if k != "stream"}
    assert "completed" == json.loads(kept.response)["status"]


@pytest.mark.parametrize("budget", [None, 10**12], ids=["unlimited", "with a budget"])
async def test_a_turn_costs_what_its_channel_says(
    emulator, store, actor, database_url, tmp_path, budget
):
    """A price of the channel goes before the bundled one, whether a budget counts it or not."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    grant = Grant(project_id="prj_default", budgets=Budgets(cost_per_day=budget))
    secret = (await store.keys.create(ApiKey("", "ci", "", b"", grant), actor)).secret
    price = {"model": "gpt-*", "input": 1_000, "cached": 100, "output": 2_000}
    channel = websocket_channel(emulator.url, prices=[price])
    async with serving(settings_of(emulator.url, channels=(channel,)), opens) as running:
        await _ask(running, secret, {"model": "gpt-5.5", "input": "hi"})
        (row,) = await _rows(running, store, 1)
    dear = (row.input_tokens - row.cached_tokens) * 10**6 + row.cached_tokens * 10**5
    assert dear + row.output_tokens * 2 * 10**6 == row.cost > 0


@pytest.mark.parametrize("transport", ["websocket", "http"])
async def test_a_turn_that_failed_says_how_it_travelled(
    emulator, store, secret, database_url, tmp_path, transport
):
    """Where the upstream refuses a turn, the row still has the way that it was sent by."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    emulator.faults.add(Fault(at="after_create", act="error", status=400, code="invalid_prompt"))
    channel = websocket_channel(emulator.url, transport=transport)
    async with serving(settings_of(emulator.url, channels=(channel,)), opens) as running:
        assert 400 == (await _ask(running, secret, {"model": "gpt-5.5", "input": "hi"}))[0]
        (row,) = await _rows(running, store, 1)
    assert ("main", transport, 400, "invalid_prompt", 1) == (
        row.channel_name,
        row.transport,
        row.status,
        row.error_code,
        row.attempts,
    )
    told = (await store.turns.details([row.id]))[row.id]
    assert [("main", transport, "refused", 400, "invalid_prompt")] == [
        (each.channel_name, each.transport, each.trouble, each.status, each.code)
        for each in told.attempts
    ]
    assert told.message == told.attempts[0].message != ""
    assert "agent-1" == told.headers["session-id"]
    assert "authorization" not in told.headers
    if transport == "websocket":
        assert ("fresh", "new_session") == (row.continuity, row.reason)
        assert row.connection is not None
        assert row.bytes_sent > 0


async def test_a_turn_that_was_sent_again_tells_of_each_attempt(
    emulator, store, plain, database_url, tmp_path
):
    """The connection that was lost, then the one that answered; a turn without trouble: nothing."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    channel = websocket_channel(emulator.url)
    async with serving(settings_of(emulator.url, channels=(channel,)), opens) as running:
        assert 200 == (await _ask(running, plain, {"model": "gpt-5.5", "input": "hi"}))[0]
        emulator.faults.add(Fault(at="after_create", act="reset"))
        assert 200 == (await _ask(running, plain, {"model": "gpt-5.5", "input": "again"}))[0]
        first, second = await _rows(running, store, 2)
    told = await store.turns.details([first.id, second.id])
    assert {second.id} == set(told)
    attempts = told[second.id].attempts
    assert [("lost", 502), ("", 200)] == [(each.trouble, each.status) for each in attempts]
    assert 0 <= attempts[0].ended_ms <= attempts[1].ended_ms == second.total_ms


async def test_last_use_of_a_key_is_known_in_the_end(
    emulator, store, secret, database_url, tmp_path
):
    """When the gateway has ended, all is written: rows and when the key was used."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    async with serving(settings_of(emulator.url), opens) as running:
        await _ask(running, secret, {"model": "gpt-5.5", "input": "hi"})
    (row,) = (await store.turns.page()).items
    (key,) = await store.keys.all()
    assert (row.started_at + row.total_ms, row.key_id) == (key.last_used_at, key.id)


async def test_a_client_that_leaves_has_its_estimate(emulator, logged, store, secret):
    """The row says that it is one, and it is in the sums that budgets are counted by."""
    body = {"model": "gpt-5.5", "input": "a" * 4_000, "stream": True}
    async with wire(logged.url) as client:
        metadata = scripted(delay_ms=10, deltas=100, reasoning=False)
        client.post({**body, "metadata": metadata}, authorization=f"Bearer {secret.reveal()}")
        await client.until(event_of("response.output_text.delta"))
        client.vanish()
        await become(lambda: logged.app.pool.ledger.live == 0)
    (row,) = await _rows(logged, store, 1)
    assert ("abandoned", 499, True, 1_000) == (
        row.outcome,
        row.status,
        row.is_estimated,
        row.input_tokens,
    )
    assert (None, True) == (row.reasoning_tokens, row.cost > 0 < row.output_tokens < 100)
    sums = await store.usage.totals(row.started_at - DAY, row.started_at + DAY)
    assert (row.input_tokens, row.output_tokens, row.cost) == (
        sums.input_tokens,
        sums.output_tokens,
        sums.cost,
    )


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_bodies_of_chat_completions_are_kept(logged, store, secret, client_of, *, stream):
    """The request byte for byte, and the whole completion, which a stream's chunks add up to."""
    chat = client_of(logged, secret.reveal()).chat.completions
    tools = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]
    request = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "ünd"}], "tools": tools}
    if stream:
        async with chat.stream(**request, stream_options={"include_usage": True}) as chunks:
            answer = await chunks.get_final_completion()
            sent = chunks._response.request.content
    else:
        raw = await chat.with_raw_response.create(**request)
        answer, sent = raw.parse(), raw.http_request.content
    (row,) = await _rows(logged, store, 1)
    kept = await store.turns.bodies(row.id)
    assert ("chat_completions", stream, sent) == (row.api, row.streams, kept.request)
    assert len(answer.choices[0].message.tool_calls) == 2
    assert _said(answer) == _said(ChatCompletion.model_validate_json(kept.response))
    if not stream:
        assert raw.content == kept.response


def _said(completion):
    (choice,) = completion.choices
    calls = [(c.id, c.function.name, c.function.arguments) for c in choice.message.tool_calls]
    usage = completion.usage.to_dict(exclude_none=True)
    ids = completion.id, completion.object, completion.created, completion.model
    return ids, choice.message.role, choice.message.content, calls, choice.finish_reason, usage


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_bodies_of_messages_are_kept(logged, store, secret, *, stream):
    """The request byte for byte, and the whole message, which a stream's events add up to."""
    request = {
        "model": "gpt-5.5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "ünd"}],
        "tools": [{"name": "read", "input_schema": {"type": "object"}}],
        "thinking": {"type": "adaptive", "display": "summarized"},
    }
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with anthropic.AsyncAnthropic(
        base_url=logged.url,
        auth_token=secret.reveal(),
        max_retries=0,
        http_client=anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=bare),
    ) as client:
        if stream:
            async with client.messages.stream(**request) as events:
                answer = await events.get_final_message()
                sent = events.response.request.content
        else:
            raw = await client.messages.with_raw_response.create(**request)
            answer, sent = await raw.parse(), raw.http_request.content
    (row,) = await _rows(logged, store, 1)
    kept = await store.turns.bodies(row.id)
    assert ("messages", stream, sent) == (row.api, row.streams, kept.request)
    assert ["thinking", "text", "tool_use", "tool_use"] == [each.type for each in answer.content]
    message = anthropic.types.Message.model_validate_json(kept.response)
    assert message.to_dict(exclude_none=True) == answer.to_dict(exclude_none=True)
    if not stream:
        assert await raw.read() == kept.response


async def test_rows_gather_as_long_as_configured(emulator, store, plain, database_url, tmp_path):
    """With `database.log_interval` a batch is written later than it would be without."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    channel = websocket_channel(emulator.url, models=["gpt-5.5"])
    settings = settings_of(emulator.url, channels=(channel,), database={"log_interval": "1h"})
    async with serving(settings, opens) as gateway:
        await _ask(gateway, plain, {"model": "gpt-5.5", "input": "hi"})
        await asyncio.sleep(DEFAULT.interval + 0.3)
        assert (1, 0) == gateway.app.control.backlog
    assert 1 == len((await store.turns.page()).items)
