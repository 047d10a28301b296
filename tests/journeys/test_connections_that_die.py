"""Upstreams that are killed, networks that swallow packets, sockets that died overnight."""

import asyncio
import http.client
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager

import msgspec
import pytest

from longwire.emulator import Fault, Turn
from tests.doubles.lossy import lossy_proxy
from tests.journeys.agent import Agent, scripted, streamed, user, ways
from tests.journeys.conftest import become, settings_of, websocket_channel


class RemoteUpstream:
    """An emulator in a process of its own, which can be killed and started again."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is, and will be again."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def turns(self) -> list[Turn]:
        """The turns since it was started."""
        return msgspec.json.decode(self._shown("turns"), type=list[Turn])

    @property
    def counters(self) -> dict:
        """The totals since it was started."""
        return msgspec.json.decode(self._shown("counters"))

    @property
    def violations(self) -> list[str]:
        """What no correct client would have sent since it was started."""
        return msgspec.json.decode(self._shown("violations"))

    def _shown(self, what: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", f"/_emulator/{what}")
        try:
            return connection.getresponse().read()
        finally:
            connection.close()

    async def start(self) -> None:
        """Start it and wait until it serves."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "longwire", "emulator", "--port", str(self.port)),
            stdout=asyncio.subprocess.PIPE,
            env=dict(os.environ),
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            await self.process.stdout.readline()

    async def kill(self) -> None:
        """End it without a goodbye."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.communicate()
            self.process._transport.close()


@asynccontextmanager
async def remote_upstream():
    """Run an upstream in its own process."""
    upstream = RemoteUpstream()
    await upstream.start()
    try:
        yield upstream
    finally:
        await upstream.kill()


@pytest.mark.process
@pytest.mark.parametrize("transport", ["websocket", "auto"])
async def test_sessions_survive_a_killed_upstream(serve, client_of, transport):
    """SIGKILL in the middle of their streams: after the restart each is right, and continues."""
    async with remote_upstream() as upstream:
        channel = websocket_channel(upstream.url, transport=transport)
        gateway = await serve(settings_of(upstream.url, channels=(channel,)))
        agents = [
            Agent(client_of(gateway, headers={"session-id": f"s-{number}"}), upstream, ask=streamed)
            for number in range(4)
        ]
        for agent in agents:
            assert ["fresh new_session", "continued"] == ways(await agent.turns(2))
        cut = await cut_off(upstream, agents)
        assert ["upstream_disconnected"] * 4 == [response.error.code for response in cut]
        await become(lambda: gateway.app.pool.ledger.live == 0)
        await upstream.start()
        for agent in agents:
            turns = await agent.turns(3)
            assert ["fresh connection_lost", "continued", "continued"] == ways(turns)
            assert ["websocket"] * 3 == [turn.transport for turn in turns]
        assert (4, []) == (upstream.counters["sockets_opened"], upstream.violations)


async def cut_off(upstream, agents):
    """Kill the upstream while all agents read their streams; return what they got."""
    slow = scripted(delay_ms=400)
    asked = upstream.counters["creates"] + len(agents)
    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(streamed(agent.client, request_of(agent, metadata=slow)))
            for agent in agents
        ]
        await become(lambda: upstream.counters["creates"] == asked)
        await asyncio.sleep(1)  # into the streams: they take ten seconds
        await upstream.kill()
    return [task.result()[1] for task in running]


def request_of(agent, **members):
    """The next request of an agent, whose answer it will not keep."""
    return {**agent.members, "input": [*agent.history, user("cut off")], **members}


PULSE = {"ping_interval": "400ms", "pong_timeout": "400ms"}


@pytest.fixture
async def network(emulator):
    """A network between gateway and upstream that may lose connections."""
    async with lossy_proxy(emulator.port) as proxy:
        yield proxy


@pytest.fixture
async def agent(emulator, network, serve, client_of):
    """An agent whose gateway reaches its upstream through that network and pings often."""
    gateway = await serve(settings_of(network.url, sessions=PULSE))
    agent = Agent(client_of(gateway, headers={"session-id": "s-1"}), emulator)
    agent.gateway = gateway
    return agent


async def test_a_half_open_connection_is_noticed_while_idle(emulator, network, agent):
    """No packet tells of it, a missing pong does; the client only sees a fresh turn."""
    await agent.turns(2)
    network.drop()
    await become(lambda: agent.gateway.app.pool.ledger.live == 0)
    assert ["fresh connection_lost", "continued"] == ways(await agent.turns(2))
    assert 2 == network.accepted


async def test_a_half_open_connection_is_noticed_while_a_turn_waits(emulator, network, agent):
    """A turn that was sent into the void is sent again, long before its own patience ends."""
    await agent.turns(2)
    network.drop()
    assert ["fresh replayed", "continued", "continued"] == ways(await agent.turns(3))
    assert (2, 5) == (network.accepted, emulator.counters.creates)


async def test_a_silent_upstream_that_answers_pings_is_waited_for(emulator, network, agent):
    """A model that thinks for long is no dead connection."""
    await agent.turns(1)
    told = await agent.step(metadata=scripted(first_event_ms=2_000))
    assert ("continued", 1) == (told.way, network.accepted)


@pytest.mark.parametrize("transport", ["websocket", "auto"])
async def test_sessions_wake_up_to_dead_sockets(emulator, serve, client_of, transport):
    """Each costs one handshake, once; nobody but the header `x-longwire-reason` tells of it."""
    channel = websocket_channel(emulator.url, transport=transport)
    gateway = await serve(settings_of(emulator.url, channels=(channel,)))
    agents = [
        Agent(client_of(gateway, headers={"session-id": f"s-{number}"}), emulator)
        for number in range(5)
    ]
    for agent in agents:
        await agent.turns(3)
    emulator.drop_connections()
    await become(lambda: gateway.app.pool.ledger.live == 0)
    async with asyncio.TaskGroup() as group:
        woken = [group.create_task(agent.turns(3)) for agent in agents]
    for task in woken:
        assert ["fresh connection_lost", "continued", "continued"] == ways(task.result())
    assert 10 == emulator.counters.sockets_opened


async def test_a_socket_that_dies_at_the_very_moment_of_waking(emulator, gateway, hire):
    """The upstream closes as the turn is on its way: it is sent again, and nobody notices."""
    agent = hire(headers={"session-id": "s-1"})
    await agent.turns(2)
    emulator.faults.add(Fault(at="before_create", act="reset"))
    assert ["fresh replayed", "continued"] == ways(await agent.turns(2))
    assert 2 == emulator.counters.sockets_opened
