"""Two gateways of one configuration file, which share a Valkey and nothing else."""

import time

from longwire.app import App
from longwire.relay.channels.state import Part
from longwire.settings import Settings
from tests.doubles.valkey import until

CHANNEL = {"name": "up", "base_url": "http://127.0.0.1:1/v1", "api_key": "sk"}


def gateway(url, name):
    return App(Settings(fleet={"url": url, "node": name}, channels=[CHANNEL]))


async def test_a_channel_that_cools_down_on_one_does_so_on_the_other(valkey_server):
    """They call it alike, and what one node meets the other hears, when it starts later, too."""
    a, b = (gateway(valkey_server.url, name) for name in "ab")
    async with a.running():
        ((route, channel),) = a.routing.snapshot.channels.items()
        channel.state.fail(Part.CHANNEL, time.monotonic(), 600.0, "limited")
        await a.fleet.valkey.call("PING")
        async with b.running():
            state = b.routing.snapshot.channels[route].state

            def is_heard():
                channel.state.fail(Part.WEBSOCKET, time.monotonic(), problem="unreachable")
                return not state.websocket_health.is_trusted(time.monotonic())

            assert "limited" == state.health.problem
            await until(is_heard)
            assert "unreachable" == state.websocket_health.problem


async def test_only_who_shares_claims_sessions(valkey_server):
    """Alone a dial tells nobody, and pays nothing."""
    assert gateway(valkey_server.url, "a").pool.on_dial is not None
    assert App(Settings(channels=[CHANNEL])).pool.on_dial is None
