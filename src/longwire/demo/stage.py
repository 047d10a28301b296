"""The emulator and the gateway, with a channel and a model for each transport.

What was started is stopped in reverse order, whatever happens in between.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Any

from longwire.app import App, opening
from longwire.core.nouns.access import Actor, Role
from longwire.core.nouns.people import User
from longwire.core.nouns.secret import Secret
from longwire.emulator import Emulator, Options, Script
from longwire.processes import server_of
from longwire.settings import Settings

MODELS = {"websocket": "demo", "http": "demo-http"}
"""Transport of a channel to the model that this channel alone serves."""
TRANSLATED = "demo-messages"
"""The model of a channel whose upstream speaks Messages alone."""
_RENAMES = {"claude-*": MODELS["websocket"], "gpt-*": MODELS["websocket"]}
"""What clients ask for that choose their models by themselves."""
KEY = "longwire-demo"
OWNER = "demo@longwire.test"
"""Who may sign in to the web interface, with the key as password."""

SCRIPT = Script(
    tool_rounds=2, parallel_calls=2, text_bytes=1200, first_event_ms=30, upload_ms_per_kib=2
)
_USUAL_PORT = 8090


@asynccontextmanager
async def staged() -> AsyncIterator[tuple[Emulator, str]]:
    """Run everything inside the context; gives the upstream and the gateway's URL."""
    options = Options(models=(*MODELS.values(), TRANSLATED))
    async with Emulator(options, SCRIPT) as emulator, _gateway(f"{emulator.url}/v1") as url:
        yield emulator, url


def _settings(upstream: str, folder: str) -> Settings:
    shared = {"base_url": upstream, "api_key": "any-key-will-do"}
    channels: list[dict[str, Any]] = [
        {"name": f"emulator-{transport}", "transport": transport, "models": [model], **shared}
        for transport, model in MODELS.items()
    ]
    channels[0]["renames"] = _RENAMES
    name = "emulator-messages"
    channels.append({"name": name, "type": "anthropic", "models": [TRANSLATED], **shared})
    keys = [{"name": "demo", "key": KEY}]
    database = {"url": f"sqlite:///{folder}/longwire.db"}
    server = {"insecure_cookies": True}  # a browser on this machine comes without TLS
    tables = {"server": server, "channels": channels, "api_keys": keys, "database": database}
    return Settings.model_validate(tables)


async def _make_owner(settings: Settings) -> None:
    store = await opening(settings)()
    try:
        owner = User("", OWNER, "Demo", Role.OWNER)
        await store.users.create(owner, Secret(KEY), Actor("", "demo"))
    finally:
        await store.close()


def _listener() -> socket.socket:
    """Take the usual port, or any free one when it is taken."""
    try:
        return socket.create_server(("127.0.0.1", _USUAL_PORT))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


@asynccontextmanager
async def _gateway(upstream: str) -> AsyncIterator[str]:
    """Serve in this task tree; signals stay with the demo, so uvicorn's `serve` is not used."""
    with TemporaryDirectory(prefix="longwire-demo-") as folder, _listener() as listener:
        settings = _settings(upstream, folder)
        await _make_owner(settings)
        server = server_of(App(settings, opening(settings)), settings)
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(sockets=[listener])
        try:
            async with asyncio.TaskGroup() as tasks:
                ticking = tasks.create_task(server.main_loop())
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
                ticking.cancel()
        finally:
            await server.shutdown(sockets=[listener])
