"""What tests of one connection send, receive and look at."""

import json

import pytest

from longwire.core.errors import UpstreamDisconnected
from longwire.upstream.websocket.connection import Connection
from longwire.upstream.websocket.keepalive import Heartbeat

SOON = 5.0
HUGE = 32 * 1024 * 1024
QUIET = Heartbeat(interval=3600)


def event(number, **members):
    """An event that belongs to a response."""
    return json.dumps({"type": "response.output_text.delta", "n": number, **members}).encode()


async def receive(connection, count):
    """Receive so many messages."""
    messages = []
    while len(messages) < count:
        batch = await connection.receive(SOON)
        assert batch, "nothing came"
        messages += batch
    return messages


async def refused(connection):
    """Send more than any socket takes at once, which is to fail."""
    with pytest.raises(UpstreamDisconnected):
        await connection.send(b"x" * HUGE)


async def reason_of(connection):
    """Wait until the connection has nothing more to give, and return its last words."""
    try:
        while True:
            await connection.receive(SOON)
    except UpstreamDisconnected as error:
        return str(error)


def queued(connection: Connection) -> int:
    """How many bytes wait on a connection for its reader."""
    return int(repr(connection).partition("queued=")[2].partition(">")[0].split()[0].rstrip(":"))
