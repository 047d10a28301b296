"""The URL of a PostgreSQL database as its host prints it: libpq's parameters, told to the driver.

The parameters: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

import re
import ssl
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from sqlalchemy import URL

from longwire.core.errors import ConfigurationError

_READ_BY_THE_DRIVER: Final = (
    *("dbname", "host", "passfile", "password", "port", "service", "target_session_attrs", "user"),
    *("sslcert", "sslcrl", "sslkey", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert"),
    *("gsslib", "krbsrvname", "ssl_max_protocol_version", "ssl_min_protocol_version"),
)
_SETTINGS: Final = ("application_name", "options")
_FILES: Final = ("sslcert", "sslcrl", "sslkey", "sslrootcert")
_VERIFIED: Final = ("verify-ca", "verify-full")
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer"),
    "keepalives": ("1",),
    "pgbouncer": ("true", "false"),
    "sslcompression": ("0",),
    "sslmode": ("disable", "allow", "prefer", "require", *_VERIFIED),
    "sslsni": ("1",),
    "target_session_attrs": (
        *("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    ),
}
"""What each may be; where nothing below looks at one, the driver does that anyway."""

_KNOWN: Final = (*_READ_BY_THE_DRIVER, *_SETTINGS, *_CHOICES, "connect_timeout")
_SEVERAL_HOSTS: Final = re.compile(r"(postgresql://(?:[^/?]*@)?)([^/?@]*,[^/?@]*)(/[^?]*)?\??(.*)")
_OWN_AUTHORITY: Final = ".postgresql/root.crt"


def as_one_host(url: str) -> str:
    """Return a URL whose hosts, where it names several, are a parameter, as libpq allows."""
    url = re.sub(r"^postgres://", "postgresql://", url)
    if found := _SEVERAL_HOSTS.fullmatch(url):
        front, hosts, path, query = found.groups()
        return f"{front}{path or '/'}?{urlencode({'host': hosts})}" + (f"&{query}" if query else "")
    return url


def connect_arguments(url: URL) -> dict[str, Any]:
    """Return what the driver is to know of a URL's parameters. Raises `ConfigurationError`."""
    query = {name: values[-1] for name, values in url.normalized_query.items()}
    if "ssl" in query:  # as JDBC writes it, and libpq understands it
        mode = query.pop("ssl")
        query.setdefault("sslmode", "require" if mode == "true" else mode)
    for name, text in query.items():
        _check(name, text)
    arguments: dict[str, Any] = _trust(query)
    if settings := {name: query[name] for name in _SETTINGS if name in query}:
        arguments["server_settings"] = settings
    if "connect_timeout" in query:
        arguments["timeout"] = _seconds(query["connect_timeout"])
    if query.get("pgbouncer") == "true":  # it lends a connection for one transaction only
        arguments |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
        arguments["prepared_statement_name_func"] = lambda: f"longwire_{uuid4().hex}"
    own: dict[str, str] = {name: query[name] for name in _READ_BY_THE_DRIVER if name in query}
    return {**arguments, "dsn": f"postgresql://?{urlencode(own)}"} if own else arguments


def _check(name: str, text: str) -> None:
    if name not in _KNOWN:
        close = get_close_matches(name, _KNOWN, 1)
        mend = f"write {close[0]}" if close else f"write options=-c%20{name}=… or leave it out"
        raise ConfigurationError(f"database.url: the parameter {name} is unknown; {mend}")
    choices = _CHOICES.get(name)
    if choices and text not in choices:
        words = ", ".join(choices)
        raise ConfigurationError(f"database.url: {name} must be one of {words}, or be left out")
    if name in _FILES and text != "system" and not Path(text).is_file():
        raise ConfigurationError(f"database.url: {name}: {text} is no file; correct its path")


def _trust(query: dict[str, str]) -> dict[str, ssl.SSLContext]:
    """Return what trusts the system's authorities where a URL wants that; see `_check_authority`.

    The driver cannot bind channels. What that is for, that nobody stands between, a certificate
    that is checked gives as well.
    """
    if query.get("channel_binding") == "require" and query.get("sslmode") not in _VERIFIED:
        query |= {"sslmode": "verify-full", "sslrootcert": query.get("sslrootcert", "system")}
    if query.get("sslrootcert") != "system":
        if query.get("sslmode") in _VERIFIED and not query.get("sslrootcert"):
            _check_authority(query["sslmode"])
        return {}
    del query["sslrootcert"]
    query.pop("sslmode", None)
    context = ssl.create_default_context()
    if "sslcert" in query:
        context.load_cert_chain(query["sslcert"], query.get("sslkey"), query.get("sslpassword"))
    return {"ssl": context}


def _check_authority(mode: str) -> None:
    """Raise `ConfigurationError` where a certificate is to be verified, and nothing says by whom.

    Where a URL says nothing, libpq and the driver look in the home of the user.
    """
    if not Path.home().joinpath(_OWN_AUTHORITY).is_file():
        raise ConfigurationError(
            f"database.url: sslmode={mode} needs an authority, and there is no ~/{_OWN_AUTHORITY}; "
            "add sslrootcert=FILE, or sslrootcert=system for those that the system trusts"
        )


def _seconds(text: str) -> float | None:
    """Return how long to wait for a connection, None for ever."""
    try:
        seconds = int(text)
    except ValueError:
        raise ConfigurationError(
            "database.url: connect_timeout is no number; write whole seconds, as 10"
        ) from None
    return float(seconds) if seconds > 0 else None
