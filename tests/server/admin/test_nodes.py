"""The nodes of a fleet over GraphQL."""

import asyncio

import pytest

from longwire.fleet.joined import joined
from longwire.fleet.nodes import Node, Presence
from tests.doubles.valkey import running_valkey, until
from tests.server.admin.conftest import SQLITE

NODES = """{ nodes {
    isShared isCutOff missing { name silentFor }
    nodes { name stage sessions turnsPerSecond turnsUnderWay isSelf isDuplicate
            counts { what where } }
} }"""


@SQLITE
async def test_a_gateway_that_is_alone_is_one_node(admin, administration):
    """It tells of itself, and counts everything by itself."""
    nodes = administration.fleet.nodes
    nodes.stage = lambda: "ready"
    nodes.figures = lambda: {"sessions": 3, "turns_per_second": 1.5, "turns_under_way": 2}
    whole = await admin.get(NODES)
    (own,) = whole.pop("nodes")
    assert {"isShared": False, "isCutOff": False, "missing": []} == whole
    counts = own.pop("counts")
    assert {"process"} == {each["where"] for each in counts}
    assert {"limits", "homes", "pace", "sign_in_throttle"} == {each["what"] for each in counts}
    assert {
        "name": "a",
        "stage": "ready",
        "sessions": 3,
        "turnsPerSecond": 1.5,
        "turnsUnderWay": 2,
        "isSelf": True,
        "isDuplicate": False,
    } == own


@SQLITE
@pytest.mark.fleet
async def test_others_are_told_and_who_went_silent(admin, administration, monkeypatch):
    """Each node of the fleet is there, a name that two have is marked, a silent one is named."""
    async with running_valkey() as server:
        a, b, twin = (joined(server.url, name) for name in ("a", "b", "b"))
        object.__setattr__(administration, "fleet", a)
        async with a.running(), b.running(), twin.running():

            async def all_are_there():
                return 3 == len((await a.nodes.presence()).nodes)

            await until(all_are_there)
            told = await admin.get(NODES)
        names = [(each["name"], each["isSelf"], each["isDuplicate"]) for each in told["nodes"]]
        assert [("a", True, False), ("b", False, True), ("b", False, True)] == names
        assert (True, False, []) == (told["isShared"], told["isCutOff"], told["missing"])
    silent = Presence([Node("a", "1")], {"b": 20.04, "a": 99.0})

    async def presence():
        return await asyncio.sleep(0, silent)

    monkeypatch.setattr(a.nodes, "presence", presence)
    told = await admin.get(NODES)
    assert [{"name": "b", "silentFor": 20.0}] == told["missing"]
