"""Real sockets on both sides: an emulator as upstream, a gateway before it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings as hypothesis_settings

from longwire.app import App
from longwire.emulator import Emulator, Options
from longwire.processes import server_of
from longwire.server.control import Opening
from longwire.settings import Settings

pytest_plugins = ["tests.databases", "tests.marks"]

hypothesis_settings.register_profile("untimed", deadline=None)  # other load is no fault of a law
hypothesis_settings.load_profile("untimed")

KEY = "lw-key-of-the-tests"
LONGEST_FIRST = (
    *("ui", "fleet", "supervisor", "journeys", "docs", "deploy", "server"),
    *("cli", "demo", "relay", "house", "store", "emulator"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rooms whose files take long: the short ones then fill the end of a run."""
    rooms = {room: place for place, room in enumerate(LONGEST_FIRST)}
    own = Path(__file__).parent
    items.sort(key=lambda item: rooms.get(item.path.relative_to(own).parts[0], len(rooms)))


class Gateway:
    """A running gateway: its `url`, the key that it knows, and the app behind it.

    `connections` are those that its server holds.
    """

    def __init__(self, app: App, url: str, connections: Collection = ()) -> None:
        self.app = app
        self.url = url
        self.connections = connections
        self.key = KEY
        self.headers = {"authorization": f"Bearer {KEY}"}


def settings_for(upstream: str, *, channel=(), **tables) -> Settings:
    """Settings with one channel to `upstream`, over plain HTTP unless `channel` says otherwise."""
    declared = {
        "name": "main",
        "base_url": upstream,
        "api_key": "sk-upstream",
        "transport": "http",
        **dict(channel),
    }
    return Settings(channels=(declared,), api_keys=({"name": "dev", "key": KEY},), **tables)


@asynccontextmanager
async def serving(settings: Settings, opens: Opening | None = None) -> AsyncIterator[Gateway]:
    """Serve a gateway on a free port, in this loop, until left; `opens` opens its store."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = App(settings, opens)
    server = server_of(app, settings)
    host, port = listener.getsockname()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
            await asyncio.sleep(0.001)
        try:
            yield Gateway(app, f"http://{host}:{port}", server.server_state.connections)
        finally:  # a test that fails is told, and does not hang in a store left open
            server.should_exit = True
            await running


@pytest.fixture(scope="session", autouse=True)
def _short_ends():
    """Let uvicorn look every 5 ms whether it is to end: its 100 ms are most of many a test."""
    hurried = SimpleNamespace(**{**vars(asyncio), "sleep": lambda _: asyncio.sleep(0.005)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("uvicorn.server.asyncio", hurried)
        yield


@pytest.fixture(scope="session", autouse=True)
def closed_loop():
    """Close the loop that pytest-asyncio finds at its first test and would leave open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A strict upstream on a free port."""
    async with Emulator(Options()) as running:
        yield running


@pytest.fixture
async def gateway(emulator: Emulator) -> AsyncIterator[Gateway]:
    """A gateway with one HTTP channel, `main`, to the emulator."""
    async with serving(settings_for(emulator.url)) as running:
        yield running
