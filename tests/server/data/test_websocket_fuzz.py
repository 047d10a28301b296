"""Any bytes, any messages, in any order: clear errors, no crash, and nothing is left behind."""

import asyncio
import json
import logging
import os
import random
import struct
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from longwire.core.rules.lease import State
from longwire.emulator import Emulator
from tests.conftest import KEY, serving, settings_for
from tests.doubles.sockets import ENDS, socket

OVER_WEBSOCKET = {"transport": "websocket"}
HANDSHAKE = (
    "GET /v1/responses HTTP/1.1\r\nhost: gateway\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    f"authorization: Bearer {KEY}\r\n\r\n"
).encode()

texts = st.sampled_from(
    ["", "a", "lane-1", "resp_1", "no name", "response.create", "x" * 300, "é", "\0", "\ud7ff"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from(
    [
        *("response.create", "response.create", "response.create", "response.cancel"),
        *("response.steer", "response.inject", "response.interrupt", "response.processed"),
        *("response.created", "error", ""),
    ]
)
names = st.sampled_from(
    [
        *("model", "input", "stream_id", "previous_response_id", "generate", "store", "tools"),
        *("response_id", "stream", "background", "conversation", "metadata", "prompt", "include"),
    ]
)
sensible = st.fixed_dictionaries(
    {"type": st.just("response.create"), "model": st.just("gpt-5.5")},
    optional={
        "input": st.just("hi") | st.just([{"role": "user", "content": "hi"}]),
        "stream_id": st.sampled_from(["a", "b", None]),
        "generate": st.booleans(),
    },
)
odd = st.builds(lambda kind, rest: {**rest, "type": kind}, kinds, st.dictionaries(names, values))
messages = st.one_of(
    sensible.map(json.dumps),
    odd.map(json.dumps),
    values.map(json.dumps),
    st.text(max_size=40),
    st.binary(max_size=40),
)


@asynccontextmanager
async def watched():
    """A gateway to a strict upstream; in the end it serves as before, and holds nothing."""
    async with (
        Emulator() as emulator,
        serving(settings_for(emulator.url, channel=OVER_WEBSOCKET)) as gateway,
    ):
        yield gateway
        async with socket(gateway.url) as client:
            assert "completed" == (await client.ask("hi"))["status"]
        readiness, ledger = gateway.app.readiness, gateway.app.pool.ledger
        async with asyncio.timeout(20):
            while readiness.guests or readiness._turns or tasks_of_connections():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        states = [entry.state for entry in ledger.entries()]
        assert [State.IDLE] * len(states) == states


def tasks_of_connections() -> list[str]:
    """What the gateway still runs for clients."""
    named = (repr(task.get_coro()) for task in asyncio.all_tasks())
    owners = ("WebSocketSession", "LaneTurns", "run_asgi")
    return [name for name in named if any(owner in name for owner in owners)]


def check(raw: str | bytes) -> None:
    """What a client gets is an event, or an error in its one shape."""
    assert isinstance(raw, str)
    event = json.loads(raw)
    if event["type"] != "error":
        assert event["type"].startswith("response.")
        return
    assert set(event) <= {"type", "status", "error", "headers", "stream_id"}
    assert 400 <= event["status"] < 500
    assert {"message", "type", "param", "code"} <= set(event["error"])
    assert event["error"]["message"]


async def talk(gateway, said) -> None:
    """Say all of it, and read until the last request has its end."""
    async with socket(gateway.url) as client, asyncio.timeout(30):
        try:
            for message in said:
                await client.connection.send(message)
            await client.connection.send('{"type":"the end"}')
            while True:
                raw = await client.connection.recv()
                check(raw)
                if "the end" in raw and json.loads(raw)["type"] in ENDS:
                    break
        except ConnectionClosed:
            assert any(isinstance(message, bytes) for message in said)
            assert 1003 == client.connection.close_code


def test_any_messages_in_any_order(caplog):
    """Every message is answered as it deserves; only a binary one ends the connection."""
    runner = asyncio.Runner()
    with runner:

        async def all_of_it():
            async with watched() as gateway:

                @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
                @given(st.lists(messages, max_size=12))
                def examples(said):
                    asyncio.run_coroutine_threadsafe(talk(gateway, said), loop).result(40)

                loop = asyncio.get_running_loop()
                await asyncio.to_thread(examples)

        runner.run(all_of_it())
    # The emulator's own server complains where a turn is abandoned.
    logged = [r for r in caplog.records if r.name != "aiohttp.server"]
    assert [] == [r.getMessage() for r in logged if r.levelno >= logging.ERROR]


def frame(choice: random.Random) -> bytes:
    """A frame that is more or less one: any opcode, length, mask, and often not all of it."""
    content = choice.choice([b"{}", b"\xff\xfe", os.urandom(choice.randrange(200)), b"[" * 900])
    head = bytes([choice.randrange(256) if choice.random() < 0.3 else choice.choice(OPCODES)])
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(content))
    length = choice.choice([len(content)] * 6 + [0, 127, 2**16, 2**40])
    size = bytes([0x80 | length]) if length < 126 else b"\xff" + struct.pack("!Q", length)
    return (head + size + mask + masked)[: choice.choice([None, None, None, 3, 9])]


OPCODES = (0x81, 0x81, 0x01, 0x80, 0x82, 0x88, 0x89, 0x8A)


@asynccontextmanager
async def raw(gateway):
    """A connection below the WebSocket layer."""
    parts = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(4))
