"""Chunks that are written past ASGI's `send`, by a real server."""

import asyncio
import socket
from contextlib import asynccontextmanager

import uvicorn

from longwire.server.chunks import passing

STREAM = {"type": "http.response.start", "status": 200, "headers": []}


def whole(messages):
    """Encode all messages, one after the other."""
    return len(messages), b"".join(messages)


@asynccontextmanager
async def served(app):
    """Serve an application, and give a connection to it that has sent a request."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http="httptools", ws="none", log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True


async def test_in_order():
    """Chunks stand where they were written, between those of `send`."""

    async def app(_scope, _receive, send):
        await send(STREAM)
        take = passing(send, whole)
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        assert take([b"b", b"cd"]) == 2
        assert take([b"e"]) == 1
        await send({"type": "http.response.body", "body": b"f"})

    async with served(app) as (reader, _):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head
        expected = b"1\r\na\r\n3\r\nbcd\r\n1\r\ne\r\n1\r\nf\r\n0\r\n\r\n"
        assert await reader.readexactly(len(expected)) == expected


async def test_slow_client():
    """Nothing is passed on to a client that does not keep up; `send` waits for it."""
    lagging = asyncio.Event()

    async def app(_scope, _receive, send):
        await send(STREAM)
        take = passing(send, whole)
        while take([b"x" * 65_536]):  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0)  # the loop writes, or cannot
        lagging.set()
        await send({"type": "http.response.body", "body": b"end"})

    async with served(app) as (reader, _):
        await lagging.wait()
        body = b""
        while not body.endswith(b"3\r\nend\r\n0\r\n\r\n"):
            body += await reader.read(1 << 20)


async def test_client_gone():
    """Nothing is passed on to a client that is gone."""
    taken = asyncio.get_running_loop().create_future()

    async def app(_scope, receive, send):
        await send(STREAM)
        take = passing(send, whole)
        await receive()
        while (await receive())["type"] != "http.disconnect":
            pass
        taken.set_result(take([b"x"]))

    async with served(app) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        assert await taken == 0


async def test_no_chunks():
    """An answer with a length has no chunks to write."""
    found = asyncio.get_running_loop().create_future()

    async def app(_scope, _receive, send):
        await send(STREAM | {"headers": [(b"content-length", b"2")]})
        found.set_result(passing(send, whole))
        await send({"type": "http.response.body", "body": b"ok"})

    async with served(app) as (reader, _):
        assert await found is None
        assert (await reader.readuntil(b"ok")).endswith(b"ok")


async def test_unknown_server():
    """Behind a `send` of another server nothing is known."""

    async def send(_message):
        """Take a message."""

    assert passing(send, whole) is None
