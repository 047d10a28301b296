"""A reply as it goes to its client, by a real server: in order, and never past who reads it."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn

from longwire.server.http.protocol import HttpProtocol

LIMIT = 1000


class Serving:
    """An application whose turns are one coroutine's."""

    def __init__(self, turn):
        self.turns = self
        self.paths = (b"/v1/responses",)
        self.max_body = LIMIT
        self.turn = turn

    async def __call__(self, exchange, *_):
        await self.turn(exchange)


def whole(messages):
    """Encode all messages, one after the other."""
    return len(messages), b"".join(messages)


@asynccontextmanager
async def served(turn, body=b""):
    """Serve turns, and give a connection that has sent one, and the front behind it."""
    listener = socket.create_server(("127.0.0.1", 0))
    options = {"ws": "none", "log_config": None, "lifespan": "off"}
    options |= {"proxy_headers": False, "server_header": False}
    server = uvicorn.Server(
        uvicorn.Config(Serving(turn), http=HttpProtocol, interface="asgi3", **options)
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        size = b"content-length: %d" % len(body)
        writer.write(b"POST /v1/responses HTTP/1.1\r\nhost: x\r\n" + size + b"\r\n\r\n" + body)
        try:
            async with asyncio.timeout(20):
                yield reader, writer
        finally:
            writer.close()
            server.should_exit = True


async def test_in_order():
    """Chunks stand where they were written, whichever way; the head comes with the first."""

    async def turn(exchange):
        exchange.begin(200, {"x-a": "b"}, b"x-c: d\r\n")
        fast_path = exchange.fast_path(whole)
        exchange.write(b"a")
        assert fast_path([b"b", b"cd"]) == 2
        assert fast_path([b"e"]) == 1
        exchange.write(b"")
        exchange.end(b"f")
        assert fast_path([b"g"]) == 0

    async with served(turn) as (reader, _):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
        assert head.endswith(b"\r\nx-a: b\r\nx-c: d\r\ntransfer-encoding: chunked\r\n\r\n")
        expected = b"1\r\na\r\n3\r\nbcd\r\n1\r\ne\r\n1\r\nf\r\n0\r\n\r\n"
        assert await reader.readexactly(len(expected)) == expected


async def test_slow_client():
    """Nothing is passed on to a client that does not keep up; who waits goes on when it does."""
    lagging = asyncio.Event()

    async def turn(exchange):
        exchange.begin(200, {})
        exchange.write(b"start")
        fast_path = exchange.fast_path(whole)
        for _ in range(2000):
            if not fast_path([b"x" * 65_536]):
                break
            await asyncio.sleep(0)  # the loop writes, or cannot
        assert exchange.flow.write_paused
        lagging.set()
        await exchange.flow.drain()
        exchange.end(b"end")

    async with served(turn) as (reader, _):
        await lagging.wait()
        body = b""
        while not body.endswith(b"3\r\nend\r\n0\r\n\r\n"):
            body += await reader.read(1 << 20)


@pytest.mark.parametrize("ends", [False, True])
async def test_client_gone(ends):
    """Leaving cancels a turn, but not where its reply is at its end; nothing more is written."""
    left, told = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def turn(exchange):
        exchange.begin(200, {})
        exchange.write(b"start")
        fast_path = exchange.fast_path(whole)
        exchange.ends = ends
        try:
            await left.wait()
        except asyncio.CancelledError:
            told.set_result(("cancelled", fast_path([b"x"])))
            raise
        while not exchange.is_gone:  # noqa: ASYNC110 - only a cancelled task would be told
            await asyncio.sleep(0)
        exchange.end(b"end")
        told.set_result(("served", fast_path([b"x"])))

    async with served(turn) as (reader, writer):
        await reader.readuntil(b"start")
        writer.transport.abort()
        if ends:
            left.set()
        assert await told == ("served" if ends else "cancelled", 0)


async def test_a_length():
    """A reply of a known length is no chunks, and one write."""

    async def turn(exchange):
        exchange.begin(404, {}, length=2)
        exchange.end(b"ok")

    async with served(turn) as (reader, _):
        answer = await reader.read(1 << 20)
        assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
        assert answer.endswith(b"\r\ncontent-length: 2\r\n\r\nok")


@pytest.mark.parametrize("headers", [{"x": "a\r\nb: c"}, {"x": "a\n"}, {"x\r\ny": "a"}], ids=repr)
async def test_no_header_holds_another(headers):
    """A header that would be two is an error, and nothing of it is written."""

    async def turn(exchange):
        with pytest.raises(ValueError, match="control character"):
            exchange.begin(200, headers)
        exchange.begin(500, {}, length=0)
        exchange.end()

    async with served(turn) as (reader, _):
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"x" not in answer.partition(b"\r\n")[2].replace(b"text", b"")


@pytest.mark.parametrize(("size", "fits"), [(0, True), (LIMIT, True), (LIMIT + 1, False)])
async def test_a_body_has_a_limit(size, fits):
    """The last byte of the limit is let in, one more is not."""
    told = asyncio.get_running_loop().create_future()

    async def turn(exchange):
        try:
            told.set_result(await exchange.body())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            told.set_result(type(error).__name__)
        exchange.begin(200, {}, length=0)
        exchange.end()

    body = bytes(size)
    async with served(turn, body) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        assert await told == (body if fits else "BodyTooLarge")


async def test_a_reply_that_breaks_off():
    """It cannot look whole: its last chunk never comes."""

    async def turn(exchange):
        exchange.begin(200, {})
        exchange.write(b"start")
        exchange.cut()

    async with served(turn) as (reader, _):
        told = await reader.read()
        assert told.endswith(b"5\r\nstart\r\n")
