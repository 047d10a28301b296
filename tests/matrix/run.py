"""One cell of the matrix: a case said in one API, served by an upstream of another."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from longwire.emulator import Emulator, digest
from longwire.emulator.carried import merged, numbered, said, spoken
from longwire.settings import Settings
from tests.conftest import KEY, Gateway, serving
from tests.journeys.conftest import settings_of
from tests.matrix.answers import Answer, answer_of
from tests.matrix.requests import APIS, Case, body_of, items_of

MODELS = {
    "responses": "gpt-5.5",
    "chat_completions": "gpt-5.5",
    "messages": "claude-opus-4-6",
    "generate_content": "gemini-3-pro-preview",
}
PATHS = {
    "responses": "/v1/responses",
    "chat_completions": "/v1/chat/completions",
    "messages": "/v1/messages",
}
TYPES = {"messages": "anthropic", "generate_content": "gemini"}


@dataclass(frozen=True)
class Cell:
    """What became of a case: the answer, the oracle's digest, and what the gateway said of it."""

    status: int
    answer: Answer | None
    digest: str
    api: str = ""
    dropped: str = ""
    error: str = ""


def expected(came: str, api: str, case: Case) -> str:
    """The digest of a conversation as an upstream's API can say it.

    Of the two roles that instruct, Messages and Gemini know neither: theirs is the developer's.
    """
    items = items_of(case)
    if api in ("responses", "chat_completions") and came in ("messages", "generate_content"):
        items[0]["role"] = "developer"
    if api == "messages":
        return digest(said(items))
    if api == "generate_content":
        return digest(numbered(merged(items)))
    return digest(spoken(items))


def settings_for(upstream: str) -> Settings:
    """A channel for each API; the model's name chooses."""
    channels = tuple(
        {
            "name": api,
            "type": TYPES.get(api, "openai"),
            "base_url": f"{upstream}/{'v1beta' if api == 'generate_content' else 'v1'}",
            "api_key": "sk-upstream",
            "transport": "http",
            "profile": "openai",
            "apis": [api],
            "models": [f"no-{api}"],
            "renames": {f"any-{api}": MODELS[api]},
        }
        for api in APIS
    )
    return settings_of(upstream, channels=channels)


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[Emulator, Gateway, aiohttp.ClientSession]]:
    """An emulator, a gateway before it, and somebody who asks."""
    async with (
        Emulator() as emulator,
        serving(settings_for(emulator.url)) as gateway,
        aiohttp.ClientSession(headers=headers()) as session,
    ):
        yield emulator, gateway, session


def headers() -> dict[str, str]:
    """What a client sends, whatever its API."""
    return {"x-api-key": KEY, "anthropic-version": "2023-06-01", "content-type": "application/json"}


def address(api: str, model: str, *, streams: bool) -> str:
    """Where a request is posted."""
    if api != "generate_content":
        return PATHS[api]
    action = "streamGenerateContent?alt=sse" if streams else "generateContent"
    return f"/v1beta/models/{model}:{action}"


async def cell(
    stage: tuple[Emulator, Gateway, aiohttp.ClientSession],
    way: tuple[str, str],
    case: Case,
    *,
    streams: bool,
) -> Cell:
    """Ask once."""
    emulator, gateway, session = stage
    came, asked = way
    model = f"any-{asked}"
    body = body_of(came, case, streams=streams)
    if "model" in body:
        body["model"] = model
    emulator.script = case.script
    before = len(emulator.turns)
    url = gateway.url + address(came, model, streams=streams)
    async with session.post(url, data=json.dumps(body)) as response:
        raw = await response.read()
        told = response.headers
        if response.status != 200:
            return Cell(response.status, None, "", error=raw.decode())
        turn = emulator.turns[-1] if len(emulator.turns) > before else None
        return Cell(
            200,
            answer_of(came, raw, streams=streams),
            turn.digest if turn else "",
            told.get("x-longwire-api", ""),
            told.get("x-longwire-dropped", ""),
        )
