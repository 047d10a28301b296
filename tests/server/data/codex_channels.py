"""A plain HTTP client of a gateway with Codex channels, and what Codex says of itself."""

from contextlib import asynccontextmanager

import aiohttp

from tests.conftest import serving
from tests.journeys.conftest import settings_of

CODEX = {"originator": "codex_exec", "user-agent": "codex_exec/0.169.0", "thread-id": "t-1"}
USER = {"type": "message", "role": "user", "content": "hi"}


class Client:
    """A plain HTTP client with the key, and the gateway before its upstream."""

    def __init__(self, gateway, session):
        self.gateway = gateway
        self.session = session

    async def respond(self, headers=(), path="/v1/responses", **members):
        """Ask for a response; returns status, headers and body."""
        body = {"model": "gpt-5.5", "input": [USER], "stream": True, **members}
        async with self.session.post(path, json=body, headers=dict(headers)) as response:
            return response.status, response.headers, await response.read()

    async def get(self, path, **headers):
        """Ask for something beside."""
        async with self.session.get(path, headers=headers) as response:
            return response.status, response.headers, await response.read()

    def quota(self):
        """What is known of the Codex channel's quota."""
        return self.channel().state.quota

    def channel(self, name="codex"):
        """A running channel."""
        channels = self.gateway.app.routing.snapshot.channels.values()
        return next(channel for channel in channels if channel.name == name)


def channel_to(url, **changes):
    """A Codex channel as an operator declares it."""
    return {
        "name": "codex",
        "type": "codex",
        "base_url": f"{url}/backend-api/codex",
        "api_key": "tok",
        "handshake_rate": 0,
        **changes,
    }


@asynccontextmanager
async def before(*channels, **tables):
    """A client of a gateway with these channels."""
    async with (
        serving(settings_of("", channels=channels, **tables)) as gateway,
        aiohttp.ClientSession(gateway.url, headers=gateway.headers) as session,
    ):
        yield Client(gateway, session)
