"""Tools and efforts that come as items reach any upstream: as items, or as what they say."""

from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from longwire.emulator import Emulator, Script
from tests.conftest import KEY, serving
from tests.journeys.conftest import settings_of, websocket_channel

USER = {"role": "user", "content": "hi"}
MORE = {"role": "user", "content": "more"}
READ, WRITE = ({"type": "function", "name": name} for name in ("read", "write"))
TOOLS = {"type": "additional_tools", "role": "developer", "tools": [WRITE]}
UPDATE = {"type": "configuration_update", "reasoning": {"effort": "high"}}
STATELESS = {"store": False, "include": ["reasoning.encrypted_content"]}
CALLS_WRITE = Script(tool="write", reasoning=False, commentary=False)


@asynccontextmanager
async def conversation(emulator, **channel):
    """Gives a function that sends items more and returns the answer's way and its output."""
    settings = settings_of(emulator.url, channels=(websocket_channel(emulator.url, **channel),))
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(serving(settings))
        headers = {"authorization": f"Bearer {KEY}", "session-id": "s"}
        client = aiohttp.ClientSession(gateway.url, headers=headers)
        session = await stack.enter_async_context(client)
        history = []

        async def say(*items):
            history.extend(items)
            body = {"model": "m", "input": history, "tools": [READ], **STATELESS}
            async with session.post("/v1/responses", json=body) as reply:
                answer = await reply.json()
                assert 200 == reply.status, answer
            history.extend(answer["output"])
            names = ("x-longwire-continuity", "x-longwire-reason")
            return [reply.headers.get(name) for name in names], answer

        yield say


def outputs(answer):
    """What the client's tools say to the calls of an answer."""
    calls = (item for item in answer["output"] if item["type"] == "function_call")
    return [{"type": "function_call_output", "call_id": c["call_id"], "output": "1"} for c in calls]


GOES_ON, NEW = ["continued", None], ["fresh", "properties_changed"]


@pytest.mark.parametrize(
    ("native", "item", "then"),
    [
        (["additional_tools"], TOOLS, GOES_ON),
        (["configuration_update"], UPDATE, GOES_ON),
        (["additional_tools"], UPDATE, NEW),
        (["configuration_update"], TOOLS, NEW),
        ([], TOOLS, NEW),
        ([], UPDATE, NEW),
        (None, TOOLS, GOES_ON),
        (None, UPDATE, GOES_ON),
    ],
)
async def test_an_item_in_the_middle(native, item, then):
    """An upstream that takes it goes on; any other costs one fresh turn, and goes on from there.

    Where nothing is set, what a client of the Responses API wrote goes upstream as it is.
    """
    async with Emulator() as emulator, conversation(emulator, native_items=native) as say:
        emulator.script = Script(tool_rounds=0)
        ways = [(await say(*items))[0] for items in ((USER,), (MORE,), (item, MORE), (MORE,))]
        assert [GOES_ON, then, GOES_ON] == ways[1:]
        assert [] == emulator.violations


@pytest.mark.parametrize("native", [["additional_tools"], []])
async def test_a_tool_that_came_as_an_item_is_called(native):
    """The model has it either way, in that turn and in those that follow."""
    async with Emulator() as emulator, conversation(emulator, native_items=native) as say:
        emulator.script = CALLS_WRITE
        for items in ((USER, TOOLS, MORE), (MORE,)):
            _, answer = await say(*items)
            assert ["write"] == [each["name"] for each in answer["output"]]
            way, _ = await say(*outputs(answer))
            assert GOES_ON == way
        assert [] == emulator.violations
