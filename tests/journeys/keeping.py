"""Official clients that keep all that they were sent: items, blocks, details and signatures.

Law: whatever an answer has, the next request brings back; every call is answered.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anthropic
import httpx2
from google import genai
from google.genai import types
from openai import AsyncOpenAI

from tests.conftest import KEY
from tests.journeys.clients import transcript

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
ANSWER = "42"
"""What every call returns."""


class Keeping(Protocol):
    """A client with one conversation."""

    def said(self) -> list[transcript.Said]:
        """What was said so far."""

    def ask(self, question: str) -> None:
        """Say something."""

    async def turn(self, model: str) -> bool:
        """Take a turn, and answer the calls of the model; say whether there were any."""


class ResponsesClient:
    """A client of Responses, which keeps all items."""

    def __init__(self, client: AsyncOpenAI, *, streams: bool) -> None:
        self._responses, self._streams = client.responses, streams
        self._items: list[Any] = []

    def said(self) -> list[transcript.Said]:
        """What was said so far."""
        return transcript.of_items(self._items)

    def ask(self, question: str) -> None:
        """Say something."""
        self._items.append({"role": "user", "content": question})

    async def turn(self, model: str) -> bool:
        """Take a turn, and answer the calls of the model; say whether there were any."""
        request: Any = {
            "model": model,
            "input": self._items,
            "tools": [{"type": "function", "name": "read", "parameters": SCHEMA, "strict": False}],
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "high", "summary": "auto"},
            "store": False,
        }
        if self._streams:
            async with self._responses.stream(**request) as stream:
                response = await stream.get_final_response()
        else:
            response = await self._responses.create(**request)
        assert "completed" == response.status
        self._items += [item.to_dict() for item in response.output]
        outputs = [
            {"type": "function_call_output", "call_id": item.call_id, "output": ANSWER}
            for item in response.output
            if item.type == "function_call"
        ]
        self._items += outputs
        return bool(outputs)


class MessagesClient:
    """A client of Messages, which keeps all blocks."""

    def __init__(self, client: anthropic.AsyncAnthropic, *, streams: bool) -> None:
        self._messages, self._streams = client.messages, streams
        self._history: list[Any] = []

    def said(self) -> list[transcript.Said]:
        """What was said so far."""
        return transcript.of_messages({"messages": self._history})

    def ask(self, question: str) -> None:
        """Say something."""
        self._history.append({"role": "user", "content": question})

    async def turn(self, model: str) -> bool:
        """Take a turn, and answer the calls of the model; say whether there were any."""
        request: Any = {
            "model": model,
            "max_tokens": 8192,
            "messages": self._history,
            "thinking": {"type": "adaptive", "display": "summarized"},
            "tools": [{"name": "read", "input_schema": SCHEMA}],
        }
        if self._streams:
            async with self._messages.stream(**request) as stream:
                message = await stream.get_final_message()
        else:
            message = await self._messages.create(**request)
        self._history.append({"role": "assistant", "content": message.to_dict()["content"]})
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": ANSWER}
            for block in message.content
            if block.type == "tool_use"
        ]
        if results:
            self._history.append({"role": "user", "content": results})
        assert message.stop_reason == ("tool_use" if results else "end_turn")
        return bool(results)


class ChatClient:
    """A client of Chat Completions, which keeps messages with the details of their reasoning."""

    def __init__(self, client: AsyncOpenAI, *, streams: bool) -> None:
        self._completions, self._streams = client.chat.completions, streams
        self._history: list[Any] = []

    def said(self) -> list[transcript.Said]:
        """What was said so far."""
        return transcript.of_chat({"messages": self._history})

    def ask(self, question: str) -> None:
        """Say something."""
        self._history.append({"role": "user", "content": question})

    async def turn(self, model: str) -> bool:
        """Take a turn, and answer the calls of the model; say whether there were any."""
        function = {"name": "read", "parameters": SCHEMA}
        request: Any = {
            "model": model,
            "messages": self._history,
            "tools": [{"type": "function", "function": function}],
            "extra_body": {"reasoning": {"effort": "high"}},
        }
        if self._streams:
            async with self._completions.stream(**request) as stream:
                choice = (await stream.get_final_completion()).choices[0]
        else:
            choice = (await self._completions.create(**request)).choices[0]
        message = choice.message.model_dump(exclude_none=True, exclude={"parsed"})
        self._history.append(message)
        calls = choice.message.tool_calls or ()
        self._history += [
            {"role": "tool", "tool_call_id": each.id, "content": ANSWER} for each in calls
        ]
        assert choice.finish_reason == ("tool_calls" if calls else "stop")
        return bool(calls)


class GeminiClient:
    """A client of Gemini's API, which keeps all parts."""

    def __init__(self, client: Any, *, streams: bool) -> None:
        self._models, self._streams = client.models, streams
        self._history: list[types.Content] = []

    def said(self) -> list[transcript.Said]:
        """What was said so far."""
        dumped = [
            each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in self._history
        ]
        return transcript.of_contents({"contents": dumped})

    def ask(self, question: str) -> None:
        """Say something."""
        self._history.append(types.UserContent(question))

    async def turn(self, model: str) -> bool:
        """Take a turn, and answer the calls of the model; say whether there were any."""
        function = types.FunctionDeclaration(name="read", parameters_json_schema=SCHEMA)
        thinking = types.ThinkingConfig(include_thoughts=True, thinking_level="HIGH")
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[function])], thinking_config=thinking
        )
        request: Any = {"model": model, "contents": self._history, "config": config}
        if self._streams:
            chunks = await self._models.generate_content_stream(**request)
            parts = [part async for chunk in chunks for part in chunk.candidates[0].content.parts]
        else:
            answer = await self._models.generate_content(**request)
            parts = answer.candidates[0].content.parts
        self._history.append(types.Content(role="model", parts=parts))
        results = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=part.function_call.id,
                    name=part.function_call.name,
                    response={"output": ANSWER},
                )
            )
            for part in parts
            if part.function_call
        ]
        if results:
            self._history.append(types.Content(role="user", parts=results))
        return bool(results)


@asynccontextmanager
async def anthropic_client(url: str) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """Anthropic's own client, without retries."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    http = anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=bare)
    async with anthropic.AsyncAnthropic(
        base_url=url, auth_token=KEY, max_retries=0, http_client=http
    ) as own:
        yield own


@asynccontextmanager
async def gemini_client(url: str) -> AsyncIterator[Any]:
    """Google's own client, without retries."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx2.AsyncClient(trust_env=False, verify=bare, timeout=20) as http:
        options = types.HttpOptions(
            base_url=url,
            httpx_async_client=http,
            client_args={"verify": bare},
            async_client_args={"verify": bare, "ssl": bare},
        )
        with genai.Client(api_key=KEY, http_options=options) as own:
            yield own.aio
