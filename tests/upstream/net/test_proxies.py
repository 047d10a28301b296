"""The proxy that the environment names, and what a SOCKS proxy's URL says."""

import pytest
from python_socks import ProxyType

from longwire.upstream.net.proxies import environment_proxy, socks_options


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, "https://h/v1", None),
        ({"https_proxy": "http://p:1"}, "https://h/v1", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "wss://h/v1", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "http://h/v1", None),
        ({"http_proxy": "p:1"}, "http://h/v1", "http://p:1"),
        ({"all_proxy": "socks5://p:1"}, "http://h/v1", "socks5://p:1"),
        ({"all_proxy": "socks5h://p:1"}, "wss://h/v1", "socks5h://p:1"),
        ({"HTTPS_PROXY": "socks5://u%3B:p%40@p:1"}, "https://h/v1", "socks5://u%3B:p%40@p:1"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "https://h/v1", "http://p:1"),
        ({"https_proxy": "", "all_proxy": "http://p:1"}, "https://h/v1", "http://p:1"),
        ({"all_proxy": "http://p:1", "no_proxy": "h"}, "http://h:80/v1", None),
        ({"all_proxy": "http://p:1", "no_proxy": "x, .h"}, "wss://me:pw@sub.h/v1", None),
        ({"all_proxy": "http://p:1", "NO_PROXY": "h:443"}, "wss://h/v1", None),
        ({"all_proxy": "http://p:1", "NO_PROXY": "h:443"}, "ws://h/v1", "http://p:1"),
        ({"all_proxy": "http://p:1", "NO_PROXY": "x,10.0.0.0/8"}, "http://10.1.2.3:8/v1", None),
        ({"all_proxy": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "http://11.1.2.3/", "http://p:1"),
        ({"all_proxy": "http://p:1", "NO_PROXY": "fd00::/8"}, "http://[fd00::1]:8/v1", None),
        ({"all_proxy": "http://p:1", "NO_PROXY": "::1"}, "http://[::1]:8/v1", None),
        ({"all_proxy": "http://p:1", "NO_PROXY": "[::1]"}, "http://[::1]:8/v1", None),
        ({"all_proxy": "http://p:1", "NO_PROXY": "*"}, "http://10.1.2.3/v1", None),
    ],
)
def test_environment_proxy(environ, url, expected, monkeypatch):
    """The usual variables name a proxy, for WebSocket URLs as for their HTTP likes."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(url) == expected


@pytest.mark.parametrize(
    ("url", "kind", "takes_names"),
    [
        ("socks4://h:1", ProxyType.SOCKS4, False),
        ("socks4a://h:1", ProxyType.SOCKS4, True),
        ("socks5://h:1", ProxyType.SOCKS5, True),
        ("socks5h://h:1", ProxyType.SOCKS5, True),
    ],
)
def test_the_scheme_says_what_is_spoken(url, kind, takes_names):
    """SOCKS 4 alone needs an address; all others give the proxy the name."""
    options = socks_options(url)
    assert (kind, takes_names, "h", 1) == (
        options["proxy_type"],
        options["rdns"],
        options["host"],
        options["port"],
    )


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password"),
    [
        ("socks5://u%3Bser:p%40ss@h:1", "h", 1, "u;ser", "p@ss"),
        ("socks5h://me@h", "h", 1080, "me", ""),
        ("socks5://[::1]:9", "::1", 9, "", ""),
        ("socks5://a%3Ab:c%2Fd%25@h", "h", 1080, "a:b", "c/d%"),
    ],
)
def test_a_login_is_read_as_it_was_meant(url, host, port, user, password):
    """Percent-encoded signs are those signs; the port is 1080 where none is named."""
    options = socks_options(url)
    assert (host, port, user, password) == (
        options["host"],
        options["port"],
        options["username"],
        options["password"],
    )


@pytest.mark.parametrize("url", ["socks9://h:1", "socks5://:1", "socks5://h:x", "http://h:1"])
def test_what_is_no_socks_proxy(url):
    """Another scheme, and a URL without a host or with no port, are refused."""
    with pytest.raises(ValueError, match=r"socks4|[Pp]ort"):
        socks_options(url)
