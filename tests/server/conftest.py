"""Clients of the gateway: the official one, a raw one, and one that writes bytes itself."""

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import openai
import pytest

from tests.conftest import serving, settings_for
from tests.doubles.canned import canned


class RawConnection:
    """One connection to the gateway; what is written is exactly what a test wrote."""

    def __init__(self, reader, writer, key):
        self.reader = reader
        self.writer = writer
        self.key = key

    async def send(self, body, *, method="POST", path="/v1/responses", headers=()):
        lines = [
            f"{method} {path} HTTP/1.1",
            "host: gateway",
            f"authorization: Bearer {self.key}",
            f"content-length: {len(body)}",
            *headers,
        ]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()

    async def receive(self):
        """Status, headers and body of the next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        if "chunked" in headers.get("transfer-encoding", ""):
            body = b"".join([chunk async for chunk in self._chunks()])
        else:
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(status.split()[1]), headers, body

    async def _chunks(self):
        while size := int(await self.reader.readline(), 16):
            yield await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()

    async def ask(self, body, **options):
        """Send and receive."""
        await self.send(body, **options)
        return await self.receive()


@asynccontextmanager
async def dial(gateway):
    parts = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
    try:
        yield RawConnection(reader, writer, gateway.key)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def between(*answers, **tables):
    """An upstream that says `answers` and a raw connection to a gateway before it."""
    async with (
        canned(*answers) as upstream,
        serving(settings_for(upstream.url, **tables)) as gateway,
        dial(gateway) as connection,
    ):
        yield upstream, connection


@pytest.fixture
async def connection(gateway):
    """A raw connection to the gateway."""
    async with dial(gateway) as connection:
        yield connection


@pytest.fixture
async def client(gateway):
    """The official client, which retries nothing, and loads none of the system's certificates."""
    bare = openai.DefaultAsyncHttpxClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    async with openai.AsyncOpenAI(
        base_url=gateway.url + "/v1", api_key=gateway.key, max_retries=0, http_client=bare
    ) as client:
        yield client


@pytest.fixture
async def session(gateway):
    """A plain HTTP client with the key."""
    async with aiohttp.ClientSession(gateway.url, headers=gateway.headers) as session:
        yield session


def events_of(stream: bytes):
    """Names and contents of an event stream; comments have no name."""
    blocks = stream.decode().split("\n\n")
    assert blocks.pop() == ""
    for block in blocks:
        *comments, name, content = block.split("\n", block.count("\n:") + block.startswith(":") + 1)
        for comment in comments:  # each a line of its own, and none is followed by a blank one
            assert comment.startswith(":")
            yield None, comment
        yield name.removeprefix("event: "), json.loads(content.removeprefix("data: "))


def is_envelope(body: bytes) -> bool:
    """Whether a body is OpenAI's error envelope and nothing else."""
    envelope = json.loads(body)
    members = ["message", "type", "param", "code"]
    return list(envelope) == ["error"] and list(envelope["error"]) == members
