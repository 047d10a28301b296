"""The HTTP transport that its first request loads behaves like one that was there before."""

import asyncio
import ssl

import pytest

from longwire.core.errors import UpstreamUnavailable
from longwire.dialects.responses.request import decode_request
from longwire.upstream.http import transport as http
from longwire.upstream.http.address import Address
from longwire.upstream.http.lazy import LazyHttpTransport
from longwire.upstream.oauth.credentials import StaticKey
from longwire.upstream.ports import Call, Timeouts
from tests.doubles.canned import COMPLETED, CREATED, answer, canned, sse

CALL = Call(decode_request(b'{"model":"m","input":"hi","stream":true}'), None, {})
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANSWER = answer(sse(CREATED, COMPLETED))


def on_demand(url):
    return LazyHttpTransport(Address(url, None, PLAIN), Timeouts(), StaticKey({}))


async def events(transport):
    async with transport.open(CALL) as stream:
        return [event.name async for batch in stream for event in batch]


@pytest.fixture
def transports(monkeypatch):
    """The sessions of all transports that were loaded."""
    transports = []

    class Counted(http.HttpTransport):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            transports.append(self)

    monkeypatch.setattr(http, "HttpTransport", Counted)
    return transports


async def test_first_turns_at_once_share_one(transports):
    """However many turns come first together, one transport is made, and one closed."""
    async with canned(ANSWER, ANSWER, ANSWER) as upstream:
        transport = on_demand(upstream.url)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(events(transport)) for _ in range(2)]
        names = [task.result() for task in tasks] + [await events(transport)]
        assert [["response.created", "response.completed"]] * 3 == names
        (only,) = transports
        assert only._session is not None
        await transport.close()
        assert only._session is None


async def test_one_that_retired_unused_serves_who_holds_it_and_closes(transports):
    """A turn that was under way to a transport that retires ends whole, and leaves nothing open."""
    async with canned(ANSWER) as upstream:
        transport = on_demand(upstream.url)
        await transport.retire()
        assert ["response.created", "response.completed"] == await events(transport)
    assert [None] == [each._session for each in transports]


async def test_unused_it_has_nothing_to_close(transports):
    """To retire and close what nobody used loads nothing."""
    transport = on_demand("http://127.0.0.1:1")
    await transport.retire()
    await transport.close()
    assert [] == transports


async def test_its_model_list_is_the_transports_own():
    """What is asked beside turns is answered as ever, errors included."""
    transport = on_demand("http://127.0.0.1:1")
    for ask in (transport.models, transport.listed):
        with pytest.raises(UpstreamUnavailable, match="does not tell where the models are listed"):
            await ask()