async def test_any_bytes(seed):
    """Broken frames, wrong masks, cut lengths, before and after the upgrade: others are served."""
    choice = random.Random(seed)
    async with watched() as gateway:
        for _ in range(60):
            async with raw(gateway) as (reader, writer):
                cut = choice.choice([len(HANDSHAKE)] * 4 + [choice.randrange(len(HANDSHAKE))])
                writer.write(HANDSHAKE[:cut])
                if cut == len(HANDSHAKE) and choice.random() < 0.8:
                    await reader.readuntil(b"\r\n\r\n")
                for _ in range(choice.randrange(8)):
                    writer.write(frame(choice))
                    await asyncio.sleep(0)
                with suppress(OSError):
                    if choice.random() < 0.5:
                        writer.write_eof()
                    async with asyncio.timeout(0.05):
                        await reader.read()


async def test_a_slow_writer_holds_up_nobody():
    """A handshake and a message that come byte by byte cost the others nothing."""
    content = json.dumps({"type": "response.create", "model": "gpt-5.5", "input": "hi"}).encode()
    mask = b"\0\0\0\0"
    message = bytes([0x81, 0x80 | len(content)]) + mask + content
    async with watched() as gateway, raw(gateway) as (reader, writer):
        for byte in HANDSHAKE:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        async with socket(gateway.url) as other:
            for number, byte in enumerate(message):
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
                if number % 30 == 0:
                    assert "completed" == (await other.ask("hi"))["status"]
        assert b"response.completed" in await reader.readuntil(b'"response.completed"')


PING = bytes([0x89, 0x80 | 125]) + b"\0\0\0\0" + b"p" * 125


async def test_pings_that_nobody_reads_the_pongs_of_cost_no_memory():
    """40 MB of them leave less than 1 MB behind, and who reads on is answered again."""
    async with watched() as gateway, raw(gateway) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        (connection,) = gateway.connections
        writer.transport.pause_reading()
        for _ in range(40):
            writer.write(PING * 8_000)
            await writer.drain()
            assert connection.transport.get_write_buffer_size() < 1_000_000
        writer.transport.resume_reading()
        writer.write(PING[:-1] + b"!")
        while True:
            pong = await reader.readexactly(127)
            assert pong[:2] == bytes([0x8A, 125])
            if pong.endswith(b"!"):
                break
