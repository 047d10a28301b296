"""Where requests over HTTP go, and the model list of an upstream."""

import ssl
from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class Listed:
    """An upstream's model list: each entry as raw JSON by its name, and the list's ETag."""

    entries: Mapping[str, bytes]
    etag: str = ""
