"""Directions for the pretended model, and for what holds for a gateway's WebSocket clients."""

import asyncio
import json
from dataclasses import replace

READS_ON = asyncio.Event()
READS_ON.set()
SLOWLY = {"emulator": json.dumps({"delay_ms": 2_000})}


def scripted(**members):
    """Metadata that directs the pretended model."""
    return {"emulator": json.dumps(members)}


def change_limits(gateway, **changes):
    """Change what holds for connections from now on."""
    sockets = gateway.app.sockets
    sockets.limits = replace(sockets.limits, **changes)


async def become(is_so):
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - what is awaited tells nobody of itself
            await asyncio.sleep(0.01)


def holds_up(connection):
    """Whether a connection waits until its client reads on."""
    return not getattr(connection, "writable", READS_ON).is_set()
