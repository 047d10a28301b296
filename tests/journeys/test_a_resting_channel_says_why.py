"""Why nothing is sent to a channel, since when and until when; all gone once it serves."""

import asyncio
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest

from longwire.cli.channel_health import summary
from longwire.core.nouns.channel_key import declared_key_id
from longwire.core.nouns.secret import Secret
from longwire.core.rules.health import Rest
from longwire.emulator.faults import Fault
from longwire.server.fleet_health import Trust, worst
from longwire.store.store import open_store
from tests.conftest import KEY, serving
from tests.doubles.valkey import running_valkey
from tests.journeys.conftest import become, settings_of, websocket_channel

CHANNEL = "file:main"
BUSY = Fault(
    at="before_create",
    act="error",
    status=503,
    code="server_is_overloaded",
    message="come back, says sk-planted-0123456789",
    headers={"retry-after": "1"},
)


@pytest.fixture
def opens(database_url, tmp_path):
    """How each gateway opens the same store."""

    async def opened():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    return opened


def _settings(emulator, **tables):
    channels = (websocket_channel(emulator.url, transport="http"),)
    return settings_of(emulator.url, channels=channels, **tables)


async def _ask(gateway, request_id, **of_session):
    body = {"model": "m", "input": "hello", "store": False}
    headers = {"authorization": f"Bearer {KEY}", "x-request-id": request_id, **of_session}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{gateway.url}/v1/responses", json=body) as answer,
    ):
        await answer.read()
        return answer.status


def _health(gateway):
    return gateway.app.control._administration.health


async def test_cause_since_and_until_are_said_and_gone_after_recovery(emulator, opens, store):
    """The failure stands there as the turn log has it, without the key that it quotes."""
    async with serving(_settings(emulator), opens) as gateway:
        assert 200 == await _ask(gateway, "req-before")
        emulator.faults.add(BUSY)
        began = time.time() * 1000
        assert 503 == await _ask(gateway, "req-busy")
        ended = time.time() * 1000
        (fare,) = (await _health(gateway).of(CHANNEL)).values()
        cause, resting = fare.cause, fare.resting
        assert (Trust.RESTING, Rest.RETRY_AFTER) == (fare.channel, resting.why)
        assert began - 5 <= resting.since <= ended + 5
        assert 1000 == pytest.approx(resting.until - resting.since, abs=5)
        assert (503, "server_is_overloaded", "failing") == (cause.status, cause.code, cause.trouble)
        assert "come back, says ***" == cause.message
        assert began - 5 <= cause.at <= ended + 5
        await become(lambda: gateway.app.control.backlog[0] == 0)
        row = (await store.turns.page()).items[0]
        assert ("req-busy", str(row.id), row.node) == (
            cause.request_id,
            cause.turn_id,
            cause.node,
        )
        served = (await store.turns.page(first=2)).items[1]
        assert served.id >> 21 == await store.turns.last_served(CHANNEL)
        await asyncio.sleep(1.05)
        assert 200 == await _ask(gateway, "req-after")
        (fare,) = (await _health(gateway).of(CHANNEL)).values()
        assert (Trust.SOUND, "", None, None) == (
            fare.channel,
            fare.problem,
            fare.resting,
            fare.cause,
        )
        assert cause == fare.last_failure


@pytest.mark.parametrize(
    ("transport", "status", "says"), [("auto", 200, "turns go over HTTP"), ("websocket", 502, "")]
)
async def test_a_websocket_rests_where_there_is_http_beside_it(
    emulator, opens, transport, status, says
):
    """Alone it is tried by every turn: nothing says that it rests, or that HTTP serves instead."""
    refused = Fault(at="handshake", act="refuse", status=404)
    channels = (websocket_channel(emulator.url, transport=transport),)
    async with serving(settings_of(emulator.url, channels=channels), opens) as gateway:
        emulator.faults.add(refused)
        assert status == await _ask(gateway, "req-refused", session_id="s")
        (fare,) = (await _health(gateway).of(CHANNEL)).values()
        assert "req-refused" == fare.cause.request_id
        assert bool(says) == (fare.websocket_resting is not None)
        assert (Trust.RESTING if says else Trust.FAILING) == fare.websocket
        assert ("turns go over HTTP" in summary(fare)) == bool(says)


async def test_of_several_keys_the_one_that_rests_is_named(emulator, opens):
    """By its id, while the channel serves with the others."""
    keys = ["sk-upstream-first-0001", "sk-upstream-second-0002"]
    channel = websocket_channel(emulator.url, transport="http", api_keys=keys)
    channel.pop("api_key")
    async with serving(settings_of(emulator.url, channels=(channel,)), opens) as gateway:
        refused = Fault(at="handshake", act="refuse", times=0, key=keys[0], status=401)
        emulator.faults.add(refused)
        for number in range(6):
            assert 200 == await _ask(gateway, f"req-{number}", session_id=f"s-{number}")
        (fare,) = (await _health(gateway).of(CHANNEL)).values()
        assert {declared_key_id(Secret(keys[0]))} == fare.resting_keys.keys()
        assert fare.resting is None


async def test_what_the_client_did_wrong_is_no_cause(emulator, opens):
    """A request that the upstream refuses is shown as its last failure; nothing rests for it."""
    refused = Fault(at="before_create", act="error", status=400, code="bad", message="no")
    async with serving(_settings(emulator), opens) as gateway:
        emulator.faults.add(refused)
        assert 400 == await _ask(gateway, "req-bad")
        (fare,) = (await _health(gateway).of(CHANNEL)).values()
        assert (400, "req-bad") == (fare.last_failure.status, fare.last_failure.request_id)
        assert (Trust.SOUND, None, None) == (fare.channel, fare.resting, fare.cause)


@pytest.mark.fleet
async def test_each_node_sees_what_another_one_met(emulator, opens):
    """Whoever is asked knows the cause, and the node that met it; the other rests for its sake."""
    async with running_valkey() as valkey, AsyncExitStack() as stack:
        a, b = [
            await stack.enter_async_context(
                serving(_settings(emulator, fleet={"url": valkey.url, "node": name}), opens)
            )
            for name in "ab"
        ]
        emulator.faults.add(BUSY)
        assert 503 == await _ask(a, "req-busy")
        health = _health(b)
        async with asyncio.timeout(10):
            while True:
                fares = await health.of(CHANNEL)
                if fares.keys() == {"a", "b"} and fares["a"].cause:
                    break
                await asyncio.sleep(0.05)
        assert ("a", "req-busy") == (fares["a"].cause.node, fares["a"].cause.request_id)
        assert "req-busy" == worst(fares.values()).last_failure.request_id
