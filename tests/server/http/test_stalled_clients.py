"""Clients that stop taking what they are sent: waited for, but not for ever."""

import asyncio

import pytest

from longwire.server.http import protocol
from tests.conftest import serving, settings_for
from tests.doubles.canned import CREATED, DELTA, answer, canned, sse
from tests.server.conftest import between, dial

TURN = b'{"model":"m","input":"hi","stream":true}'
ENDLESS = [answer(sse(CREATED), size=1 << 40), *[sse(*[DELTA] * 4_000)] * 60, 90.0]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(protocol, "STALLED_AFTER", 0.2)


async def test_a_turn_that_nobody_reads_frees_its_upstream():
    """A client that reads nothing of its stream holds no connection for longer than its time."""
    async with between(ENDLESS) as (upstream, connection):
        await connection.send(TURN)
        await connection.reader.readuntil(b"response.created")
        connection.writer.transport.pause_reading()
        async with asyncio.timeout(10):
            await upstream.hung_up.wait()


async def test_an_answer_that_nobody_reads_is_dropped():
    """Of any other route, too: here a list of models that fits into no socket."""
    models = b'{"data":[%b]}' % b",".join(b'{"id":"m%d"}' % number for number in range(300_000))
    async with (
        canned(answer(models, "application/json")) as upstream,
        serving(settings_for(upstream.url)) as gateway,
        dial(gateway) as connection,
        asyncio.timeout(10),
    ):
        connection.writer.transport.pause_reading()
        await connection.send(b"", method="GET", path="/v1/models")
        await upstream.asked.wait()
        while gateway.connections:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_a_client_that_reads_on_in_time_gets_all():
    """A pause is no end: what waited meanwhile comes whole."""
    stream = sse(CREATED, *[DELTA] * 60_000)
    body = b'{"object":"response","id":"resp_1","output":[],"x":"' + stream.hex().encode() + b'"}'
    async with between(answer(body, "application/json")) as (_, connection):
        connection.writer.transport.pause_reading()
        await connection.send(b'{"model":"m","input":"hi"}')
        await asyncio.sleep(0.1)
        connection.writer.transport.resume_reading()
        status, _, said = await connection.receive()
        assert (200, len(body)) == (status, len(said))
