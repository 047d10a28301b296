"""What a session keeps between turns: some bytes an item, whatever the items hold."""

import asyncio
import gc
import json
import tracemalloc

from longwire.core.rules.lease import State
from longwire.dialects.responses.request import decode_request
from longwire.upstream.ports import Call
from tests.doubles.peer import TEXT, frame, peer
from tests.doubles.responses import completed, created, delta, item

ITEM = {"role": "user", "content": "a line of a conversation, " * 36}
SHORT, LONG = 10_000, 500_000
TARGET = 2_048
OF_AN_ITEM = 16
"""Bytes by which an item is found again, so that a change of it can be told."""


def body(size: int) -> bytes:
    """A first turn of so many bytes."""
    items = [ITEM] * (size // len(json.dumps(ITEM)))
    return json.dumps({"model": "m", "stream": True, "store": False, "input": items}).encode()


async def turn(it, there, link, session, size):
    """Take a turn of a session; return the far end of its connection."""
    call = Call(decode_request(body(size)), it.agent(session=session).key)
    async with it.transport_to(there.url).open(call) as stream:
        link = link or await there.links.get()
        left = stream.delivery.bytes_sent
        while left > 0:
            left -= len(await link.reader.read(65536))
        events = (created(), delta(), item(), completed())
        link.write(*(frame(TEXT, event) for event in events))
        batches = aiter(stream)
        await anext(batches)
        stream.set_fast_path(lambda _: 0)  # when all may have come already, as a reply does
        async for _ in batches:
            pass
    return link


async def traced() -> int:
    """Return the bytes in use once the loop has let go of what is over."""
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def retained(it, there, name, size, sessions=4) -> float:
    """Return the bytes that each of some new sessions retains after its first turn."""
    before = await traced()
    links = [await turn(it, there, None, f"{name}-{n}", size) for n in range(sessions)]
    after = await traced()
    assert len(links) == sessions
    return (after - before) / sessions


async def test_first_turns(gateway):
    """Sessions that began with 10 KB and with 500 KB retain the same but for 2 KiB and items."""
    async with gateway() as it, peer() as there:
        tracemalloc.start()
        try:
            for size in (SHORT, LONG):
                await retained(it, there, f"warm-up-{size}", size, 1)
            short = await retained(it, there, "short", SHORT)
            long = await retained(it, there, "long", LONG)
        finally:
            tracemalloc.stop()
        states = [entry.state for entry in it.pool.ledger.entries()]
        assert states == [State.IDLE] * 10
        it.pool.close()
    items = (LONG - SHORT) // len(json.dumps(ITEM))
    assert abs(long - short) < TARGET + OF_AN_ITEM * items


async def test_after_a_large_event(linked):
    """An event of 500 KB leaves nothing behind on the connection that brought it."""
    large = b'{"type":"x","text":"%b"}' % (b"y" * 500_000)
    async with linked() as ends:
        await take(ends, large)
        tracemalloc.start()
        try:
            before = await traced()
            for _ in range(3):
                await take(ends, large)
            after = await traced()
        finally:
            tracemalloc.stop()
    assert after - before < TARGET


async def take(ends, message) -> None:
    """Take an exchange of one message."""
    ends.connection.begin()
    ends.link.write(frame(TEXT, message))
    while not (messages := await ends.connection.receive(5)):
        pass
    assert [message] == messages
    ends.connection.finish()
