"""Turns over HTTP through proxies: as over WebSocket, whatever the proxy speaks."""

import pytest

from longwire.core.errors import ReplaySafety, UpstreamUnavailable
from longwire.emulator import Emulator, Options
from longwire.upstream.net import tls
from tests.doubles.canned import answer, canned
from tests.doubles.proxies import proxy
from tests.upstream.http.steps import events

KNOWN = "proxy-user:p%40ss%3Aword@"
SOCKS = ["socks5", "socks5h"]
TUNNELS = [("socks", scheme) for scheme in SOCKS]
SAID = ["response.created", "response.completed"]


@pytest.mark.parametrize("scheme", SOCKS)
@pytest.mark.parametrize("credentials", ["", KNOWN])
async def test_turns_go_through_a_socks_proxy(transport, scheme, credentials):
    """Two turns share the connection through the proxy, which knows the channel's login."""
    async with canned(answer()) as upstream, proxy("socks", demands_password=True) as between:
        http = transport(upstream.url, proxy=between.url(scheme, KNOWN))
        assert SAID == await events(http)
        assert SAID == await events(http)
        assert 1 == len(between.targets)


@pytest.mark.parametrize("scheme", ["socks4a", *SOCKS])
async def test_a_name_is_the_proxys_to_resolve(transport, scheme):
    """A host that only the proxy knows is reached by its name."""
    async with canned(answer()) as upstream, proxy("socks") as between:
        between.names["far.test"] = "127.0.0.1"
        url = upstream.url.replace("127.0.0.1", "far.test")
        assert SAID == await events(transport(url, proxy=between.url(scheme)))
        port = url.rpartition(":")[2].partition("/")[0]
        assert [f"far.test:{port}"] == between.targets


async def test_the_certificate_is_the_upstreams(transport, authority):
    """TLS inside a SOCKS tunnel is checked against the upstream's name, by the channel's rules."""
    headers = {"authorization": "Bearer sk-emulator"}
    context = tls.context(authority.file, verify=True)
    options = Options(tls_cert=authority.file, tls_key=authority.key)
    async with Emulator(options) as upstream, proxy("socks") as between:
        ways = {"headers": headers, "proxy": between.url("socks5h")}
        url = f"{upstream.url}/v1/responses"
        body = b'{"model":"gpt-5.5","input":"hi"}'
        assert SAID[1] == (await events(transport(url, context=context, **ways), body))[-1]
        with pytest.raises(UpstreamUnavailable, match="set tls_ca"):
            await events(transport(url, **ways), body)


@pytest.mark.parametrize(("kind", "scheme"), [("http", "http"), ("http", "https"), *TUNNELS])
async def test_a_login_reaches_any_proxy(transport, authority, kind, scheme):
    """One URL with a percent-encoded login, whatever the proxy speaks, on the way to TLS."""
    headers = {"authorization": "Bearer sk-emulator"}
    context = tls.context(authority.file, verify=True)
    options = Options(tls_cert=authority.file, tls_key=authority.key)
    own = authority.server() if scheme == "https" else None
    async with (
        Emulator(options) as upstream,
        proxy(kind, tls=own, demands_password=True) as between,
    ):
        way = {"headers": headers, "context": context, "proxy": between.url(scheme, KNOWN)}
        http = transport(f"{upstream.url}/v1/responses", **way)
        body = b'{"model":"gpt-5.5","input":"hi"}'
        assert SAID[1] == (await events(http, body))[-1]
        assert 1 == len(between.targets)


@pytest.mark.parametrize(
    ("refuses", "password"),
    [
        (b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00", KNOWN),
        (b"\x09\x09", KNOWN),
        (b"", KNOWN),
        (None, "proxy-user:planted@"),
    ],
)
async def test_a_socks_proxy_that_refuses(transport, refuses, password):
    """Nothing was sent, so the turn may go elsewhere; the password is not told."""
    async with canned(answer()) as upstream, proxy("socks", demands_password=True) as between:
        between._refuses = refuses
        with pytest.raises(UpstreamUnavailable, match="check the channel's proxy") as caught:
            await events(transport(upstream.url, proxy=between.url("socks5", password)))
    assert ReplaySafety.AMBIGUOUS is not caught.value.safety
    assert "planted" not in str(caught.value)
    assert [] == upstream.heads


async def test_no_socks_proxy_there(transport):
    """A proxy that does not run is named as the reason."""
    with pytest.raises(UpstreamUnavailable, match="check the channel's proxy"):
        await events(transport("http://127.0.0.1:1", proxy="socks5://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("variable", "kind", "scheme"),
    [
        ("HTTP_PROXY", "http", "http"),
        ("ALL_PROXY", "socks", "socks5"),
        ("all_proxy", "socks", "socks5h"),
    ],
)
async def test_the_environment_names_a_proxy(transport, monkeypatch, variable, kind, scheme):
    """The variables mean for HTTP what they mean for a WebSocket."""
    async with canned(answer()) as upstream, proxy(kind) as between:
        monkeypatch.setenv(variable, between.url(scheme))
        if kind == "socks":
            assert SAID == await events(transport(upstream.url))
            assert 1 == len(between.targets)
        monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
        between.targets.clear()
        assert SAID == await events(transport(upstream.url))
        assert [] == between.targets
