"""The stage of the journeys: a strict upstream, a gateway before it, and agents on the client side.

Law: whatever a story does, no correct upstream has reason to complain, and nothing stays leased.
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import uvloop
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from longwire.core.rules.lease import State
from longwire.dialects.responses import request as responses_request
from longwire.dialects.responses import websocket_mode
from longwire.emulator import Emulator, Options, Script
from longwire.server.control import Opening
from longwire.settings import Settings
from tests.conftest import KEY, Gateway, serving
from tests.journeys.agent import Agent
from tests.journeys.codex import Codex, Overheard, installed

OTHER_KEY = "lw-key-of-somebody-else"
SCRIPT = Script(tool_rounds=2, parallel_calls=2)
"""Two rounds of two parallel calls between questions, with reasoning and commentary."""


class Clock:
    """A clock in seconds that goes on only when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


async def become(is_so: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - what is awaited tells nobody of itself
            await asyncio.sleep(0.002)


def websocket_channel(upstream: str, **changes) -> dict:
    """A channel over WebSocket, as an operator declares it."""
    declared = {"name": "main", "base_url": f"{upstream}/v1", "api_key": "sk-upstream"}
    return {**declared, "transport": "websocket", **changes}


def settings_of(upstream: str, **tables) -> Settings:
    """Settings with two keys and, unless `tables` say otherwise, one channel over WebSocket."""
    keys = ({"name": "dev", "key": KEY}, {"name": "other", "key": OTHER_KEY})
    channels = (websocket_channel(upstream),)
    return Settings(**{"channels": channels, "api_keys": keys, **tables})


def on_clock(gateway: Gateway) -> Clock:
    """Let a gateway's trust in its channels go by a clock of its own; returns that."""
    clock = Clock()
    set_clock(gateway.app.relay, clock)
    return clock


def leased(gateway: Gateway) -> int:
    """Count the connections that a turn holds or dials."""
    return sum(entry.state is not State.IDLE for entry in gateway.app.pool.ledger.entries())


def pytest_asyncio_loop_factories() -> dict:
    """Run on the loop that `longwire serve` runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch):
    """Nothing here speaks TLS, and loading the system's certificates takes its time."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)


@pytest.fixture
def options() -> Options:
    """How strict the upstream is."""
    return Options()


@pytest.fixture
async def emulator(options):
    """A strict upstream; at the end of a story it has seen nothing a correct client never sends."""
    async with Emulator(options, SCRIPT) as running:
        yield running
        assert [] == running.violations


@pytest.fixture
async def serve():
    """A function from settings, and how to open a store, to a gateway for the whole story."""
    async with AsyncExitStack() as stack:
        gateways = []

        async def start(settings: Settings, opens: Opening | None = None) -> Gateway:
            gateways.append(await stack.enter_async_context(serving(settings, opens)))
            return gateways[-1]

        yield start
        for gateway in gateways:
            await become(lambda gateway=gateway: leased(gateway) == 0)


@pytest.fixture
def tables() -> dict:
    """What the gateway's settings hold beside channels and keys."""
    return {}


@pytest.fixture
async def gateway(emulator, serve, tables):
    """A gateway with one WebSocket channel to the upstream."""
    return await serve(settings_of(emulator.url, **tables))


@pytest.fixture
async def client_of(serve):
    """A function: `client_of(gateway, key, headers)` is the official client, without retries."""
    async with AsyncExitStack() as stack:

        def make(gateway: Gateway, key: str = KEY, headers: dict | None = None) -> AsyncOpenAI:
            bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            http = DefaultAsyncHttpxClient(trust_env=False, verify=bare)
            client = AsyncOpenAI(
                base_url=f"{gateway.url}/v1",
                api_key=key,
                max_retries=0,
                default_headers=headers,
                http_client=http,
            )
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
def hire(client_of, gateway, emulator):
    """A function: `hire(key=…, headers=…, **ways)` gives an agent with an empty history."""

    def make(key: str = KEY, headers: dict | None = None, **ways) -> Agent:
        return Agent(client_of(gateway, key, headers), emulator, **ways)

    return make


@pytest.fixture(scope="session")
def binary():
    """Codex itself."""
    return installed()


@pytest.fixture
def overheard(monkeypatch):
    """What Codex sends and gets, noted at the gateway's door."""
    noted = Overheard()
    listen(
        monkeypatch, (responses_request, "decode_members"), lambda given, _: noted.body(given[0])
    )
    listen(monkeypatch, (websocket_mode, "decode_create"), lambda given, _: noted.create(given[0]))
    listen(monkeypatch, (websocket_mode, "event_frame"), lambda _, told: noted.event(told))
    return noted


def listen(monkeypatch, place, note):
    """Have `note` told what a function is given and returns, each time it is called."""
    function = getattr(*place)

    def heard(*given):
        told = function(*given)
        note(given, told)
        return told

    monkeypatch.setattr(*place, heard)


@pytest.fixture(params=(False, True), ids=("http", "websocket"))
def codex(request, binary, gateway, tmp_path):
    """A user of Codex."""
    return Codex(binary, tmp_path, gateway.url, websockets=request.param)


def set_clock(relay, clock):
    """Let a relay, and who chooses channels for it, tell time by this clock."""
    relay.policy = relay.candidates.policy = replace(relay.policy, clock=clock)
