"""From a channel's base URL to the URL of one of its APIs, and to where that leads.

Law: the scheme follows the transport, never the reverse. A trailing `#` appends no version segment,
`##` uses the URL exactly as it stands, path and all.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit, urlunsplit

Scheme = Literal["http", "ws"]

PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}
"""The port of a scheme where a URL names none."""

_METHOD = re.compile(r"/models/[^/]+:[A-Za-z]+$")
_VERSION_SEGMENT = re.compile(r"/v\d+[a-z0-9]*(/|$)")


def endpoint_url(
    base_url: str, path: str = "/responses", scheme: Scheme = "http", version: str = "/v1"
) -> str:
    """Return the URL of `path` below `base_url`; a base without any path gets the version appended.

    A path that brings its own version segment is appended as it is. A query of the base is kept.
    """
    bare = base_url.rstrip("#")
    parts = urlsplit(bare)
    is_secure = parts.scheme in ("https", "wss")
    parts = parts._replace(scheme=scheme + "s" if is_secure else scheme)
    if not base_url.endswith("##"):
        version = "" if base_url.endswith("#") else version
        parts = parts._replace(path=_joined(parts.path, path, version))
    return urlunsplit(parts)


def below(url: str, suffix: str) -> str:
    """Return the URL of a path below one, with the queries of both: a channel's own stays.

    One that names a method, as `…:generateContent`, stands as it is.
    """
    base, _, query = url.partition("?")
    if not suffix or _METHOD.search(base):
        return url
    path, _, own = suffix.partition("?")
    joined = "&".join(filter(None, (query, own)))
    return f"{base}{path}?{joined}" if joined else base + path


def _joined(base: str, path: str, version: str) -> str:
    base = base.rstrip("/")
    if not base and not _VERSION_SEGMENT.match(path):
        base = version
    return base + path


def models_url(base_url: str, version: str = "/v1") -> str | None:
    """Return the URL of the model list; None where a `##` URL does not tell where that is."""
    if not base_url.endswith("##"):
        return endpoint_url(base_url, "/models", version=version)
    parts = urlsplit(endpoint_url(base_url))
    if not parts.path.endswith("/responses"):
        return None
    return urlunsplit(parts._replace(path=parts.path.removesuffix("/responses") + "/models"))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where to: a host, its port, and whether TLS is spoken there."""

    host: str
    port: int
    is_secure: bool

    @property
    def authority(self) -> str:
        """Host and port as HTTP writes them (RFC 3986, 3.2)."""
        return f"{bracketed(self.host)}:{self.port}"


def origin_of(parts: SplitResult, *schemes: str) -> Origin:
    """Return where a URL of one of the schemes leads. Raises `ValueError` where that is nowhere."""
    if parts.scheme not in schemes or not parts.hostname or parts.fragment:
        raise ValueError(f"no URL of a host that begins with {' or '.join(schemes)}")
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    return Origin(host, parts.port or PORTS[parts.scheme], parts.scheme in ("wss", "https"))


def bracketed(host: str) -> str:
    """Return a host as URLs and headers spell it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
