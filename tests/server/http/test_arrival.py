"""Heads and bodies that only trickle in end; what takes long for other reasons does not."""

import asyncio
import json
from contextlib import suppress

import pytest

from longwire.app import opening
from longwire.server.http.arrival import SLOWEST, Arrival, ArrivalLimits
from tests.conftest import KEY, serving, settings_for
from tests.doubles.canned import COMPLETED, CREATED, answer, canned, sse
from tests.server.conftest import between, dial, is_envelope

QUICK = {"head_timeout": "60ms", "body_timeout": "60ms"}
LINES = ("host: x", f"authorization: Bearer {KEY}")
TURN = b'{"model":"m","stream":true,"input":"hi"}'


def head(*lines, target="POST /v1/responses"):
    return "\r\n".join((f"{target} HTTP/1.1", *LINES, *lines, "", "")).encode()


async def trickle(connection, content):
    """Send a byte now and then until the other side has had enough; return what it said."""

    async def send():
        for byte in content:
            connection.writer.write(bytes((byte,)))
            await asyncio.sleep(0.01)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        sending = group.create_task(send())
        said = await connection.reader.read(65_536)
        sending.cancel()
        with suppress(ConnectionResetError):  # what was still under way to a closed connection
            said += await connection.reader.read()
    return said


def refused(said: bytes) -> bool:
    """Whether it is one answer, in the envelope, that says what was too slow, and how to close."""
    start, _, body = said.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    is_told = "did not arrive in time" in error["message"] and is_envelope(body)
    is_closed = b"connection: close" in start.split(b"\r\n")
    return (
        start.startswith(b"HTTP/1.1 408 ")
        and error["code"] == "request_timeout"
        and is_told
        and is_closed
    )


async def test_a_connection_without_a_request():
    """It ends without a word: there is nothing to answer."""
    async with between(server=QUICK) as (_, connection), asyncio.timeout(5):
        assert b"" == await connection.reader.read()


async def test_a_head_that_trickles_in():
    """It is refused, however steadily its bytes come."""
    async with between(server=QUICK) as (upstream, connection):
        assert refused(await trickle(connection, head(*["x: y"] * 200)))
        assert [] == upstream.bodies


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("POST /v1/responses", "content-length: 5000"),
        ("POST /v1/responses", "transfer-encoding: chunked"),
        ("POST /admin/graphql", "content-length: 5000"),
    ],
)
async def test_a_body_that_trickles_in(target, line, tmp_path):
    """Of a turn, announced or in chunks, and of any other request."""
    database = {"url": f"sqlite:///{tmp_path / 'longwire.db'}"}
    async with canned() as upstream:
        settings = settings_for(upstream.url, server=QUICK, database=database)
        async with serving(settings, opening(settings)) as gateway, dial(gateway) as connection:
            # What a first request loads takes longer than a body may.
            await connection.ask(b"{}", path="/admin/graphql")
            lines = (line, "content-type: application/json", "x-longwire-csrf: 1")
            start = b"fff\r\n" if "chunked" in line else b""
            connection.writer.write(head(*lines, target=target) + start)
            assert refused(await trickle(connection, b" " * 900))
        assert [] == upstream.bodies


async def test_a_body_that_was_expected():
    """Whoever asked whether to send it is waited for no longer than others."""
    async with between(server=QUICK) as (_, connection), asyncio.timeout(5):
        connection.writer.write(head("content-length: 5", "expect: 100-continue"))
        said = await connection.reader.read()
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert refused(said.partition(b"\r\n\r\n")[2])


async def test_a_body_behind_its_answer():
    """An answer that needed none of it is the only one: the rest would be taken for another's."""
    async with between(server=QUICK) as (_, connection):
        connection.writer.write(head("content-length: 5000", target="GET /health"))
        said = await trickle(connection, b" " * 900)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert 1 == said.count(b"HTTP/1.1")


async def test_a_connection_that_rests_between_requests():
    """Nothing is awaited of it, so nothing is late."""
    async with between(server=QUICK) as (_, connection):
        for _ in range(2):
            assert 200 == (await connection.ask(TURN))[0]
            await asyncio.sleep(0.15)
        assert 200 == (await connection.ask(TURN))[0]


@pytest.mark.parametrize("behind", [b"", b"POST /v1/responses HT", head("content-length: 9")])
async def test_an_answer_that_takes_long(behind):
    """It is whole, whatever trickles in behind it; that is what closes the connection."""
    stream = sse(CREATED, COMPLETED)
    late = [answer(sse(CREATED), size=len(stream)), 0.25, sse(COMPLETED)]
    async with between(late, server=QUICK) as (_, connection), asyncio.timeout(5):
        await connection.send(TURN)
        await connection.reader.readuntil(b"response.created")
        connection.writer.write(behind)
        said = await connection.reader.readuntil(b"0\r\n\r\n")
        assert b"response.completed" in said
        if behind:
            rest = await connection.reader.read()
            assert rest == b"" or refused(rest)


class Loop:
    """A clock with one timer."""

    def __init__(self):
        self.now = 0.0
        self.due = None

    def time(self):
        return self.now

    def call_at(self, due, look):
        self.due = due, look
        return self

    def call_later(self, seconds, look):
        return self.call_at(self.now + seconds, look)

    def go_on(self):
        """Let time pass until the timer is due."""
        self.now, look = self.due
        look()


@pytest.mark.parametrize(
    ("size", "expected"), [(0, 20), (SLOWEST - 1, 20 + 1), (SLOWEST * 100, 120)]
)
def test_a_body_has_the_longer_the_more_of_it_came(size, expected):
    """A slow line with much to say is no attack."""
    loop, ends = Loop(), []
    arrival = Arrival(ArrivalLimits(10, 20), loop, lambda: ends.append(loop.now))
    arrival.since, arrival.is_body, arrival.size = 0.0, True, size
    while not ends:
        loop.go_on()
    assert [expected] == [round(each) for each in ends]


@pytest.mark.parametrize("since", [0.0, 3.0, 9.9])
def test_a_head_is_overdue_on_time(since):
    """Whenever it began, it has its span from then on, and no more."""
    loop, ends = Loop(), []
    arrival = Arrival(ArrivalLimits(10, 20), loop, lambda: ends.append(loop.now))
    arrival.since = None
    loop.go_on()
    arrival.since = loop.now + since
    while not ends:
        loop.go_on()
    assert [20 + since] == ends
