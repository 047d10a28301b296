"""What a key may, and how much: over real sockets, before a real upstream."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from longwire.core.nouns.access import ApiKey, Budgets, Grant, IssuedKey, Rates
from longwire.core.nouns.secret import Secret
from longwire.emulator import Emulator, Options
from longwire.relay.channels.reconcile import Declared
from tests.conftest import serving, settings_for
from tests.journeys.agent import scripted
from tests.journeys.conftest import become

SECRET = "lw-key-that-is-limited"


@pytest.fixture
async def ask(emulator):
    """A function: serve with this grant and change of channels, and ask `times` times, at once."""

    async def run(grant, times=1, channel=(), **body):
        async with serving(settings_for(f"{emulator.url}/v1", channel=channel)) as gateway:
            key = ApiKey("key_1", "limited", "", b"", replace(grant, key_id="key_1"))
            gateway.app.keys.hand_out([IssuedKey(key, Secret(SECRET))])
            return [await _ask(gateway.url, **body) for _ in range(times)]

    return run


async def _ask(url, model="gpt-5.2", **body):
    """Return status, headers, and the error's code or the model that answered."""
    headers = {"authorization": f"Bearer {SECRET}"}
    request = {"model": model, "input": "hello", **body}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{url}/v1/responses", json=request) as answer,
    ):
        content = await answer.json()
        word = content["error"]["code"] if answer.status >= 400 else content["model"]
        return answer.status, answer.headers, word


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (Grant(), (200, "gpt-5.2")),
        (Grant(models=("gpt-5-*", "gpt-5.2")), (200, "gpt-5.2")),
        (Grant(models=("o9",)), (404, "model_not_found")),
        (Grant(channels=("file:main",)), (200, "gpt-5.2")),
        (Grant(channels=("ch_other",)), (404, "model_not_found")),
    ],
)
async def test_a_key_opens_what_it_was_made_for(ask, grant, expected):
    """A model or a channel that is not granted does not exist for the key."""
    ((status, headers, word),) = await ask(grant)
    assert expected == (status, word)
    assert not [name for name in headers if name.lower().startswith("x-ratelimit")]


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (Grant(), ["gpt-5.5", "gpt-5.2", "gpt-5-mini"]),
        (Grant(models=("gpt-5-*",)), ["gpt-5-mini"]),
        (Grant(channels=("ch_other",)), []),
    ],
)
async def test_the_models_are_those_that_the_key_may_use(emulator, grant, expected):
    """The list of models tells nothing of what is not granted."""
    async with serving(settings_for(f"{emulator.url}/v1")) as gateway:
        key = ApiKey("key_1", "limited", "", b"", grant)
        gateway.app.keys.hand_out([IssuedKey(key, Secret(SECRET))])
        headers = {"authorization": f"Bearer {SECRET}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{gateway.url}/v1/models") as answer,
        ):
            assert expected == [model["id"] for model in (await answer.json())["data"]]


async def test_requests_a_minute(ask):
    """The answer tells what is left; the one too many gets 429 and when to come again."""
    first, second, third = await ask(Grant(rates=Rates(requests_per_minute=2)), times=3)
    assert [200, 200, 429] == [status for status, *_ in (first, second, third)]
    assert ["1", "0", "0"] == [
        headers["x-ratelimit-remaining-requests"] for _, headers, _ in (first, second, third)
    ]
    assert "rate_limit_exceeded" == third[2]
    assert 0 < int(third[1]["retry-after"]) <= 61


async def test_tokens_a_minute(ask):
    """Tokens count once they are known."""
    answers = await ask(Grant(rates=Rates(tokens_per_minute=1)), times=2)
    assert [200, 429] == [status for status, *_ in answers]


