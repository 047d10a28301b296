"""Where a fleet's Valkey or Redis is: its URL, as hosts print it, with TLS, Sentinels or Cluster.

Law: what is wrong with a URL is said in one line with its mend, and never with its password.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    RedisSSLContext,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from longwire.core.errors import ConfigurationError
from longwire.fleet.cluster import Cluster
from longwire.fleet.links import FromSentinels, Place, Servers, Single

_SHAPES: Final = (
    "valkey://user:password@host:6379/0, valkeys:// for TLS, "
    "valkey+sentinel://user:password@a:26379,b:26379/mymaster/0, valkey+cluster://a:6379,b:6379, "
    "or unix:///path/to/valkey.sock"
)
_FAMILIES: Final = {"valkey": False, "redis": False, "valkeys": True, "rediss": True}
"""Whose scheme stands for TLS."""

_PORT: Final = 6379
_SENTINELS_PORT: Final = 26379
_LARGEST_PORT: Final = 65535
_VERIFIES: Final = frozenset({"required", "optional", "none"})
_TLS: Final = {
    "ssl_ca_certs": "ca_certs",
    "ssl_certfile": "certfile",
    "ssl_keyfile": "keyfile",
    "ssl_cert_reqs": "cert_reqs",
    "ssl_check_hostname": "check_hostname",
}
_BARE: Final = {
    "protocol": 2,
    "socket_timeout": None,
    "socket_connect_timeout": None,
    "retry": Retry(NoBackoff(), 0),
}
"""Without what costs each command a task: whoever calls bounds the time, and tries again."""

_SENTINELS_OWN: Final = {"sentinel_username": "username", "sentinel_password": "password"}
_NO: Final = {"false", "0", "no"}


@dataclass(frozen=True, slots=True)
class _Address:
    """A URL, read: `kind` is "", "sentinel", "cluster" or "unix"."""

    kind: str
    is_secure: bool
    places: Sequence[Place]
    path: str
    login: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)


def connect_to(url: str) -> Servers:
    """Return where a URL leads. Raises `ConfigurationError` for a bad one."""
    address = _read(url)
    _check_query(address)
    kind, (path, last) = address.kind, _path(address)
    options: dict[str, Any] = {**address.login, **_BARE}
    if kind == "unix":
        options["db"] = _database(address.query.get("db", ""))
        unix = partial(_unix, options)
        return Single(unix, partial(_here, Place(path)), options["db"])
    options["db"] = _database(address.query.get("db") or last)
    tls = _tls(address) if address.is_secure else None
    connect = partial(_tcp, options, tls)
    if kind == "cluster":
        if options["db"]:
            raise _bad("a cluster has no database but 0: leave the number out")
        return Cluster(connect, address.places)
    if kind == "sentinel":
        if not path:
            raise _bad("name the master: valkey+sentinel://a:26379,b:26379/mymaster")
        from_sentinels = FromSentinels(address.places, path, _sentinels(address))
        return Single(connect, from_sentinels, options["db"])
    if len(address.places) > 1:
        raise _bad("several hosts need valkey+sentinel:// or valkey+cluster://")
    return Single(connect, partial(_here, address.places[0]), options["db"])


async def _here(place: Place) -> Place:
    return place


def _tcp(options: Mapping[str, Any], tls: RedisSSLContext | None, place: Place) -> Connection:
    if tls is None:
        return Connection(host=place.host, port=place.port, **options)
    connection = SSLConnection(host=place.host, port=place.port, **options)
    connection.ssl_context = tls  # reads its files once, not with each connection
    return connection


def _unix(options: Mapping[str, Any], place: Place) -> AbstractConnection:
    return UnixDomainSocketConnection(path=place.host, **options)


def _read(url: str) -> _Address:
    """Split a URL; `urlsplit` itself knows no list of hosts."""
    scheme, _, rest = url.strip().partition("://")
    parts = urlsplit(f"//{rest}")
    user, _, hosts = parts.netloc.rpartition("@")
    kind, is_secure = _scheme(scheme.lower())
    name, colon, password = user.partition(":")
    login = {"username": unquote(name)} if name else {}
    if colon:
        login["password"] = unquote(password)
    port = _SENTINELS_PORT if kind == "sentinel" else _PORT
    places = () if kind == "unix" else [_place(each, port) for each in hosts.split(",")]
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return _Address(kind, is_secure, places, unquote(parts.path), login, query)


def _scheme(scheme: str) -> tuple[str, bool]:
    """Return what a scheme stands for, and whether by TLS."""
    if scheme == "unix":
        return "unix", False
    family, _, kind = scheme.partition("+")
    if family not in _FAMILIES:
        raise _bad(f"cannot be read; write {_SHAPES}")
    if kind not in ("", "sentinel", "cluster"):
        raise _bad(f"'+{kind}' is not known; write {_SHAPES}")
    return kind, _FAMILIES[family]


def _place(text: str, port: int) -> Place:
    """Read `host`, `host:port` or `[address]:port`."""
    host, _, after = text.rpartition("]") if "]" in text else ("", "", text)
    if host:
        host, number = host.removeprefix("["), after.removeprefix(":")
    else:
        host, _, number = after.partition(":")
    if not host:
        raise _bad(f"names no host; write {_SHAPES}, special characters of passwords as %XX")
    if number and not (number.isdecimal() and 0 < int(number) <= _LARGEST_PORT):
        raise _bad(
            "a port is a number from 1 to 65535; write special characters of passwords as %XX"
        )
    return Place(unquote(host), int(number or port))


def _path(address: _Address) -> tuple[str, str]:
    """Return what a path names, and the database's number as it stands."""
    if address.kind == "unix":
        if not address.path.strip("/"):
            raise _bad("names no socket; write unix:///path/to/valkey.sock")
        return address.path, ""
    names = [each for each in address.path.split("/") if each]
    if address.kind == "sentinel":
        return (names[0], "/".join(names[1:])) if names else ("", "")
    return "", "/".join(names)


