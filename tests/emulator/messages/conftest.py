"""A raw client of Messages: what a test sends is exactly what it wrote."""

import json
from contextlib import asynccontextmanager

import pytest

USER = {"role": "user", "content": "hello"}
TOOL = {
    "name": "read",
    "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}},
}
THINKING = {"type": "adaptive"}


class Claude:
    """An emulator and a client that speaks Messages to it."""

    def __init__(self, upstream):
        self.emulator = upstream.emulator
        self.session = upstream.session

    def post(self, body, path="/v1/messages?beta=true", key="sk-one", betas="", headers=None):
        own = {"x-api-key": key, "anthropic-version": "2023-06-01", "anthropic-beta": betas}
        own = {name: value for name, value in (own | (headers or {})).items() if value}
        return self.session.post(self.emulator.url + path, json=body, headers=own)

    async def answer(
        self, *messages, status=200, path="/v1/messages", key="sk-one", betas="", **members
    ):
        """The JSON of a whole answer or of a refusal with this status."""
        body = {"model": "claude-opus-5-5", "max_tokens": 1000, "messages": list(messages)}
        async with self.post(body | members, path, key, betas) as answer:
            content = await answer.json()
            assert status == answer.status, content
            return content

    async def refusal(self, *messages, **members):
        """The words of a refusal with 400."""
        content = await self.answer(*messages, status=400, **members)
        assert ("error", "invalid_request_error") == (content["type"], content["error"]["type"])
        return content["error"]["message"]

    async def events(self, *messages, betas="", **members):
        """The events of a stream, each named by its type."""
        body = {"model": "claude-opus-5-5", "max_tokens": 1000, "messages": list(messages)}
        async with self.post(body | members | {"stream": True}, betas=betas) as answer:
            assert 200 == answer.status, await answer.text()
            return events_of(await answer.read())


def events_of(content):
    """The events of a stream that ended in order."""
    events = []
    for block in content.decode().removesuffix("\n\n").split("\n\n"):
        name, _, payload = block.partition("\n")
        events.append(json.loads(payload.removeprefix("data: ")))
        assert f"event: {events[-1]['type']}" == name
    return events


@pytest.fixture
def claude(upstream):
    """An emulator with a raw client of Messages: a function of script and settings."""

    @asynccontextmanager
    async def start(script=None, **options):
        async with upstream(script, **options) as running:
            yield Claude(running)

    return start


@pytest.fixture
def user():
    return USER


@pytest.fixture
def tool():
    return TOOL


@pytest.fixture
def thinking():
    return THINKING
