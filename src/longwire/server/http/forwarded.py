"""Whom a request comes from, and how they reached us, where proxies stand in between.

Law: only what a trusted proxy has added counts. Of `X-Forwarded-For` that is the last address which
is no trusted proxy's; what stands before it anybody may have written. Where it is there, neither
`Forwarded` (RFC 7239) nor `X-Real-IP` is looked at: proxies that set the one pass on the others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
Pairs = Iterable[tuple[bytes, bytes]]

UNTRUSTED_PROXY: Final = "longwire.untrusted_proxy"
"""The member of a scope with the address of who forwards, and is not trusted to."""

_LONGEST: Final = 1024
"""A longer `Forwarded` is left alone: none that proxies wrote is."""

_FORWARDING: Final = (b"x-forwarded-for", b"forwarded", b"x-real-ip")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_BRACKETED: Final = re.compile(r"\[(.*)\](?::\w+)?")
_ELEMENT: Final = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|[^,"])+""")
_PAIR: Final = re.compile(r"""\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;"]*)\s*(?:;|$)""")
_SCHEMES: Final = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a request came from, "" for unknown, and by what scheme and host, "" for no word."""

    address: str
    scheme: str = ""
    host: str = ""
    untrusted_proxy: str = ""


class TrustedProxies:
    """The addresses and networks whose words about their clients count.

    Who comes over a Unix socket is trusted: it is the balancer before workers, without an address.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(ip_network(each) for each in networks)

    def trusts(self, address: Address) -> bool:
        """Whether it is a proxy's."""
        return any(address in each for each in self._networks)

    def reached(self, peer: str, headers: Pairs) -> Reached:
        """Return whom a request comes from whose connection is that of a `peer`, "" for unix."""
        found = _gathered(headers)
        address = parse_address(peer) if peer else None
        if peer and (address is None or not self.trusts(address)):
            forwards = any(name in found for name in _FORWARDING)
            return Reached(_text(address, peer), untrusted_proxy=peer if forwards else "")
        hops, elements = _hops(found), _elements(found)
        client = self._client(hops)
        last = elements[-1] if elements and b"x-forwarded-for" not in found else {}
        scheme = _last(found, b"x-forwarded-proto") or last.get("proto", "")
        host = _last(found, b"x-forwarded-host") or last.get("host", "")
        return Reached(
            _text(client, peer),
            _SCHEMES.get(scheme.lower(), ""),
            host if _HOST.fullmatch(host) else "",
            "" if peer or len(hops) < 2 or self._networks else _text(client, ""),  # noqa: PLR2004 - one is the client's own
        )

    def _client(self, hops: Sequence[str]) -> Address | None:
        """Return the last address that is no proxy's, the first where all are; None for no word.

        Garbage ends the way back: who wrote it is the nearest proxy that is known.
        """
        client: Address | None = None
        for hop in reversed(hops):
            address = parse_address(hop)
            if address is None:
                break
            client = address
            if not self.trusts(address):
                break
        return client


def parse_address(text: str) -> Address | None:
    """Return an address, whose port is left out, IPv4 within IPv6 as IPv4; None for no address."""
    text = text.strip().strip('"')
    if bracketed := _BRACKETED.fullmatch(text):
        text = bracketed[1]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _gathered(headers: Pairs) -> dict[bytes, str]:
    """Return headers by name; those that stand several times are one list."""
    found: dict[bytes, str] = {}
    for name, value in headers:
        text = value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _hops(found: dict[bytes, str]) -> list[str]:
    """Return the addresses on the way here, the nearest last."""
    if listed := found.get(b"x-forwarded-for"):
        return listed.split(",")
    if elements := _elements(found):
        return [each.get("for", "") for each in elements]
    real = found.get(b"x-real-ip")
    return [real] if real else []


def _elements(found: dict[bytes, str]) -> list[dict[str, str]]:
    """Return what each proxy wrote into `Forwarded`; what is not of its form is an empty one."""
    text = found.get(b"forwarded", "")
    return [
        {name.lower(): value.strip().strip('"') for name, value in _PAIR.findall(element)}
        for element in _ELEMENT.findall(text if len(text) <= _LONGEST else "")
    ]


def _last(found: dict[bytes, str], name: bytes) -> str:
    return found.get(name, "").rpartition(",")[2].strip()


def _text(address: Address | None, otherwise: str) -> str:
    return str(address) if address is not None else otherwise


def behind(proxies: Sequence[str], app: ASGIApp) -> ASGIApp:
    """Return an application that sees its clients as these proxies do."""
    trusted = TrustedProxies(proxies)

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        reached = trusted.reached(client[0] if client else "", scope["headers"])
        scope["client"] = (reached.address, 0) if reached.address else None
        scope[UNTRUSTED_PROXY] = reached.untrusted_proxy
        if reached.scheme:
            is_socket = scope["type"] == "websocket"
            scope["scheme"] = reached.scheme.replace("http", "ws") if is_socket else reached.scheme
        if reached.host:
            others = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [(b"host", reached.host.encode("latin-1")), *others]
        await app(scope, receive, send)

    return named
