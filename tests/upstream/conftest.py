"""Two ends of one connection, and turns as an agent would send them."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from longwire.core.rules.continuity import Reason
from longwire.core.rules.lease import PoolLimits, State
from longwire.core.rules.turn import Scope, SessionKey, Turn
from longwire.dialects.responses.answer import EventEncoder, response_of
from longwire.dialects.responses.request import decode_request
from longwire.emulator import Emulator, Options, Script, digest
from longwire.upstream.net import tls
from longwire.upstream.ports import Call, Delivery, Timeouts
from longwire.upstream.websocket.connection import Connection
from longwire.upstream.websocket.dialer import Endpoint, dial
from longwire.upstream.websocket.keepalive import Heartbeat
from longwire.upstream.websocket.pool import Pool, PoolTimes
from longwire.upstream.websocket.transport import WebSocketTransport
from tests.doubles.authority import Authority
from tests.doubles.peer import Link, peer

if os.environ.get("LONGWIRE_TEST_LOOP") == "uvloop":

    def pytest_asyncio_loop_factories(config, item):
        """Run on uvloop, but for tests on a virtual clock, which needs asyncio's own loop."""
        if item.get_closest_marker("looptime"):
            return {"asyncio": asyncio.new_event_loop}
        return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """The proxies of the machine that runs the tests do not count."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what holds has no event
            await asyncio.sleep(0.001)


@pytest.fixture(name="until")
def until_fixture():
    """Wait for a condition: `await until(lambda: …)`."""
    return until


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    """A certificate authority that no system trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


class Ends:
    """A connection, the far end of its socket, and how often its end was told."""

    def __init__(self, connection: Connection, link: Link, closed: list[Connection]) -> None:
        self.connection = connection
        self.link = link
        self.closed = closed


@pytest.fixture
def linked():
    """A connection to a scripted peer, open inside an `async with`."""

    @asynccontextmanager
    async def link(
        heartbeat: Heartbeat | None = None, authority: Authority | None = None
    ) -> AsyncIterator[Ends]:
        closed: list[Connection] = []
        inside = authority.server() if authority else None
        trusted = tls.context(authority.file, verify=True) if authority else None
        async with peer(tls=inside) as there:
            endpoint = Endpoint(there.url, {}, tls=trusted, heartbeat=heartbeat or Heartbeat())
            connection = await dial(endpoint, {}, closed.append)
            ends = Ends(connection, await there.links.get(), closed)
            try:
                yield ends
            finally:
                connection.abort("the test is over")
                await asyncio.sleep(0.001)

    return link


TOOLS = [
    {
        "type": "function",
        "name": "read",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
    }
]


def turn_of(history, **members) -> Turn:
    """Decode a request as an agent sends it; a member that is None is left out."""
    body = {
        "model": "gpt-5.5",
        "instructions": "Be brief.",
        "input": history,
        "tools": TOOLS,
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "stream": True,
        **members,
    }
    kept = {name: value for name, value in body.items() if value is not None}
    return decode_request(json.dumps(kept).encode())


