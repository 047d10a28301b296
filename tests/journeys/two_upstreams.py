"""A stage with two upstreams that know nothing of each other, and a gateway that may start anew."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from longwire.app import opening
from longwire.emulator import Emulator, Options, Script
from longwire.settings import Settings
from tests.conftest import KEY, Gateway, serving

OTHER_KEY = "lw-key-of-somebody-else"
PLAIN = Script(tool_rounds=0, reasoning=False)


class Reply:
    """What a caller got: status, headers, body, and the channel that served."""

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = body
        self.channel = response.headers.get("x-longwire-channel", "")
        self.json: Any = json.loads(body) if response.content_type == "application/json" else {}

    @property
    def code(self) -> str:
        """The code of an error."""
        return self.json.get("error", {}).get("code") or ""

    @property
    def response(self) -> Any:
        """The response, whether it came whole or as events."""
        if self.json:
            return self.json
        last = self.body.decode().strip().split("\n\n")[-1]
        return json.loads(last.partition("data: ")[2])["response"]


class Stage:
    """A gateway before the upstreams `a` and `b`; `restart` replaces its process."""

    def __init__(self, settings: Settings, upstreams: dict[str, Any]) -> None:
        self.settings = settings
        self.upstreams = upstreams
        self.gateway: Gateway
        self._client: aiohttp.ClientSession
        self._exits = AsyncExitStack()

    async def start(self) -> None:
        """Serve."""
        serves = serving(self.settings, opening(self.settings))
        self.gateway = await self._exits.enter_async_context(serves)
        self._client = aiohttp.ClientSession(self.gateway.url)
        await self._exits.enter_async_context(self._client)

    async def stop(self) -> None:
        """Stop serving, as after SIGTERM."""
        await self._exits.aclose()

    async def restart(self) -> None:
        """Serve anew on the same database, with nothing else left."""
        await self.stop()
        await self.start()

    async def call(self, method: str, path: str, *, key: str = KEY, **options) -> Reply:
        """Send any request."""
        headers = {"authorization": f"Bearer {key}", **options.pop("headers", {})}
        async with self._client.request(method, path, headers=headers, **options) as response:
            return Reply(response, await response.read())

    async def ask(self, text: str | list, *, session: str = "", key: str = KEY, **members) -> Reply:
        """Take a turn."""
        items = [{"role": "user", "content": text}] if isinstance(text, str) else text
        body = {"model": "gpt-5.5", "input": items, **members}
        headers = {"x-session-id": session} if session else {}
        return await self.call("POST", "/v1/responses", json=body, headers=headers, key=key)

    async def say(self, text: str, **members) -> Any:
        """Take a turn over a WebSocket of its own; return its last event."""
        headers = {"authorization": f"Bearer {KEY}"}
        async with self._client.ws_connect("/v1/responses", headers=headers) as socket:
            items = [{"role": "user", "content": text}]
            body = {"type": "response.create", "model": "gpt-5.5", "input": items, **members}
            await socket.send_json(body)
            while True:
                event = await socket.receive_json()
                if event["type"] in {"response.completed", "response.failed", "error"}:
                    return event

    def other(self, channel: str) -> str:
        """The channel that is not this one."""
        (other,) = set(self.upstreams) - {channel}
        return other


@asynccontextmanager
async def staged(
    folder: Path, script: Script = PLAIN, options: Options | None = None, **tables
) -> AsyncIterator[Stage]:
    """A stage before two strict upstreams."""
    async with (
        Emulator(options, script) as a,
        Emulator(options, script) as b,
        staged_before(folder, {"a": a, "b": b}, **tables) as stage,
    ):
        yield stage


@asynccontextmanager
async def staged_before(folder: Path, upstreams: dict[str, Any], **tables) -> AsyncIterator[Stage]:
    """A stage before any upstreams; `channel` changes their channels, other tables are settings."""
    channel = {"transport": "http", **tables.pop("channel", {})}
    channels = tuple(
        {"name": name, "base_url": f"{each.url}/v1", "api_key": f"sk-of-{name}", **channel}
        for name, each in upstreams.items()
    )
    keys = ({"name": "dev", "key": KEY}, {"name": "other", "key": OTHER_KEY})
    database = {"url": f"sqlite:///{folder / 'longwire.db'}"}
    tables = {"channels": channels, "api_keys": keys, "database": database, **tables}
    stage = Stage(Settings(**tables), upstreams)
    await stage.start()
    try:
        yield stage
    finally:
        await stage.stop()


def spread(replies: list[Reply]) -> Counter[str]:
    """How many were served by which channel; both serve some, or a test shows nothing."""
    found = Counter(each.channel for each in replies)
    assert {"a", "b"} == set(found), found
    return found
