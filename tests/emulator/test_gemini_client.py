"""The official client of Gemini's API speaks with the emulator."""

from contextlib import asynccontextmanager

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from longwire.emulator import Fault, Script

MODEL = "gemini-3-flash"
HINT = "scene:rounds read"


def read(path: str) -> str:
    """Read a file."""
    return f"The content of {path}."


@asynccontextmanager
async def client_of(emulator):
    """A client over httpx: over aiohttp it warns of itself."""
    async with httpx2.AsyncClient() as session:
        options = types.HttpOptions(
            base_url=emulator.url, api_version="v1beta", httpx_async_client=session
        )
        yield genai.Client(api_key="sk-one", http_options=options).aio


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_with_automatic_calls(upstream, stream):
    """The client calls a function for three rounds, with signatures, and says the answer."""
    async with upstream(Script(parallel_calls=2)) as it:
        config = types.GenerateContentConfig(tools=[read], system_instruction="Be brief.")
        async with client_of(it.emulator) as client:
            chat = client.chats.create(model=MODEL, config=config)
            if stream:
                found = [chunk async for chunk in await chat.send_message_stream(HINT)]
                text = "".join(chunk.text or "" for chunk in found)
            else:
                text = (await chat.send_message(HINT)).text
        assert it.emulator.turns[-1].digest in text
        assert 4 == len(it.emulator.turns)
        assert [] == it.emulator.violations


async def test_models_and_counts(upstream):
    """Lists, single models and counts are what the client reads."""
    async with upstream() as it, client_of(it.emulator) as client:
        listed = [model.name async for model in await client.models.list()]
        assert [f"models/{name}" for name in it.emulator.options.gemini_models] == listed
        assert (
            "gemini-2.5-flash" == (await client.models.get(model="gemini-2.5-flash")).display_name
        )
        counted = await client.models.count_tokens(model=MODEL, contents="hello")
        response = await client.models.generate_content(model=MODEL, contents="hello")
        assert counted.total_tokens == response.usage_metadata.prompt_token_count
        assert types.FinishReason.STOP == response.candidates[0].finish_reason


async def test_a_schema_is_answered(upstream):
    """JSON comes in the format that the client wants."""
    async with upstream() as it, client_of(it.emulator) as client:
        rules = {"type": "object", "properties": {"name": {"type": "string"}}}
        config = {"response_mime_type": "application/json", "response_json_schema": rules}
        response = await client.models.generate_content(
            model=MODEL, contents="hello", config=types.GenerateContentConfig(**config)
        )
        assert {"name"} == set(response.parsed)


async def test_errors_are_understood(upstream):
    """Status and message arrive as the client's own errors, from a stream, too."""
    async with upstream() as it, client_of(it.emulator) as client:
        it.emulator.faults.add(Fault(at="after_create", act="error", status=429, message="Slow"))
        with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
            await client.models.generate_content(model=MODEL, contents="hello")
        it.emulator.faults.add(Fault(at="mid_delta", act="error", status=503))
        stream = await client.models.generate_content_stream(model=MODEL, contents="hello")
        with pytest.raises(errors.APIError, match="UNAVAILABLE"):
            _ = [chunk async for chunk in stream]
