"""From a configured channel to its transports."""

import asyncio
from dataclasses import replace

import pytest

from longwire.core.errors import ConfigurationError, UpstreamError
from longwire.core.nouns.access import Rates
from longwire.core.nouns.channel import ChannelSpec, EndpointSpec, Status
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.override import Override
from longwire.core.nouns.price import ModelPrice
from longwire.core.nouns.secret import Secret
from longwire.core.rules.lease import PoolLimits
from longwire.relay.channels.provision import (
    ProvisionContext,
    adapt,
    fingerprint_of,
    provision,
    url_of,
)
from longwire.upstream.ports import Call, Timeouts
from longwire.upstream.websocket.keepalive import Heartbeat
from longwire.upstream.websocket.pool import Pool
from tests.core.turns import turn, user

SPEC = ChannelSpec("ch_1", "up", base_url="https://up/v1", credential=Secret("sk-up"))
CONNECTS = {
    "type": "codex",
    "base_url": "https://other/v1",
    "transport": "http",
    "credential": Secret("sk-other"),
    "proxy": Secret("http://proxy:80"),
    "tls_ca": "/ca.pem",
    "tls_verify": False,
    "organization": "org-1",
    "project": "proj-1",
    "headers": (("x-team", Secret("a")),),
    "endpoints": (EndpointSpec("responses", path="/r"),),
    "apis": ("responses", "messages"),
    "threads": True,
}
STAYS = {
    "id": "ch_2",
    "name": "renamed",
    "models": ("gpt",),
    "renames": (("a", "b"),),
    "tags": ("eu",),
    "weight": 2.0,
    "status": Status.DISABLED,
    "rates": Rates(1, 2, 3),
    "handshake_rate": 1.0,
    "handshake_burst": 9,
    "native_items": (),
    "profile": "deepseek",
    "quirks": (("strict", "false"),),
    "unsupported": "drop",
    "prices": (ModelPrice("gpt-*", 1, 2),),
    "keys": (ChannelKey("key_1", Secret("sk-second")),),
    "overrides": (Override("set", header="x-team", header_value=Secret("a")),),
    "endpoints": (EndpointSpec("messages", path="/m"),),
    "created_at": 1,
    "updated_at": 2,
    "revision": 3,
    "is_declared": True,
}


@pytest.fixture
def context():
    pool = Pool(PoolLimits(connections=2))
    return ProvisionContext(pool, Timeouts(), Heartbeat(), lambda *_: None)


@pytest.mark.parametrize("field", CONNECTS)
def test_what_connections_depend_on_is_in_the_fingerprint(field):
    """Another value means other connections."""
    assert fingerprint_of(SPEC) != fingerprint_of(replace(SPEC, **{field: CONNECTS[field]}))


@pytest.mark.parametrize("field", STAYS)
def test_nothing_else_is(field):
    """Everything that a channel has besides may change under its connections."""
    assert fingerprint_of(SPEC) == fingerprint_of(replace(SPEC, **{field: STAYS[field]}))


def test_every_field_is_one_or_the_other():
    """A new field of a channel has to be decided."""
    assert set(ChannelSpec.__slots__) == CONNECTS.keys() | STAYS.keys()


@pytest.mark.parametrize(
    ("transport", "expected"),
    [("auto", (True, True)), ("websocket", (True, False)), ("http", (False, True))],
)
def test_a_channel_has_the_transports_that_are_set(context, transport, expected):
    """With `auto` there are both; its model list is asked over HTTP in any case."""
    channel = provision(replace(SPEC, transport=transport), context)
    assert expected == (channel.websocket is not None, channel.http is not None)
    assert channel.listing is not None
    assert ("ch_1", "up") == (channel.id, channel.name)


def test_no_two_channels_share_an_identity(context):
    """Even the same configuration, provisioned again, has connections of its own."""
    assert provision(SPEC, context).endpoint != provision(SPEC, context).endpoint


def test_an_adapted_channel_keeps_what_it_has(context):
    """Its connections, its transports and the trust in it stay; another pace is taken over."""
    running = provision(SPEC, context)
    renamed = adapt(running, replace(SPEC, name="renamed", weight=3.0), context)
    assert ("renamed", 3.0) == (renamed.name, renamed.route.weight)
    kept = ("endpoint", "websocket", "http", "vendor")
    assert all(getattr(running, name) is getattr(renamed, name) for name in kept)
    slower = adapt(running, replace(SPEC, handshake_rate=1.0), context)
    assert slower.websocket is not running.websocket
    assert slower.endpoint == running.endpoint


def test_what_cannot_run_is_told(context):
    """A CA file that is none is named."""
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        provision(replace(SPEC, tls_ca="/none.pem"), context)


def test_the_urls_follow_transport_and_endpoint():
    """The scheme is the transport's, the path the endpoint's own."""
    own = replace(SPEC, endpoints=(EndpointSpec("responses", "/r", "http://other"),))
    assert ("https://up/v1/responses", "wss://up/v1/responses") == (
        url_of(SPEC, "http"),
        url_of(SPEC, "ws"),
    )
    assert "ws://other/v1/r" == url_of(own, "ws")


def test_gemini_without_a_path_is_asked_in_its_own_version():
    """A bare host gets the version of the API, which is not /v1 for Gemini."""
    spec = ChannelSpec("ch_1", "g", "gemini", "https://gem.example", Secret("k"))
    assert "https://gem.example/v1beta/models" == url_of(spec, "http", "generate_content")


async def test_header_additions_go_upstream(context):
    """Over either transport a request has the channel's own headers beside its credential."""
    heads = []

    async def refuse(reader, writer):
        heads.append((await reader.readuntil(b"\r\n\r\n")).lower())
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        headers = (("X-Team", Secret("blue")), ("user-agent", Secret("mine")))
        spec = replace(SPEC, base_url=f"http://127.0.0.1:{port}/v1", headers=headers)
        channel = provision(spec, context)
        for transport in (channel.http, channel.websocket):
            with pytest.raises(UpstreamError):
                async with transport.open(Call(turn(user("hello")), None)):
                    pass
        await channel.listing.close()
    for head in heads:
        assert {b"x-team: blue", b"user-agent: mine", b"authorization: bearer sk-up"} <= {
            *head.split(b"\r\n")
        }
    assert 2 == len(heads)


@pytest.mark.parametrize(("transport", "longest"), [("auto", 2.0), ("websocket", 30.0)])
def test_nobody_waits_long_for_the_pace_where_http_may_serve(context, transport, longest):
    """A dial whose place comes later is refused at once, and its turn goes over HTTP."""
    endpoint = provision(replace(SPEC, transport=transport), context).websocket.endpoint
    assert longest == endpoint.longest_wait


async def test_the_pace_of_a_channel_is_that_of_its_route(context):
    """All nodes ask for it by the same name, and nobody where there is none."""
    asked_for = []

    class Paces:
        def of(self, route, rate, burst):
            asked_for.append((route, rate, burst))

    shared = replace(context, paces=Paces())
    provision(replace(SPEC, handshake_rate=3.0, handshake_burst=4), shared)
    provision(replace(SPEC, handshake_rate=0.0), shared)
    assert [("ch_1", 3.0, 4)] == asked_for
