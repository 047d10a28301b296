"""What tests of the pool share."""

import asyncio

import pytest

from longwire.core.rules.turn import Scope, SessionKey
from longwire.upstream.websocket.pool import PoolTimes

NO_SWEEP = PoolTimes(sweep_interval=1e6)
"""Then nobody is served but by what made room for him."""

MOMENTS = pytest.mark.parametrize("moment", ["asleep", "waking"])


def key(session="s", scope="api_key:1", endpoint="main", identity=""):
    """A session's key."""
    return SessionKey(endpoint, Scope(scope), session, identity)


async def holding(it, agent, release: asyncio.Event, held: list[int]):
    """Lease a connection, hold it until told to give it back, unused."""
    call = agent.call()
    async with it.transport.open(call):
        held.append(1)
        await release.wait()
