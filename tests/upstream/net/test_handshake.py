"""The request for an upgrade or a tunnel, and its response."""

import base64
from contextlib import suppress
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longwire.upstream.net.handshake import (
    LARGEST_BODY,
    LARGEST_HEAD,
    Handshake,
    HandshakeResponse,
    Malformed,
    Upgrade,
    connect_request,
)
from longwire.upstream.net.urls import origin_of
from tests.doubles.peer import accept

SWITCHED = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"


def upgrade_to(url: str, **headers: str) -> Upgrade:
    """Return the request to upgrade a connection to a URL."""
    parts = urlsplit(url)
    return Upgrade(origin_of(parts, "ws", "wss"), parts, headers)


def lines_of(request: bytes) -> list[str]:
    """Return the lines of a request, which must have an end."""
    assert request.endswith(b"\r\n\r\n")
    return request.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")


def response_of(*chunks: bytes, is_tunnel: bool = False) -> HandshakeResponse:
    """Feed a response in chunks."""
    response = HandshakeResponse(is_tunnel=is_tunnel)
    for chunk in chunks:
        response.feed(chunk)
    return response


class TestRequest:
    def test_request(self):
        """All that RFC 6455, 4.1 asks for is there, and no extension is offered."""
        lines = lines_of(upgrade_to("ws://host:81/v1/responses?a=b").request)
        assert "GET /v1/responses?a=b HTTP/1.1" == lines[0]
        headers = dict(line.split(": ", 1) for line in lines[1:])
        key = headers.pop("Sec-WebSocket-Key")
        assert 16 == len(base64.b64decode(key, validate=True))
        assert {
            "Host": "host:81",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
        } == headers

    def test_each_has_its_own_key(self):
        """The key of a request is unpredictable."""
        assert 50 == len({upgrade_to("ws://host/").request for _ in range(50)})

    @pytest.mark.parametrize(
        ("url", "first", "host"),
        [
            ("ws://host", "GET / HTTP/1.1", "host"),
            ("ws://host:80/x", "GET /x HTTP/1.1", "host"),
            ("wss://host:443/", "GET / HTTP/1.1", "host"),
            ("wss://host:80/", "GET / HTTP/1.1", "host:80"),
            ("ws://[::1]/", "GET / HTTP/1.1", "[::1]"),
            ("ws://[::1]:81/", "GET / HTTP/1.1", "[::1]:81"),
            ("ws://Host/a%20b?c=%C3%A9", "GET /a%20b?c=%C3%A9 HTTP/1.1", "host"),
            ("ws://bücher.example/é?ü", "GET /%C3%A9?%C3%BC HTTP/1.1", "xn--bcher-kva.example"),
        ],
    )
    def test_urls(self, url, first, host):
        """Path, query and host are spelt as HTTP has them."""
        lines = lines_of(upgrade_to(url).request)
        assert first == lines[0]
        assert f"Host: {host}" in lines

    def test_user_of_the_url(self):
        """A user in the URL becomes a header, unless there is one that says who speaks."""
        login = "Basic " + base64.b64encode(b"me:p@ss").decode()
        lines = lines_of(upgrade_to("ws://me:p%40ss@host/").request)
        assert f"Authorization: {login}" in lines
        assert "Host: host" in lines
        lines = lines_of(upgrade_to("ws://me:p%40ss@host/", authorization="Bearer x").request)
        assert ["authorization: Bearer x"] == [line for line in lines if "uthorization" in line]

    def test_own_host(self):
        """A host among the headers stands in place of the URL's."""
        lines = lines_of(upgrade_to("ws://host/", host="other").request)
        assert ["host: other"] == [line for line in lines if line.lower().startswith("host:")]

    def test_the_upgrade_is_ours(self):
        """No header of others stands beside one of the upgrade's own."""
        headers = {"connection": "close", "Sec-WebSocket-Key": "x", "sec-websocket-extensions": "y"}
        lines = lines_of(upgrade_to("ws://host/", **headers).request)
        assert "Connection: Upgrade" in lines
        assert 1 == sum(line.lower().startswith("connection:") for line in lines)
        assert 1 == sum(line.lower().startswith("sec-websocket-key:") for line in lines)
        assert not any(line.lower().startswith("sec-websocket-extensions:") for line in lines)

    @pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b"])
    def test_no_second_header(self, value):
        """A header with a line break in it is never sent."""
        with pytest.raises(ValueError, match="line break"):
            upgrade_to("ws://host/", x=value)

    def test_connect(self):
        """The request for a tunnel names the proxy's own user (RFC 9110, 9.3.6)."""
        origin = origin_of(urlsplit("wss://[::1]/"), "wss")
        lines = lines_of(connect_request(origin, urlsplit("http://me:p%3Aw@proxy:1")))
        login = base64.b64encode(b"me:p:w").decode()
        headers = ["Host: [::1]:443", f"Proxy-Authorization: Basic {login}"]
        assert ["CONNECT [::1]:443 HTTP/1.1", *headers] == lines


