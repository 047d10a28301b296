"""A conversation over the WebSocket mode that says only what is new, and remembers all of it.

Law: no turn ends unless the model was shown exactly what was said and answered so far.
"""

from contextlib import asynccontextmanager

from longwire.emulator import Emulator, digest
from tests.doubles.sockets import Socket, socket, user
from tests.journeys.agent import TOOLS

STEADY = {"tools": TOOLS, "store": False, "include": ["reasoning.encrypted_content"]}


class Talk:
    """A conversation on one lane: it says only what is new, and remembers all of it."""

    def __init__(self, client: Socket, emulator: Emulator, lane: str | None = None) -> None:
        self.client = client
        self.emulator = emulator
        self.lane = {"stream_id": lane} if lane else {}
        self.history: list = []
        self.last: dict = {}
        self.previous: str | None = None

    def fork(self, lane: str | None = None) -> "Talk":
        """Another conversation that goes on from here."""
        other = Talk(self.client, self.emulator, lane)
        other.history, other.last, other.previous = [*self.history], self.last, self.previous
        return other

    def following(self) -> list:
        """What is said next: outputs of the tools where there are calls, else a question."""
        calls = [item for item in self.last.get("output", ()) if item["type"].endswith("_call")]
        outputs = [
            {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": f"✓ {number}"}
            for number, call in enumerate(calls)
        ]
        return outputs or [user(f"question {len(self.history)}")]

    async def step(self, *items, **members) -> dict:
        """Take a turn; the model was shown exactly what was said and answered so far."""
        new = list(items) or self.following()
        if self.previous:
            members.setdefault("previous_response_id", self.previous)
        response = await self.client.ask(*new, **self.lane, **members)
        assert "response" == response.get("object"), response
        self.history += [user(item) if isinstance(item, str) else item for item in new]
        records = [turn for turn in self.emulator.turns if turn.response_id == response["id"]]
        for record in records:
            assert digest(self.history) == record.digest
        self.history += response["output"]
        self.last, self.previous = response, response["id"]
        return response

    async def steps(self, count: int) -> None:
        """Take some turns."""
        for _ in range(count):
            await self.step()


@asynccontextmanager
async def talking(gateway, emulator, **given):
    """A conversation on a connection of its own."""
    async with socket(gateway.url, **{**STEADY, **given}) as client:
        yield Talk(client, emulator)
