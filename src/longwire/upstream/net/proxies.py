"""The proxy on the way to an upstream: what the environment names, and how SOCKS is spoken to.

Law: both transports and an issuer of tokens go the way that the same URL says.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from python_socks import ProxyType

from longwire.upstream.net.urls import PORTS

_SOCKS_PORT = 1080  # RFC 1928, 3
_SOCKS = {
    "socks4": (ProxyType.SOCKS4, False),
    "socks4a": (ProxyType.SOCKS4, True),
    "socks5": (ProxyType.SOCKS5, True),
    "socks5h": (ProxyType.SOCKS5, True),
}
"""What each scheme speaks, and whether the proxy is given a name rather than an address."""


def environment_proxy(url: str) -> str | None:
    """Return the proxy that `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name for a URL, if any."""
    proxies = getproxies()
    if not proxies:
        return None
    parts = urlsplit(url)
    if parts.hostname is None or _goes_past(proxies.get("no", ""), parts.hostname):
        return None
    if proxy_bypass(f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"):
        return None
    is_secure = parts.scheme in ("https", "wss")
    proxy = proxies.get("https" if is_secure else "http") or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def _goes_past(no_proxy: str, host: str) -> bool:
    """Whether a host is an address in one of the networks that want no proxy."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _networks(no_proxy))


def _networks(no_proxy: str) -> Iterator[Any]:
    for each in no_proxy.split(","):
        try:
            yield ip_network(each.strip().strip("[]"), strict=False)
        except ValueError:
            continue


def speaks_socks(proxy: str | None) -> bool:
    """Whether a proxy is spoken to in SOCKS, and not in HTTP."""
    return proxy is not None and proxy.startswith("socks")


def socks_options(proxy: str) -> dict[str, Any]:
    """Return what the libraries for SOCKS are to know of a proxy. Raises `ValueError`."""
    parts = urlsplit(proxy)
    if parts.scheme not in _SOCKS or not parts.hostname:
        raise ValueError(f"no proxy's URL with a host that begins with one of {', '.join(_SOCKS)}")
    kind, takes_names = _SOCKS[parts.scheme]
    return {
        "proxy_type": kind,
        "host": parts.hostname,
        "port": parts.port or _SOCKS_PORT,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "rdns": takes_names,
    }
