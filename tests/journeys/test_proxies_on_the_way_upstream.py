"""A channel, and an issuer of tokens, behind a SOCKS proxy that alone knows the way."""

import pytest

from longwire.emulator import IssuerOptions, Options
from longwire.upstream.oauth.issuer import Issuer, Registration
from tests.doubles.proxies import proxy
from tests.journeys.agent import Agent, user
from tests.journeys.conftest import settings_of, websocket_channel

LOGIN = "proxy-user:p%40ss%3Aword@"
FAR = "far.test"


def channel_by(upstream, between, scheme, transport):
    """A channel to a name that only the proxy knows, with a login in its URL."""
    between.names[FAR] = "127.0.0.1"
    declared = websocket_channel(upstream.replace("127.0.0.1", FAR))
    return {**declared, "transport": transport, "proxy": between.url(scheme, LOGIN)}


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize(
    ("transport", "ways"),
    [
        ("auto", {"http", "websocket"}),
        ("websocket", {"websocket"}),
        ("http", {"http"}),
    ],
)
async def test_any_transport_goes_through_a_socks_proxy(
    emulator, serve, client_of, scheme, transport, ways
):
    """A single question and a turn with tools are answered, by whichever transport they go."""
    async with proxy("socks", demands_password=True) as between:
        channel = channel_by(emulator.url, between, scheme, transport)
        client = client_of(await serve(settings_of(emulator.url, channels=(channel,))))
        raw = await client.responses.with_raw_response.create(model="gpt-5.5", input="hi")
        assert "completed" == raw.parse().status
        agent = Agent(client, emulator)
        transports = {raw.headers["x-longwire-transport"]}
        transports.add((await agent.say(user("hi"))).transport)
        assert ways == transports
        port = emulator.url.rpartition(":")[2]
        assert {f"{FAR}:{port}"} == set(between.targets)


@pytest.mark.parametrize("options", [Options(issuer=IssuerOptions())])
@pytest.mark.parametrize("variable", ["ALL_PROXY", "http_proxy"])
async def test_tokens_go_the_same_way(emulator, monkeypatch, variable):
    """An issuer is asked through the proxy that the environment names for its URL."""
    async with proxy("socks", demands_password=True) as between:
        between.names[FAR] = "127.0.0.1"
        monkeypatch.setenv(variable, between.url("socks5h", LOGIN))
        issuer = Issuer(Registration(emulator.url.replace("127.0.0.1", FAR)), lambda: 0)
        assert (await issuer.begin_device()).user_code
        assert 1 == len(between.targets)