def _database(text: str) -> int:
    if text and not text.isdecimal():
        raise _bad("the database is a number, as in valkey://host:6379/0")
    return int(text or 0)


def _check_query(address: _Address) -> None:
    known = {"db"}
    if address.is_secure:
        known |= _TLS.keys()
    if address.kind == "sentinel":
        known |= _SENTINELS_OWN.keys()
    for name in address.query:
        if name in _TLS and not address.is_secure:
            raise _bad(f"'{name}' needs TLS: begin the URL with valkeys")
        if name not in known:
            raise _bad(f"'{name}' is not known; known are {', '.join(sorted(known))}")


def _tls(address: _Address) -> RedisSSLContext:
    """Return whom connections trust; its files are read here."""
    options: dict[str, Any] = {
        _TLS[name]: value for name, value in address.query.items() if name in _TLS
    }
    verifies = options.get("cert_reqs", "required").lower()
    if verifies not in _VERIFIES:
        raise _bad("ssl_cert_reqs is required, optional or none")
    checks = options.get("check_hostname", "true").lower() not in _NO
    options |= {"cert_reqs": verifies, "check_hostname": checks and verifies != "none"}
    context = RedisSSLContext(**options)
    try:
        context.get()
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _bad(f"a certificate's file cannot be read ({reason})") from None
    return context


def _sentinels(address: _Address) -> dict[str, Any]:
    """Return how Sentinels themselves are spoken to."""
    own = {name: address.query.get(key) for key, name in _SENTINELS_OWN.items()}
    options: dict[str, Any] = {**_BARE, **{name: value for name, value in own.items() if value}}
    if address.is_secure:
        tls = {name: value for name, value in address.query.items() if name in _TLS}
        options |= {"ssl": True} | {("ssl_" + _TLS[name]): value for name, value in tls.items()}
        checks = str(options.get("ssl_check_hostname", "true")).lower() not in _NO
        options["ssl_check_hostname"] = checks and options.get("ssl_cert_reqs") != "none"
    return options


def _bad(reason: str) -> ConfigurationError:
    return ConfigurationError(f"fleet.url: {reason}")
