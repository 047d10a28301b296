"""A small agent loop: it resends its whole history each turn, in the spelling of one client.

Law: no turn ends unless the model was shown exactly the history that the client sent, and an
agent that did not name a previous response is never told of one.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from openai import AsyncOpenAI
from openai.types.responses import Response

from longwire.emulator import Emulator, Turn, digest

MODEL = "gpt-5.5"
TOOLS: list[Any] = [
    {
        "type": "function",
        "name": "read",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
        },
    },
    {"type": "custom", "name": "patch"},
]

Item = dict[str, Any]
Replay = Callable[[Sequence[Any]], Sequence[Any]]
"""How a client puts the output items of a response into its history."""
Asked = tuple[Any, Response]
Ask = Callable[[AsyncOpenAI, dict[str, Any]], Awaitable[Asked]]
"""How a client asks for a response."""


def scripted(**members: Any) -> dict[str, str]:
    """The `metadata` of a request that directs the pretended model for this request alone."""
    return {"emulator": json.dumps(members)}


def user(text: str) -> Item:
    """A question."""
    return {"role": "user", "content": text}


async def whole(client: AsyncOpenAI, request: dict[str, Any]) -> Asked:
    """Ask for one JSON answer."""
    raw = await client.responses.with_raw_response.create(**request)
    return raw.http_response, raw.parse()


async def streamed(client: AsyncOpenAI, request: dict[str, Any]) -> Asked:
    """Ask for events; they are numbered without gaps and end with their terminal."""
    raw = await client.responses.with_raw_response.create(**request, stream=True)
    events = [event async for event in raw.parse()]
    assert list(range(len(events))) == [event.sequence_number for event in events]
    previous = {e.response.previous_response_id for e in events if hasattr(e, "response")}
    assert {request.get("previous_response_id")} == previous
    return raw.http_response, events[-1].response


async def helped(client: AsyncOpenAI, request: dict[str, Any]) -> Asked:
    """Ask through the client's own streaming helper, and take its final response."""
    async with client.responses.stream(**request) as stream:
        final = await stream.get_final_response()
        return stream._response, final


def as_given(output: Sequence[Any]) -> Sequence[Any]:
    """`input += response.output`."""
    return output


@dataclass(frozen=True, slots=True)
class Told:
    """One turn from all sides: what the gateway's headers said, the answer, the emulator's record.

    `way` is continuity and reason in one: `continued`, `fresh history_rewritten`.
    """

    way: str
    transport: str
    channel: str
    response: Response
    record: Turn
    history: list[Item]
    """The history as the request held it."""


class Agent:
    """A client with one conversation; `members` go into the body of every request."""

    def __init__(
        self,
        client: AsyncOpenAI,
        emulator: Emulator,
        *,
        ask: Ask = whole,
        replay: Replay = as_given,
        **members: Any,
    ) -> None:
        self.client = client
        self._emulator = emulator
        self._ask = ask
        self._replay = replay
        self.members: dict[str, Any] = {
            "model": MODEL,
            "tools": TOOLS,
            "include": ["reasoning.encrypted_content"],
            "store": False,
            **members,
        }
        self.history: list[Any] = []
        self.opens_with_text = False
        self.last: Sequence[Any] = ()
        """The output of the newest response."""
        self.known: dict[str, Item] = {}
        """All output items so far by their ids, for references to them."""

    def fork(self) -> "Agent":
        """Another agent with the same history, on the same client."""
        other = Agent(
            self.client, self._emulator, ask=self._ask, replay=self._replay, **self.members
        )
        other.history, other.known = [*self.history], {**self.known}
        return other

    async def turns(self, count: int) -> list[Told]:
        """Take some turns: answer the tool calls where there are any, else ask a question."""
        return [await self.step() for _ in range(count)]

    async def step(self, **members: Any) -> Told:
        """Take one turn, with `members` in the body of its request alone."""
        return await self.say(*self.following(), **members)

    def following(self) -> Iterator[Item]:
        """What this agent says next."""
        calls = [item for item in self.last if item.type.endswith("_call")]
        for number, call in enumerate(calls):
            text = f"{call.name} gave ✓ {number}"
            yield {"type": f"{call.type}_output", "call_id": call.call_id, "output": text}
        if not calls:
            yield user(f"question {len(self.history)}")

    async def say(self, *items: Any, **members: Any) -> Told:
        """Add items to the history, ask, and add the answer as this agent's client replays it."""
        self.history += items
        return await self.ask(**members)

    async def ask(self, **members: Any) -> Told:
        """Ask with the history as it stands."""
        text = self.opens_with_text and len(self.history) == 1
        given = self.history[0]["content"] if text else self.history
        request = {**self.members, "input": given, **members}
        answer, response = await self._ask(self.client, request)
        told = self._told(answer, response)
        self.known |= {item.id: item.to_dict() for item in response.output}
        self.history += self._replay(response.output)
        self.last = response.output
        return told

    def _told(self, answer: Any, response: Response) -> Told:
        sent = json.loads(answer.request.content)["input"]
        (record,) = [turn for turn in self._emulator.turns if turn.response_id == response.id]
        if not json.loads(answer.request.content).get("previous_response_id"):
            assert digest(sent, self.known) == record.digest
            assert response.previous_response_id is None
        reason = answer.headers.get("x-longwire-reason", "")
        return Told(
            way=f"{answer.headers['x-longwire-continuity']} {reason}".strip(),
            transport=answer.headers["x-longwire-transport"],
            channel=answer.headers["x-longwire-channel"],
            response=response,
            record=record,
            history=sent,
        )


def ways(turns: Sequence[Told]) -> list[str]:
    """How each turn travelled."""
    return [told.way for told in turns]
