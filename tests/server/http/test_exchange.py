"""A reply as it goes to its client, by a real server: in order, and never past who reads it."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn

from longwire.core.errors import BodyTooLarge
from longwire.server.http.exchange import ReplyState
from tests.server.http.played import LIMIT, configured


def whole(messages):
    """Encode all messages, one after the other."""
    return len(messages), b"".join(messages)


async def fill(take):
    """Pass on until the client does not keep up."""
    for _ in range(2000):
        if not take([b"x" * 65_536]):
            return
        await asyncio.sleep(0)  # the loop writes, or cannot
    pytest.fail("the client was never waited for")


@asynccontextmanager
async def served(turn, body=b"", length=None):
    """Serve turns, and give a connection that has sent one, or the head of a longer one."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(configured(turn))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        size = b"content-length: %d" % (len(body) if length is None else length)
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
        take = exchange.fast_path(whole)
        await exchange.write(b"a")
        assert take([b"b", b"cd"]) == 2
        assert take([b"e"]) == 1
        await exchange.write(b"")
        await exchange.end(b"f")
        assert take([b"g"]) == 0

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
        await exchange.write(b"start")
        take = exchange.fast_path(whole)
        await fill(take)
        lagging.set()
        await exchange.end(b"end")

    async with served(turn) as (reader, _):
        await lagging.wait()
        body = b""
        while not body.endswith(b"3\r\nend\r\n0\r\n\r\n"):
            body += await reader.read(1 << 20)


@pytest.mark.parametrize("ends", [False, True])
async def test_client_gone(ends):
    """Leaving cancels a turn, but not where its reply is at its end; nothing more is written."""
    lagging, outcome = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def turn(exchange):
        exchange.begin(200, {})
        await exchange.write(b"start")
        take = exchange.fast_path(whole)
        await fill(take)
        lagging.set()
        try:
            await (exchange.end(b"end") if ends else exchange.write(b"more"))
        except asyncio.CancelledError:
            outcome.set_result(("cancelled", exchange.reply, take([b"x"])))
            raise
        outcome.set_result(("served", exchange.reply, take([b"x"])))

    async with served(turn) as (reader, writer):
        await reader.readuntil(b"start")
        await lagging.wait()
        writer.transport.abort()
        assert ("served" if ends else "cancelled", ReplyState.ABORTED, 0) == await outcome


async def test_a_length():
    """A reply of a known length is no chunks, and one write."""

    async def turn(exchange):
        exchange.begin(404, {}, length=2)
        await exchange.end(b"ok")

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
        await exchange.end()

    async with served(turn) as (reader, _):
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"x" not in answer.partition(b"\r\n")[2].replace(b"text", b"")


@pytest.mark.parametrize(("size", "fits"), [(0, True), (LIMIT, True), (LIMIT + 1, False)])
async def test_a_body_has_a_limit(size, fits):
    """The last byte of the limit is let in, one more is not."""
    outcome = asyncio.get_running_loop().create_future()

    async def turn(exchange):
        try:
            outcome.set_result(await exchange.body())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            outcome.set_result(type(error).__name__)
        exchange.begin(200, {}, length=0)
        await exchange.end()

    body = bytes(size)
    async with served(turn, body) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        assert await outcome == (body if fits else "BodyTooLarge")


@pytest.mark.parametrize("announced", [LIMIT + 1, 10**18])
async def test_an_announced_size_is_refused_unread(announced):
    """A body that says it is too large is refused by its head."""

    async def turn(exchange):
        with pytest.raises(BodyTooLarge):
            await exchange.body()
        exchange.begin(413, {}, length=0)
        await exchange.end()

    async with served(turn, length=announced) as (reader, _):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 413 ")


async def test_a_reply_that_breaks_off():
    """It cannot look whole: its last chunk never comes."""

    async def turn(exchange):
        exchange.begin(200, {})
        await exchange.write(b"start")
        exchange.cut()

    async with served(turn) as (reader, _):
        assert (await reader.read()).endswith(b"5\r\nstart\r\n")