class Answered:
    """What a turn brought: how it travelled, the names of its events, its response."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.names: list[str] = []
        self.response: dict[str, Any] = {}
        self.silences = 0

    @property
    def continuity(self) -> tuple[str, str | None]:
        """Continuity and reason."""
        return self.delivery.continuity, self.delivery.reason


class Agent:
    """A client that resends its whole conversation every turn, and checks what the model saw."""

    def __init__(self, gateway: "Gateway", key: SessionKey | None, **properties: Any) -> None:
        self.gateway = gateway
        self.key = key
        self.properties = properties
        self.history: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
        self.keeps_ids = True

    def turn(self) -> Turn:
        """Return the next turn, decoded, for who wants to send it by hand."""
        return turn_of(self.history, **self.properties)

    def turn_of(self, history, **members: Any) -> Turn:
        """Return a turn of another input, decoded."""
        return turn_of(history, **(self.properties | members))

    def call(self, reason: Reason | None = None) -> Call:
        """Return the next turn as the transport takes it."""
        return Call(self.turn(), self.key, reason=reason)

    async def take(self, history=None, reason: Reason | None = None, **members: Any) -> Answered:
        """Take one turn to its end; without `history` go on with the conversation."""
        sent = self.history if history is None else history
        turn = self.turn_of(sent, **members)
        async with self.gateway.transport.open(Call(turn, self.key, reason=reason)) as stream:
            answered = Answered(stream.delivery)
            encoder = EventEncoder(turn.previous_response_id, stream.aggregate)
            async for batch in stream:
                answered.silences += not batch
                answered.names += [event.name for event in batch]
                encoded = [encoder.encode(event) for event in batch]
            answered.response = json.loads(response_of(encoded[-1]))
        if not turn.refers_outside:
            assert digest(sent) == self.seen(answered.response["id"]).digest
        if history is None:
            self.append(answered.response["output"])
        return answered

    def seen(self, response_id: str) -> Any:
        """Return the emulator's record of a turn."""
        turns = self.gateway.emulator.turns
        return next(turn for turn in turns if turn.response_id == response_id)

    def append(self, output) -> None:
        """Replay the output and go on: answer its calls, else say something new."""
        if not self.keeps_ids:
            output = [{k: v for k, v in item.items() if k != "id"} for item in output]
        self.history += output
        calls = [item for item in output if item["type"] == "function_call"]
        for call in calls:
            answer = {"call_id": call["call_id"], "output": "done"}
            self.history.append({"type": "function_call_output", **answer})
        if not calls:
            self.history.append({"role": "user", "content": f"and {len(self.history)}"})


class Gateway:
    """A pool and the transport over it, before one emulator."""

    def __init__(
        self,
        emulator: Emulator,
        limits: PoolLimits,
        times: PoolTimes,
        timeouts: Timeouts,
        jitter: Callable[[], float],
    ) -> None:
        self.emulator = emulator
        self.pool = Pool(limits, times, jitter)
        self.endpoint = Endpoint(
            emulator.url.replace("http", "ws", 1) + "/v1/responses",
            {"authorization": "Bearer sk-upstream"},
        )
        self.timeouts = timeouts
        self.dials: Counter[str] = Counter()
        self.transport = WebSocketTransport(self.endpoint, self.pool, timeouts, self._count_dial)

    def _count_dial(self, result: str) -> None:
        self.dials[result] += 1

    def transport_to(
        self, to: str | Endpoint, timeouts: Timeouts | None = None
    ) -> WebSocketTransport:
        """Return a transport over this pool to another upstream."""
        endpoint = to if isinstance(to, Endpoint) else Endpoint(to, {})
        return WebSocketTransport(endpoint, self.pool, timeouts or self.timeouts, self._count_dial)

    def agent(self, session="s", scope="api_key:1", **properties: Any) -> Agent:
        """Return a new agent in a session; "" is the implicit one, None shares nothing."""
        key = None if session is None else SessionKey("main", Scope(scope), session)
        return Agent(self, key, **properties)

    @property
    def waiting(self) -> int:
        """How many turns wait for a connection."""
        return int(repr(self.pool).rpartition("waiting=")[2].rstrip(">"))

    async def settled(self) -> None:
        """Wait until the emulator's sockets are those of the ledger, none of them in use."""
        states = [entry.state for entry in self.pool.ledger.entries()]
        assert [State.IDLE] * self.pool.ledger.live == states
        assert self.waiting == 0
        assert len(self.pool._connections) == self.pool.ledger.live
        assert self.pool.ledger.live <= self.pool.ledger.limits.connections
        await until(lambda: self.emulator.counters.sockets_open == self.pool.ledger.live)


@pytest.fixture
def gateway():
    """A pool and its transport before an emulator, open inside an `async with`."""

    @asynccontextmanager
    async def start(
        options: Options | None = None,
        script: Script | None = None,
        limits: PoolLimits | None = None,
        times: PoolTimes | None = None,
        timeouts: Timeouts | None = None,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> AsyncIterator[Gateway]:
        async with Emulator(options or Options(), script or Script()) as emulator:
            started = Gateway(
                emulator,
                limits or PoolLimits(),
                times or PoolTimes(),
                timeouts or Timeouts(),
                jitter,
            )
            started.pool.start()
            try:
                yield started
            finally:
                started.pool.close()
                await until(lambda: not emulator.counters.sockets_open)

    return start