async def test_a_budget(ask):
    """A budget that is used up is told as such, until its day is over."""
    answers = await ask(Grant(budgets=Budgets(tokens_per_day=1)), times=2)
    assert [(200, "gpt-5.2"), (429, "insufficient_quota")] == [
        (status, word) for status, _, word in answers
    ]
    assert 0 < int(answers[1][1]["retry-after"]) <= 86_400


async def test_turns_at_once(emulator):
    """While one turn runs, a second one waits outside; after it, there is room again."""
    async with serving(settings_for(f"{emulator.url}/v1")) as gateway:
        grant = Grant("key_1", rates=Rates(concurrent_turns=1))
        key = ApiKey("key_1", "limited", "", b"", grant)
        gateway.app.keys.hand_out([IssuedKey(key, Secret(SECRET))])
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(_ask(gateway.url, metadata=scripted(delay_ms=40)))
            await become(lambda: emulator.counters.creates == 1)
            assert 429 == (await _ask(gateway.url))[0]
        assert 200 == slow.result()[0]
        assert 200 == (await _ask(gateway.url))[0]


async def test_a_channel_at_its_limit_is_passed_over(emulator):
    """Turns go to another channel while one is at its limit; with none left, they wait."""
    async with Emulator(Options()) as other, serving(settings_for(f"{emulator.url}/v1")) as gateway:
        grant = Grant("key_1")
        keys = (IssuedKey(ApiKey("key_1", "k", "", b"", grant), Secret(SECRET)),)
        (main,) = gateway.app.reconciler.declared.channels
        limited = replace(main, rates=Rates(requests_per_minute=1))
        spare = replace(limited, id="file:spare", name="spare", base_url=f"{other.url}/v1")
        gateway.app.reconciler._read = lambda: Declared((limited, spare), keys)
        await gateway.app.reconciler.reload_file()
        answers = [await _ask(gateway.url) for _ in range(3)]
        assert [200, 200, 429] == [status for status, *_ in answers]
        used = {headers["x-longwire-channel"] for _, headers, _ in answers[:2]}
        assert {"main", "spare"} == used
        assert 0 < int(answers[2][1]["retry-after"]) <= 61


@pytest.mark.parametrize("transport", ["websocket", "http"])
async def test_a_model_is_sent_by_its_other_name(emulator, transport):
    """The upstream sees the channel's own name for a model, and the next turn continues."""
    channel = {"transport": transport}
    async with serving(settings_for(f"{emulator.url}/v1", channel=channel)) as gateway:
        keys = (IssuedKey(ApiKey("key_1", "k", "", b"", Grant("key_1")), Secret(SECRET)),)
        (main,) = gateway.app.reconciler.declared.channels
        reconciler = gateway.app.reconciler
        reconciler._read = lambda: Declared((replace(main, renames=(("fast", "gpt-5.2"),)),), keys)
        await reconciler.reload_file()
        history = [{"role": "user", "content": "hello"}]
        ways = []
        for rename in ("gpt-5.2", "gpt-5.2", "gpt-5.5"):
            channels = (replace(main, renames=(("fast", rename),)),)
            reconciler._read = lambda channels=channels: Declared(channels, keys)
            await reconciler.reload_file()
            answer = await _answer(gateway.url, history)
            ways.append((answer[0], answer[1]["model"]))
            history += [*answer[1]["output"], {"role": "user", "content": "more"}]
        over_websocket = [("continued", "gpt-5.2"), ("fresh", "gpt-5.5")]
        over_http = [("fresh", "gpt-5.2"), ("fresh", "gpt-5.5")]
        rest = over_websocket if transport == "websocket" else over_http
        assert [("fresh", "gpt-5.2"), *rest] == ways
        assert [] == emulator.violations


async def _answer(url, history):
    headers = {"authorization": f"Bearer {SECRET}", "session-id": "s"}
    body = {"model": "fast", "input": history, "include": ["reasoning.encrypted_content"]}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{url}/v1/responses", json={**body, "store": False}) as answer,
    ):
        return answer.headers["x-longwire-continuity"], await answer.json()
