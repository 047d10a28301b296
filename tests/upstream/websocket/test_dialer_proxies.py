"""Dials through proxies."""

import pytest

from longwire.core.errors import UpstreamUnavailable
from longwire.upstream.net import tls
from tests.doubles.peer import peer
from tests.doubles.proxies import proxy
from tests.upstream.websocket.dial_steps import dialed, speaks

KNOWN = "proxy-user:p%40ss%3Aword@"

PROXIES = [("http", "http"), ("socks", "socks5"), ("socks", "socks5h")]


class TestProxies:
    @pytest.mark.parametrize(("kind", "scheme"), PROXIES)
    @pytest.mark.parametrize("encrypted", [False, True])
    @pytest.mark.parametrize("credentials", ["", KNOWN])
    async def test_tunnel(self, authority, kind, scheme, encrypted, credentials):
        """A connection goes through the channel's proxy, whatever runs inside."""
        inside = authority.server() if encrypted else None
        context = tls.context(authority.file, verify=True) if encrypted else None
        async with (
            peer(tls=inside) as there,
            proxy(kind, demands_password=bool(credentials)) as between,
        ):
            url = between.url(scheme, credentials)
            assert await speaks(await dialed(there.url, proxy=url, tls=context), there)
            assert between.targets == [f"127.0.0.1:{there.port}"]

    @pytest.mark.parametrize(
        ("kind", "scheme"),
        [("http", "http"), ("socks", "socks4a"), ("socks", "socks5"), ("socks", "socks5h")],
    )
    async def test_a_name_is_the_proxys_to_resolve(self, kind, scheme):
        """A host that only the proxy knows is reached by its name."""
        async with peer() as there, proxy(kind) as between:
            between.names["far.test"] = "127.0.0.1"
            url = there.url.replace("127.0.0.1", "far.test")
            assert await speaks(await dialed(url, proxy=between.url(scheme)), there)
            assert between.targets == [f"far.test:{there.port}"]

    async def test_a_proxy_of_socks_4_is_given_an_address(self):
        """The oldest of them knows no names."""
        async with peer() as there, proxy("socks") as between:
            url = there.url.replace("127.0.0.1", "localhost")
            assert await speaks(await dialed(url, proxy=between.url("socks4")), there)
            assert between.targets == [f"127.0.0.1:{there.port}"]

    @pytest.mark.parametrize("encrypted", [False, True])
    async def test_tunnel_through_https(self, authority, encrypted):
        """A proxy that itself speaks TLS is trusted by the channel's own rules."""
        inside = authority.server() if encrypted else None
        context = tls.context(authority.file, verify=True)
        async with peer(tls=inside) as there, proxy("http", tls=authority.server()) as between:
            url = between.url("https")
            assert await speaks(await dialed(there.url, proxy=url, tls=context), there)
            assert between.targets == [f"127.0.0.1:{there.port}"]

    @pytest.mark.parametrize(("kind", "scheme"), PROXIES)
    @pytest.mark.parametrize("credentials", ["", "proxy-user:wrong@"])
    async def test_wrong_password(self, kind, scheme, credentials):
        """A proxy that does not know us is named as the reason, its password is not."""
        async with peer() as there, proxy(kind, demands_password=True) as between:
            with pytest.raises(UpstreamUnavailable) as error:
                await dialed(there.url, proxy=between.url(scheme, credentials))
            assert "wrong" not in str(error.value)
            assert between.targets == []

    @pytest.mark.parametrize(
        ("kind", "scheme", "refusal"),
        [
            ("http", "http", b"HTTP/1.1 502 Bad Gateway\r\n\r\n"),
            ("http", "http", b"nonsense\r\n\r\n"),
            ("http", "http", b"HTTP/1.1 200 OK\r\n\r\nhello"),
            ("http", "http", b""),
            ("socks", "socks5", b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
            ("socks", "socks5", b"\x09\x09"),
            ("socks", "socks5", b""),
        ],
    )
    async def test_refusing_proxy(self, kind, scheme, refusal):
        """A proxy that refuses, lies or hangs up is an unavailable upstream."""
        async with peer() as there, proxy(kind, refuses=refusal) as between:
            with pytest.raises(UpstreamUnavailable, match=f"127.0.0.1:{there.port}"):
                await dialed(there.url, proxy=between.url(scheme))

    @pytest.mark.parametrize("url", ["ftp://127.0.0.1:9", "socks9://127.0.0.1:9", "http://"])
    async def test_no_proxy_of_ours(self, url):
        """A proxy that nobody can dial is told as it is."""
        with pytest.raises(UpstreamUnavailable, match="No WebSocket connection"):
            await dialed("ws://127.0.0.1:9/", proxy=url)

    @pytest.mark.parametrize("scheme", ["http", "socks5"])
    async def test_no_proxy_there(self, scheme):
        """A proxy that is not there is an unavailable upstream."""
        with pytest.raises(UpstreamUnavailable, match=r"refused|Errno"):
            await dialed("ws://127.0.0.1:9/", proxy=f"{scheme}://127.0.0.1:1")

    @pytest.mark.parametrize(
        ("variable", "kind", "scheme", "encrypted"),
        [
            ("HTTP_PROXY", "http", "http", False),
            ("http_proxy", "http", "http", False),
            ("HTTPS_PROXY", "http", "http", True),
            ("ALL_PROXY", "socks", "socks5", False),
            ("https_proxy", "socks", "socks5h", True),
            ("ALL_PROXY", "http", "http", True),
        ],
    )
    async def test_environment(self, monkeypatch, authority, variable, kind, scheme, encrypted):
        """The environment's proxies hold for ws as for http, and for wss as for https."""
        inside = authority.server() if encrypted else None
        context = tls.context(authority.file, verify=True) if encrypted else None
        async with peer(tls=inside) as there, proxy(kind) as between:
            monkeypatch.setenv(variable, between.url(scheme))
            assert await speaks(await dialed(there.url, tls=context), there)
            assert between.targets == [f"127.0.0.1:{there.port}"]

    @pytest.mark.parametrize(
        ("variable", "no_proxy"),
        [("HTTPS_PROXY", ""), ("HTTP_PROXY", "127.0.0.1"), ("ALL_PROXY", "*")],
    )
    async def test_environment_of_others(self, monkeypatch, variable, no_proxy):
        """A proxy for another scheme does not count, nor one for hosts that need none."""
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        async with peer() as there:
            assert await speaks(await dialed(there.url), there)

    async def test_channel_over_environment(self, monkeypatch):
        """The channel's own proxy counts more than the environment's."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        async with peer() as there, proxy("http") as between:
            connection = await dialed(there.url, proxy=between.url("http"))
            assert await speaks(connection, there)
