"""A raw client: what a test sends is exactly what it wrote, nothing is retried or repaired."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from longwire.emulator import Emulator, Options, Script

TERMINALS = {
    "error",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.cancelled",
    "response.done",
    "response.error",
}
TOOLS = [
    {
        "type": "function",
        "name": "read",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
    }
]
USER = {"role": "user", "content": "hello"}


class Socket:
    """One WebSocket to the emulator."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, **members):
        await self.socket.send_str(json.dumps(members))

    async def event(self):
        message = await self.socket.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def closed(self):
        """The close code, None when the connection just ended."""
        while True:
            message = await self.socket.receive(timeout=5)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return self.socket.close_code

    async def rest(self):
        """Events up to and with the terminal."""
        events = [await self.event()]
        while events[-1]["type"] not in TERMINALS:
            events.append(await self.event())
        return events

    async def create(self, *items, **members):
        """Send a create and return all its events."""
        body = {"type": "response.create", "model": "m", "store": False, "input": list(items)}
        await self.send(**(body | members))
        return await self.rest()

    async def respond(self, *items, **members):
        """Send a create and return its response, which must complete."""
        terminal = (await self.create(*items, **members))[-1]
        assert terminal["type"] == "response.completed", terminal
        return terminal["response"]

    async def refuse(self, *items, **members):
        """Send a create and return the error it is refused with."""
        (error,) = await self.create(*items, **members)
        assert error["type"] == "error"
        return error


class Upstream:
    """An emulator and a way to reach it."""

    def __init__(self, emulator, session):
        self.emulator = emulator
        self.session = session

    @asynccontextmanager
    async def dial(self, route="/v1", key="sk-one", headers=None, **options):
        address = f"{self.emulator.url}{route}/responses"
        headers = {"authorization": f"Bearer {key}"} | (headers or {})
        async with self.session.ws_connect(
            address, headers=headers, max_msg_size=0, **options
        ) as ws:
            yield Socket(ws)

    async def emptied(self):
        """Wait until the emulator has seen the end of every WebSocket."""
        async with asyncio.timeout(5):
            while self.emulator.counters.sockets_open:  # noqa: ASYNC110 - it has no event for this
                await asyncio.sleep(0.001)

    def post(self, body, route="/v1", key="sk-one", path="/responses", headers=None):
        headers = {"authorization": f"Bearer {key}"} | (headers or {})
        body = {"model": "m", "input": [USER], "store": False} | body
        return self.session.post(self.emulator.url + route + path, json=body, headers=headers)


@pytest.fixture(scope="session", autouse=True)
def _no_stray_loop():
    """Keep looptime from making an event loop around plain functions that nobody closes."""
    asyncio.set_event_loop(None)


@pytest.fixture
def upstream():
    """An emulator with a raw client: a function of script and settings, a context manager."""

    @asynccontextmanager
    async def start(script=None, **options):
        async with (
            Emulator(Options(**options), script or Script()) as emulator,
            aiohttp.ClientSession() as session,
        ):
            yield Upstream(emulator, session)
            await asyncio.sleep(0)

    return start


@pytest.fixture
def tools():
    return TOOLS


@pytest.fixture
def user():
    return USER
