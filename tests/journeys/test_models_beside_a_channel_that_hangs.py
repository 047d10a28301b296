"""`GET /v1/models` while an upstream's own list never comes."""

import asyncio
import json
import time

import pytest

from longwire.emulator import Emulator, Options
from tests.doubles.canned import canned
from tests.server.data.codex_channels import before, channel_to

NEVER = [3600.0]


@pytest.fixture
async def upstream():
    async with Emulator(Options()) as running:
        yield running


def openai_to(url, name, *models):
    """A channel that has to ask for its models."""
    declared = {"type": "openai", "base_url": f"{url}/v1", "transport": "http"}
    return channel_to(url, name=name, models=list(models), **declared)


async def listed(client, path):
    """The names of a list, and how many seconds it took."""
    began = time.monotonic()
    status, _, body = await client.get(path)
    assert 200 == status
    lists = json.loads(body)
    names = [each.get("id") or each["slug"] for each in lists.get("data") or lists["models"]]
    return names, time.monotonic() - began


async def test_others_are_listed_beside_it(upstream):
    """In less than a second, at once afterwards; the one that hangs is asked once."""
    async with canned(NEVER) as hangs:
        channels = openai_to(hangs.url, "a", "hang-*"), openai_to(upstream.url, "b", "*")
        async with before(*channels) as client:
            await listed(client, "/v1/models")  # loads the HTTP client, which takes its time
            names, seconds = await listed(client, "/v1/models")
            assert ("gpt-5.5" in names, True) == (True, seconds < 1)
            status, _, _ = await client.get("/v1/models/gpt-5.5")
            assert 200 == status
    assert 1 == len(hangs.heads)


async def test_many_callers_ask_once(upstream):
    """Codex' list, and ten plain ones at once, of three channels that hang: one question each."""
    async with canned(NEVER) as hangs:
        channels = [channel_to(hangs.url, name=f"c{n}", models=["gpt-*"]) for n in range(3)]
        async with before(*channels, openai_to(upstream.url, "b", "gpt-5.5")) as client:
            names, seconds = await listed(client, "/v1/models?client_version=0.169.0")
            assert (["gpt-5.5"], True) == (names, seconds < 4)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(listed(client, "/v1/models")) for _ in range(10)]
            assert all(task.result()[1] < 1 for task in tasks)
    assert 3 == len(hangs.heads)
