"""A stored prompt brings its own model: the turn goes to an upstream that knows stored prompts."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from longwire.core.nouns.access import ApiKey, Grant, IssuedKey
from longwire.core.nouns.secret import Secret
from longwire.settings import Settings
from tests.conftest import KEY, serving
from tests.doubles.canned import canned

PROMPT = {"prompt": {"id": "pmpt_1"}, "input": "hi"}


@asynccontextmanager
async def asking(*types, grant=None):
    """A gateway with a channel of each type; gives a way to ask, and the upstreams.

    A `grant` bounds what the key may.
    """
    async with AsyncExitStack() as stack:
        upstreams = [await stack.enter_async_context(canned()) for _ in types]
        channels = tuple(
            {
                "name": f"{kind}-{number}",
                "type": kind,
                "base_url": upstream.url,
                "api_key": "sk-1",
                "transport": "http",
                "models": ["m"],
            }
            for number, (kind, upstream) in enumerate(zip(types, upstreams, strict=True))
        )
        settings = Settings(channels=channels, api_keys=({"name": "dev", "key": KEY},))
        gateway = await stack.enter_async_context(serving(settings))
        if grant is not None:
            bounded = IssuedKey(ApiKey("key_1", "dev", "", b"", grant), Secret(KEY))
            gateway.app.keys.hand_out([bounded])
        client = aiohttp.ClientSession(gateway.url, headers=gateway.headers)
        session = await stack.enter_async_context(client)

        async def ask(**members):
            async with session.post("/v1/responses", json=PROMPT | members) as reply:
                return reply.status, reply.headers, await reply.read()

        yield ask, upstreams


@pytest.mark.parametrize("types", [("codex", "openai"), ("openai", "codex")])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("members", [{}, {"model": "m"}, {"model": None}], ids=str)
async def test_it_goes_to_the_upstream_that_knows_prompts(types, stream, members):
    """Whatever models the channels name, and with a model as without."""
    async with asking(*types) as (ask, upstreams):
        status, headers, _ = await ask(stream=stream, **members)
    assert 200 == status
    assert headers["x-longwire-channel"].startswith("openai")
    assert [kind == "openai" for kind in types] == [bool(each.bodies) for each in upstreams]
    (body,) = (body for each in upstreams for body in each.bodies)
    assert PROMPT == {name: json.loads(body).get(name) for name in PROMPT}


async def test_without_such_an_upstream_the_mend_is_told():
    """The codex backend is not asked in vain."""
    async with asking("codex") as (ask, (upstream,)):
        status, _, body = await ask()
    error = json.loads(body)["error"]
    assert (400, "prompt") == (status, error["param"])
    assert "openai channel" in error["message"]
    assert [] == upstream.bodies


async def test_a_key_that_is_bound_to_models_must_name_one():
    """What the prompt would run nobody here knows."""
    async with asking("openai", grant=Grant(models=("m",))) as (ask, (upstream,)):
        status, _, body = await ask()
        named, _, _ = await ask(model="m")
    assert (404, 200) == (status, named)
    assert "name one" in json.loads(body)["error"]["message"]
    assert 1 == len(upstream.bodies)


async def test_null_is_no_prompt():
    """A request with neither is refused as one without a model."""
    async with asking("openai") as (ask, (upstream,)):
        status, _, body = await ask(prompt=None)
    assert (400, "model") == (status, json.loads(body)["error"]["param"])
    assert [] == upstream.bodies
