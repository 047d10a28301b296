"""Where requests over HTTP go, and what comes back of those that are no turns."""

import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Address:
    """An endpoint of a channel: `headers` are the channel's own, `proxy` overrides the system's.

    `defaults` hold where the caller's own headers say nothing.
    """

    url: str
    models_url: str | None
    tls: ssl.SSLContext
    headers: Mapping[str, str] = field(default_factory=dict)
    proxy: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)


_LISTS = ("anthropic-beta",)
"""Headers that are lists: who says more of one adds to it."""


def joined(first: Mapping[str, str], *more: Mapping[str, str]) -> dict[str, str]:
    """Return headers as one: the later ones stand, and lists are added up."""
    headers = dict(first)
    for each in more:
        lists = {
            name: _added(headers[name], each[name])
            for name in _LISTS
            if name in headers and name in each
        }
        headers |= {**each, **lists}
    return headers


def _added(first: str, second: str) -> str:
    """Return a list with what another one has, each element once."""
    elements = [each.strip() for each in f"{first},{second}".split(",")]
    return ",".join(dict.fromkeys(filter(None, elements)))


@dataclass(frozen=True, slots=True)
class Listed:
    """An upstream's model list: each entry as raw JSON by its name, and the list's ETag."""

    entries: Mapping[str, bytes]
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An upstream's answer about a response: its status, its media type, and its body as it comes.

    Reading the body raises `UpstreamError` where it breaks off.
    """

    status: int
    media_type: str
    body: AsyncIterator[bytes]
