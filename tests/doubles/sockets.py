"""A client of the gateway's WebSocket mode that says and reads whole messages."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.conftest import KEY

ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
MODEL = "gpt-5.5"
Message = dict[str, Any]


def user(text: str) -> Message:
    """A question."""
    return {"role": "user", "content": text}


class Socket:
    """One connection; `members` go into every `response.create`."""

    def __init__(self, connection: ClientConnection, members: Message) -> None:
        self.connection = connection
        self.members = members
        self._unread: dict[str | None, list[Message]] = {}

    async def send(self, message: object) -> None:
        """Send a message; bytes as a binary one, a string as it stands."""
        raw = message if isinstance(message, str | bytes) else json.dumps(message)
        await self.connection.send(raw)

    async def receive(self) -> Message:
        """Return the next message, whatever lane it is of."""
        async with asyncio.timeout(20):
            raw = await self.connection.recv()
        assert isinstance(raw, str)
        return json.loads(raw)

    async def create(self, *items: Any, **members: Any) -> None:
        """Ask for a response."""
        given = items[0] if len(items) == 1 and isinstance(items[0], str) else list(items)
        await self.send({"type": "response.create", **self.members, "input": given, **members})

    async def events(self, lane: str | None = None) -> list[Message]:
        """Return the events of the next response of a lane; those of other lanes are set aside."""
        events = self._unread.setdefault(lane, [])
        while not events or events[-1]["type"] not in ENDS:
            message = await self.receive()
            self._unread.setdefault(message.get("stream_id"), []).append(message)
        ends = next(i for i, event in enumerate(events) if event["type"] in ENDS) + 1
        self._unread[lane] = events[ends:]
        return events[:ends]

    async def ask(self, *items: Any, **members: Any) -> Message:
        """Ask, and return the response, whose events are numbered without gaps, or the error."""
        await self.create(*items, **members)
        return await self.answer(members.get("stream_id"), members.get("previous_response_id"))

    async def answer(self, lane: str | None = None, previous: str | None = None) -> Message:
        """Return the response that ends next on a lane, or the error."""
        events = await self.events(lane)
        assert {lane} == {event.get("stream_id") for event in events}
        if events[-1]["type"] == "error":
            return events[-1]
        numbered = [event for event in events if event["type"] != "keepalive"]
        assert list(range(len(numbered))) == [event["sequence_number"] for event in numbered]
        named = {e["response"]["previous_response_id"] for e in events if "response" in e}
        assert {previous} == named
        return events[-1]["response"]

    async def closed(self) -> tuple[int | None, str]:
        """Wait for the end; return code and reason of the close."""
        async with asyncio.timeout(20):
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason or ""


@asynccontextmanager
async def socket(
    url: str, key: str = KEY, headers: dict | None = None, path: str = "/v1/responses", **members
) -> AsyncIterator[Socket]:
    """Connect to a gateway; `members` go into every request. A key of "" is not sent."""
    named = {"authorization": f"Bearer {key}"} if key else {}
    named |= headers or {}
    offered = [each for each in named.pop("sec-websocket-protocol", "").split(", ") if each]
    address = url.replace("http", "ws", 1) + path
    options = {"max_size": None, "proxy": None, "close_timeout": 2, "compression": None}
    options |= {"subprotocols": offered or None}
    async with connect(address, additional_headers=named, **options) as connection:
        yield Socket(connection, {"model": MODEL, **members})
