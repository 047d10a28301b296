"""Whom a request comes from: what trusted proxies say, not what others wrote before them."""

import time

import pytest

from longwire.server.http.forwarded import Reached, TrustedProxies, behind, parse_address

TRUSTED = TrustedProxies(["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"])
XFF, FORWARDED, REAL = "x-forwarded-for", "forwarded", "x-real-ip"


def reached(peer, *headers, trusted=TRUSTED):
    """What comes out for headers in the order they came."""
    return trusted.reached(peer, [(name.encode(), value.encode()) for name, value in headers])


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [(XFF, "203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", [(XFF, "6.6.6.6, 203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", [(XFF, "6.6.6.6, 203.0.113.7, 10.1.2.3")], "203.0.113.7"),
        ("127.0.0.1", [(XFF, "6.6.6.6"), (XFF, "203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", [(XFF, "10.0.0.1, 10.0.0.2")], "10.0.0.1"),
        ("127.0.0.1", [(XFF, "203.0.113.7:4711")], "203.0.113.7"),
        ("127.0.0.1", [(XFF, "2001:db8::7")], "2001:db8::7"),
        ("127.0.0.1", [(XFF, "[2001:db8::7]:4711")], "2001:db8::7"),
        ("127.0.0.1", [(XFF, "[2001:db8::7]")], "2001:db8::7"),
        ("127.0.0.1", [(XFF, "fe80::1%eth0")], "fe80::1"),
        ("127.0.0.1", [(XFF, "::ffff:203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", [(XFF, "203.0.113.7, fd00::1")], "203.0.113.7"),
        ("::ffff:10.0.0.9", [(XFF, "203.0.113.7")], "203.0.113.7"),
        ("fd00::9", [(XFF, "203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", [(XFF, "unknown")], "127.0.0.1"),
        ("127.0.0.1", [(XFF, "")], "127.0.0.1"),
        ("127.0.0.1", [(XFF, "6.6.6.6, garbage, 10.0.0.2")], "10.0.0.2"),
        ("127.0.0.1", [(XFF, "6.6.6.6,")], "127.0.0.1"),
        ("127.0.0.1", [(XFF, "999.1.1.1")], "127.0.0.1"),
        ("127.0.0.1", [(FORWARDED, "for=203.0.113.7")], "203.0.113.7"),
        (
            "127.0.0.1",
            [(FORWARDED, 'for=6.6.6.6, For="[2001:db8::7]:47";proto=https')],
            "2001:db8::7",
        ),
        ("127.0.0.1", [(FORWARDED, 'for=6.6.6.6, by="a,b";for=203.0.113.7')], "203.0.113.7"),
        ("127.0.0.1", [(FORWARDED, "for=6.6.6.6, for=_hidden")], "127.0.0.1"),
        ("127.0.0.1", [(FORWARDED, "for=6.6.6.6, nonsense")], "127.0.0.1"),
        ("127.0.0.1", [(FORWARDED, "for=1.1.1.1;" + "x" * 2000)], "127.0.0.1"),
        ("127.0.0.1", [(REAL, "203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", [(FORWARDED, "for=6.6.6.6"), (XFF, "203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", [(REAL, "6.6.6.6"), (XFF, "203.0.113.7")], "203.0.113.7"),
        ("127.0.0.1", [(REAL, "6.6.6.6"), (FORWARDED, "for=203.0.113.7")], "203.0.113.7"),
        ("203.0.113.7", [(XFF, "6.6.6.6")], "203.0.113.7"),
        ("203.0.113.7", [(FORWARDED, "for=6.6.6.6")], "203.0.113.7"),
        ("203.0.113.7", [(REAL, "6.6.6.6")], "203.0.113.7"),
        ("", [(XFF, "6.6.6.6, 203.0.113.7")], "203.0.113.7"),
        ("", [(XFF, "203.0.113.7, 10.0.0.1")], "203.0.113.7"),
        ("", [], ""),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(peer, headers, expected):
    """Whatever a client writes about itself stands before what the first proxy added."""
    assert expected == reached(peer, *headers).address


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("x-forwarded-proto", "https")], ("https", "")),
        ([("x-forwarded-proto", "http, HTTPS")], ("https", "")),
        ([("x-forwarded-proto", "gopher")], ("", "")),
        ([("x-forwarded-host", "gw.example:8443")], ("", "gw.example:8443")),
        ([("x-forwarded-host", "[::1]:80")], ("", "[::1]:80")),
        ([("x-forwarded-host", "gw.example/evil")], ("", "")),
        ([("x-forwarded-host", "a b")], ("", "")),
        ([(FORWARDED, "for=1.1.1.1;proto=https;host=gw.example")], ("https", "gw.example")),
        ([(XFF, "1.1.1.1"), (FORWARDED, "proto=https;host=evil.example")], ("", "")),
    ],
)
def test_scheme_and_host_are_what_a_proxy_says(headers, expected):
    """From others than trusted proxies neither counts."""
    by_proxy, by_client = reached("10.0.0.1", *headers), reached("203.0.113.7", *headers)
    assert expected == (by_proxy.scheme, by_proxy.host)
    assert ("", "") == (by_client.scheme, by_client.host)


def test_who_forwards_untrusted_is_known():
    """So that somebody can be asked to name them: a peer, or who stands before the balancer."""
    nobody, hop = TrustedProxies([]), (XFF, "203.0.113.7")
    assert Reached("172.18.0.2", untrusted_proxy="172.18.0.2") == reached(
        "172.18.0.2", hop, trusted=nobody
    )
    assert "" == reached("172.18.0.2", trusted=nobody).untrusted_proxy
    assert "" == reached("127.0.0.1", hop).untrusted_proxy
    through = (XFF, "203.0.113.7, 172.18.0.2")
    assert "172.18.0.2" == reached("", through, trusted=nobody).untrusted_proxy
    assert "" == reached("", hop, trusted=nobody).untrusted_proxy


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1.2.3.4.5", "[", "[]", ":", "::::", "a:b:c"])
def test_what_is_no_address(text):
    """It is none, and no error."""
    assert parse_address(text) is None


def test_a_long_header_takes_no_time():
    """64 KiB of quotes and commas are read in milliseconds."""
    headers = [(FORWARDED, '"\\' * 30_000), (FORWARDED, "for=1.1.1.1")]
    began = time.monotonic()
    assert "127.0.0.1" == reached("127.0.0.1", *headers).address
    assert "1.1.1.1" == reached("127.0.0.1", (XFF, "," * 60_000 + "1.1.1.1")).address
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(("kind", "scheme"), [("http", "https"), ("websocket", "wss")])
async def test_an_application_sees_its_client_as_the_proxy_does(kind, scheme):
    """Address, scheme and host, of a request and of a WebSocket."""
    seen = {}

    async def app(scope, _receive, _send):
        seen.update(scope)

    headers = [(b"host", b"inner"), (b"x-forwarded-for", b"203.0.113.7")]
    headers += [(b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"gw.example")]
    scope = {"type": kind, "scheme": "http", "client": ("10.0.0.1", 5), "headers": headers}
    await behind(["10.0.0.0/8"], app)(scope, None, None)
    assert (("203.0.113.7", 0), scheme) == (seen["client"], seen["scheme"])
    assert [b"gw.example"] == [value for name, value in seen["headers"] if name == b"host"]