class TestResponse:
    @settings(deadline=None)
    @given(st.lists(st.integers(min_value=0), max_size=12))
    def test_cut_anywhere(self, places):
        """However it is cut, head and body are read, and interim responses are skipped."""
        sent = (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n"
            b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\ntransfer-encoding: chunked\r\n\r\n"
            b'5\r\n{"a":\r\n2;x=y\r\n1}\r\n0\r\n\r\n'
        )
        edges = [0, *sorted({place % len(sent) for place in places}), len(sent)]
        response = response_of(*(sent[a:b] for a, b in pairwise(edges)))
        assert (429, b'{"a":1}', True) == (response.status, response.body, response.is_whole)
        assert {"retry-after": "7", "transfer-encoding": "chunked"} == response.headers

    def test_what_follows_a_101(self):
        """Bytes behind a 101 are kept as they are, whenever they come."""
        response = response_of(SWITCHED + b"\r\n\x81\x00", b"\r\n\r\n", b"HTTP/1.1 200 OK")
        assert (101, True) == (response.status, response.is_whole)
        assert b"\x81\x00\r\n\r\nHTTP/1.1 200 OK" == response.rest

    def test_what_follows_a_tunnel(self):
        """A tunnel has no body, whatever the headers of its response say."""
        response = response_of(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n\x16", is_tunnel=True)
        assert (200, True, b"\x16", b"") == (
            response.status,
            response.is_whole,
            response.rest,
            response.body,
        )

    @pytest.mark.parametrize("length", [b"content-length: 1000000\r\n", b""])
    def test_large_body(self, length):
        """Of a body no more is kept than a refusal needs."""
        response = response_of(b"HTTP/1.1 500 X\r\n" + length + b"\r\n", *[b"x" * 50_000] * 3)
        assert (LARGEST_BODY, True) == (len(response.body), response.is_whole)

    def test_broken_body(self):
        """A body that breaks off is what came of it."""
        head = b"HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\n"
        response = response_of(head, b"2\r\nab\r\nno size")
        assert (b"ab", True) == (response.body, response.is_whole)

    @pytest.mark.parametrize(
        "sent",
        [
            b"SSH-2.0\r\n\r\n",
            b"\xff\r\n\r\n",
            b"HTTP/1.1 two\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
            b"x" * (LARGEST_HEAD + 1),
        ],
    )
    def test_no_http(self, sent):
        """What is no HTTP is refused, and so is a head without an end."""
        with pytest.raises(Malformed):
            response_of(sent)

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, sent):
        """No bytes raise anything else."""
        with suppress(Malformed):
            response_of(sent, b"\r\n\r\n", sent)


class TestAgreement:
    def response(self, upgrade: Upgrade, extra: bytes = b"") -> HandshakeResponse:
        """Respond to an upgrade as RFC 6455, 4.2.2 says, with headers added."""
        return response_of(accept(upgrade.request).removesuffix(b"\r\n") + extra + b"\r\n")

    def test_accepted(self):
        """The right response is accepted."""
        upgrade = upgrade_to("ws://host/")
        upgrade.check(self.response(upgrade))

    @pytest.mark.parametrize(
        ("extra", "why"),
        [
            (b"Sec-WebSocket-Extensions: permessage-deflate\r\n", "extension"),
            (b"Sec-WebSocket-Protocol: chat\r\n", "protocol"),
            (b"Upgrade: h2c\r\n", "no upgrade"),
            (b"Connection: close\r\n", "no upgrade"),
            (b"Connection: no-upgrade\r\n", "no upgrade"),
            (b"Sec-WebSocket-Accept: x\r\n", "another key"),
        ],
    )
    def test_refused(self, extra, why):
        """What was not offered, or belongs to another request, is no agreement (4.1)."""
        upgrade = upgrade_to("ws://host/")
        with pytest.raises(Malformed, match=why):
            upgrade.check(self.response(upgrade, extra))

    def test_another_key(self):
        """A response to another connection's key is refused."""
        with pytest.raises(Malformed, match="another key"):
            upgrade_to("ws://host/").check(self.response(upgrade_to("ws://host/")))

    def test_the_example_of_the_rfc(self):
        """Key and proof of RFC 6455, 1.3."""
        upgrade = upgrade_to("ws://host/")
        upgrade._key = b"dGhlIHNhbXBsZSBub25jZQ=="
        upgrade.check(
            response_of(SWITCHED + b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        )


class TestHandshake:
    async def test_lost_before_it_was_awaited(self):
        """A connection that ends at once fails a wait that begins later."""
        handshake = Handshake(b"")
        handshake.connection_lost(None)
        with pytest.raises(ConnectionResetError, match="hung up"):
            await handshake.response()
        assert handshake.is_lost

    async def test_lost_in_a_body(self):
        """What came of a refusal before the connection ended is the refusal."""
        handshake = Handshake(b"")
        handshake.data_received(b"HTTP/1.1 500 X\r\ncontent-length: 9\r\n\r\nabc")
        handshake.connection_lost(None)
        response = await handshake.response()
        assert (500, b"abc") == (response.status, response.body)

    @pytest.mark.looptime
    async def test_slow_body(self):
        """A body that does not end is waited for two seconds."""
        handshake = Handshake(b"")
        handshake.data_received(b"HTTP/1.1 500 X\r\ncontent-length: 9\r\n\r\nabc")
        assert b"abc" == (await handshake.response()).body
