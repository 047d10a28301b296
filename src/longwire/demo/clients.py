"""One conversation as each of the official clients holds it, in the form of its own API.

Each resends its whole history every turn, and keeps what it was answered as the client's own
examples do. Nothing in here knows of the gateway.
"""

import json
import time
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from longwire.emulator import digest, said

_MAX_TOKENS = 4096
Tool = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What an agent is to keep to, and the tools it has: functions of the Responses API."""

    instructions: str
    tools: Sequence[Tool]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model wants to be called."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered: no calls where it is done."""

    calls: Sequence[Call]
    cached_tokens: int


@dataclass(slots=True)
class Meter:
    """The last turn on the wire, seen by hooks of the HTTP client; `first_event` in seconds."""

    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    first_event: float = 0.0
    _sent_at: float = 0.0

    def http_client(self) -> DefaultAsyncHttpxClient:
        """Return an HTTP client that is measured; all official clients are built on its kind."""
        hooks: dict[str, list[Any]] = {"request": [self._sends], "response": [self._receives]}
        return DefaultAsyncHttpxClient(event_hooks=hooks)

    async def _sends(self, request: Any) -> None:  # noqa: ANN401 - httpx2's, which is not ours
        """Measure from here: before, the client was busy with the history on its own."""
        self.body, self._sent_at = request.content, time.perf_counter()

    async def _receives(self, response: Any) -> None:  # noqa: ANN401 - likewise
        self.headers = response.headers

    async def read(self, events: AsyncIterable[object]) -> None:
        """Read a stream to its end."""
        self.first_event = 0.0
        async for _ in events:
            self.first_event = self.first_event or time.perf_counter() - self._sent_at


class Conversation(Protocol):
    """One official client with its history."""

    meter: Meter

    def ask(self, question: str) -> None:
        """Append what the user says."""

    def answer(self, results: Mapping[str, str]) -> None:
        """Append what tools returned, by the id of their call."""

    async def turn(self) -> Reply:
        """Send the history, read the answer, and append it."""

    async def close(self) -> None:
        """Close the connections."""


class Responses:
    """`client.responses`."""

    def __init__(self, url: str, key: str, model: str, task: Task) -> None:
        self.meter = Meter()
        self._client = openai_client(url, key, self.meter)
        self._model, self._tools = model, task.tools
        self._history: list[Any] = [{"role": "developer", "content": task.instructions}]
        self.close = self._client.close

    def ask(self, question: str) -> None:
        """Append a user message."""
        self._history.append({"role": "user", "content": question})

    def answer(self, results: Mapping[str, str]) -> None:
        """Append one item for each result."""
        for identity, text in results.items():
            item = {"type": "function_call_output", "call_id": identity, "output": text}
            self._history.append(item)

    async def turn(self) -> Reply:
        """Keep the items of the output."""
        tools: Any = self._tools
        async with self._client.responses.stream(
            model=self._model,
            input=self._history,
            tools=tools,
            include=["reasoning.encrypted_content"],
            store=False,
        ) as stream:
            await self.meter.read(stream)
            response = await stream.get_final_response()
        self._history += response.output
        calls = [Call(i.call_id, i.name) for i in response.output if i.type == "function_call"]
        usage = response.usage
        return Reply(calls, usage.input_tokens_details.cached_tokens if usage else 0)

    def shown(self) -> str:
        """Return the upstream's digest of what the last request is to show the model."""
        return digest(self._sent())

    def shown_in_messages(self) -> str:
        """Return the same of an upstream that is asked in Messages."""
        return digest(said(self._sent(), ""))

    def _sent(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self.meter.body)["input"]
        return items


class ChatCompletions:
    """`client.chat.completions`."""

    def __init__(self, url: str, key: str, model: str, task: Task) -> None:
        self.meter = Meter()
        self._client = openai_client(url, key, self.meter)
        self._model = model
        self._tools: Any = [{"type": "function", "function": function(t)} for t in task.tools]
        self._history: list[Any] = [{"role": "developer", "content": task.instructions}]
        self.close = self._client.close

    def ask(self, question: str) -> None:
        """Append a user message."""
        self._history.append({"role": "user", "content": question})

    def answer(self, results: Mapping[str, str]) -> None:
        """Append one message for each result."""
        for identity, text in results.items():
            message = {"role": "tool", "tool_call_id": identity, "content": text}
            self._history.append(message)

    async def turn(self) -> Reply:
        """Keep the message, with its reasoning as OpenRouter's extension of the API has it."""
        async with self._client.chat.completions.stream(
            model=self._model,
            messages=self._history,
            tools=self._tools,
            stream_options={"include_usage": True},
            extra_body={"include_reasoning": True},
        ) as stream:
            await self.meter.read(stream)
            completion = await stream.get_final_completion()
        message = completion.choices[0].message
        self._history.append(message)
        calls = [Call(call.id, call.function.name) for call in message.tool_calls or ()]
        details = completion.usage and completion.usage.prompt_tokens_details
        return Reply(calls, (details and details.cached_tokens) or 0)


class Messages:
    """`client.messages`, of Anthropic's."""

    def __init__(self, url: str, key: str, model: str, task: Task) -> None:
        self.meter = Meter()
        self._client = AsyncAnthropic(
            base_url=url, api_key=key, max_retries=0, http_client=self.meter.http_client()
        )
        self._model, self._instructions = model, task.instructions
        self._tools: Any = [
            {"name": t["name"], "description": t["description"], "input_schema": t["parameters"]}
            for t in task.tools
        ]
        self._history: list[Any] = []
        self.close = self._client.close

    def ask(self, question: str) -> None:
        """Append a user message."""
        self._history.append({"role": "user", "content": question})

    def answer(self, results: Mapping[str, str]) -> None:
        """Append one user message that holds all results."""
        blocks = [
            {"type": "tool_result", "tool_use_id": identity, "content": text}
            for identity, text in results.items()
        ]
        self._history.append({"role": "user", "content": blocks})

    async def turn(self) -> Reply:
        """Keep the blocks of the content, thinking included."""
        async with self._client.messages.stream(
            model=self._model,
            max_tokens=_MAX_TOKENS,
            system=self._instructions,
            messages=self._history,
            tools=self._tools,
            thinking={"type": "adaptive"},
        ) as stream:
            await self.meter.read(stream)
            message = await stream.get_final_message()
        self._history.append({"role": "assistant", "content": message.content})
        calls = [
            Call(block.id, block.name) for block in message.content if block.type == "tool_use"
        ]
        return Reply(calls, message.usage.cache_read_input_tokens or 0)


def openai_client(url: str, key: str, meter: Meter) -> AsyncOpenAI:
    """Return the client of both APIs of OpenAI's."""
    http = meter.http_client()
    return AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, http_client=http)


def function(tool: Tool) -> Tool:
    """Return a tool as Chat Completions nests it."""
    return {name: value for name, value in tool.items() if name != "type"}
