"""A client of Gemini's API: every later turn goes on over one upstream connection."""

import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types

from tests.conftest import KEY
from tests.journeys.conftest import SCRIPT

MODEL = "gpt-5.5"
TURNS = 5
THINKING = types.ThinkingConfig(include_thoughts=True, thinking_level="LOW")
BOTH = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])


class Ways:
    """How each turn went upstream, by the headers of its answer."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def note(self, response: httpx2.Response) -> None:
        """Keep what the gateway says of a turn."""
        reason = response.headers.get("x-longwire-reason", "")
        self.seen.append(f"{response.headers.get('x-longwire-continuity')} {reason}".strip())

    @property
    def all_continued(self) -> bool:
        """Whether one turn began, and all later ones went on."""
        return self.seen == ["fresh new_session", *["continued"] * (len(self.seen) - 1)]


@pytest.fixture
def ways() -> Ways:
    """How the turns of this test went."""
    return Ways()


@pytest.fixture
async def client(gateway, ways) -> AsyncIterator[Any]:
    """The official client, without retries."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hooks = {"response": [ways.note]}
    async with httpx2.AsyncClient(
        event_hooks=hooks, trust_env=False, verify=bare, timeout=20
    ) as own:
        options = types.HttpOptions(
            base_url=gateway.url,
            httpx_async_client=own,
            client_args={"verify": bare},
            async_client_args={"verify": bare, "ssl": bare},
        )
        with genai.Client(api_key=KEY, http_options=options) as client:
            yield client.aio


async def said(client, streams: bool, **request) -> types.Content:
    """Ask for content; return what the model said, streamed pieces in one content."""
    if not streams:
        answer = await client.models.generate_content(model=MODEL, **request)
        return answer.candidates[0].content
    parts = []
    async for chunk in await client.models.generate_content_stream(model=MODEL, **request):
        parts += chunk.candidates[0].content.parts
    return types.Content(role="model", parts=parts)


def function(name: str) -> types.FunctionDeclaration:
    """A function to call."""
    schema = {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}}
    return types.FunctionDeclaration(name=name, description="Do it.", parameters=schema)


def answers(content: types.Content, *, with_ids: bool) -> types.Content:
    """What the functions return that a model called."""
    parts = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.function_call.id if with_ids else None,
                name=call.function_call.name,
                response={"result": f"{call.function_call.name} ✓"},
            )
        )
        for call in content.parts
        if call.function_call
    ]
    return types.Content(role="user", parts=parts)


@BOTH
@pytest.mark.parametrize("with_ids", [True, False], ids=["ids", "no ids"])
@pytest.mark.parametrize("thinking", [THINKING, None], ids=["thinking", "no thinking"])
async def test_every_later_turn_is_continued(
    emulator, client, ways, thinking, *, with_ids, streams
):
    """Tools, parallel calls, thoughts: one handshake, also where answers of calls have no ids."""
    emulator.script = SCRIPT
    tools = [types.Tool(function_declarations=[function("read"), function("a.b:c")])]
    config = types.GenerateContentConfig(
        system_instruction="You are an agent.", tools=tools, thinking_config=thinking
    )
    contents = [types.Content(role="user", parts=[types.Part(text="question")])]
    for _ in range(TURNS):
        content = await said(client, streams, contents=contents, config=config)
        replies = answers(content, with_ids=with_ids)
        contents += [content, replies if replies.parts else types.UserContent("and now?")]
    assert ways.all_continued, ways.seen
    assert 1 == emulator.counters.sockets_opened
