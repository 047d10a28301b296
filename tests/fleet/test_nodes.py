"""Nodes that share a Valkey know, and hear, each other."""

import asyncio

import pytest

from longwire.fleet.joined import joined
from tests.doubles.valkey import until


@pytest.fixture
async def nodes(valkey_server):
    a, b = joined(valkey_server.url, "a"), joined(valkey_server.url, "b")

    async def know_each_other():
        return 4 == len(await a.nodes.all()) + len(await b.nodes.all())

    async with a.running(), b.running():
        await until(know_each_other)
        yield a, b


async def test_each_knows_the_other(nodes):
    """All are there by their names, as they are now."""
    a, _ = nodes
    a.nodes.stage, a.nodes.figures = lambda: "ready", lambda: {"sessions": 3}
    own, other = await a.nodes.all()
    assert ("a", "ready", {"sessions": 3}) == (own.name, own.stage, own.figures)
    assert ("b", "starting") == (other.name, other.stage)


async def test_what_one_tells_the_other_hears(nodes):
    """And who tells it does not."""
    heard = asyncio.Queue()
    a, b = nodes
    a.tidings.hear("cooling", lambda node, facts: heard.put_nowait(("a", node, facts)))
    b.tidings.hear("cooling", lambda node, facts: heard.put_nowait(("b", node, facts)))

    def is_heard():
        a.tidings.tell("cooling", {"route": "x"})
        return not heard.empty()

    await until(is_heard)
    assert ("b", "a", {"route": "x"}) == heard.get_nowait()
