"""Where what a fleet shares is: the URL of a Valkey or Redis server, as its host prints it."""

from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from longwire.core.errors import ConfigurationError
from longwire.fleet.valkey import Connect

_PLAIN = {"valkey", "redis"}
_SECURE = {"valkeys", "rediss"}
_PORT = 6379


def connect_to(url: str) -> Connect:
    """Return what makes connections to a URL's server. Raises `ConfigurationError` for a bad one.

    `valkey://user:password@host:6379/0`; `valkeys://` with TLS; `redis://` and `rediss://` alike.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PLAIN | _SECURE or not parts.hostname:
        raise ConfigurationError(
            "fleet.url: cannot be read; write valkey://user:password@host:6379/0, special "
            "characters as %XX"
        )
    options: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or _PORT,
        "db": int(parts.path.strip("/") or 0),
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
    }

    def connect(timeout: float) -> AbstractConnection:
        kind = SSLConnection if parts.scheme in _SECURE else Connection
        return kind(**options, socket_timeout=timeout, socket_connect_timeout=timeout)

    return connect
