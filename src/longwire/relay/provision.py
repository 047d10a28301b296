"""From a channel as it is configured to one that runs: its transports, and what they depend on."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from secrets import token_hex

from longwire.core.backoff import Pace
from longwire.core.channel import ChannelSpec, Status
from longwire.core.errors import ConfigurationError
from longwire.core.routing import Route
from longwire.core.session import fingerprint
from longwire.dialects import codex
from longwire.dialects.codex_limits import decode_quota_headers
from longwire.relay.channel import Channel, QuotaSeen
from longwire.upstream import tls
from longwire.upstream.dialer import Endpoint
from longwire.upstream.http import Address, HttpTransport
from longwire.upstream.pool import Pool
from longwire.upstream.transport import Patience
from longwire.upstream.urls import Scheme, endpoint_url, models_url
from longwire.upstream.websocket import Pulse
from longwire.upstream.websocket_transport import WebSocketTransport


@dataclass(frozen=True, slots=True)
class Means:
    """What all channels share.

    `count_dial` is told the identity of a channel's connections, and how a handshake ended.
    """

    pool: Pool
    patience: Patience
    pulse: Pulse
    count_dial: Callable[[str, str], None]


def fingerprint_of(spec: ChannelSpec) -> str:
    """Digest what a channel's connections depend on: another digest needs other connections."""
    own = spec.endpoint()
    return fingerprint(
        [
            ("type", spec.type),
            ("url", url_of(spec, "http")),
            ("models_url", models_url(spec.base_url) or ""),
            ("transport", own.transport),
            ("credential", spec.credential.reveal()),
            ("proxy", spec.proxy.reveal()),
            ("tls_ca", spec.tls_ca),
            ("tls_verify", str(spec.tls_verify)),
            ("organization", spec.organization),
            ("project", spec.project),
            *((f"header {name.lower()}", value.reveal()) for name, value in spec.headers),
        ]
    )


def url_of(spec: ChannelSpec, scheme: Scheme) -> str:
    """Return the URL of a channel's responses API."""
    own = spec.endpoint()
    return endpoint_url(own.base_url, own.path, scheme)


def provision(spec: ChannelSpec, means: Means) -> Channel:
    """Make a channel run; with `auto` it has both transports and the relay chooses.

    Raises `ConfigurationError` for what only shows now, such as a CA file.
    """
    transport, endpoint = spec.endpoint().transport, f"{spec.id}@{token_hex(8)}"
    secure = _secure(spec)
    quota = QuotaSeen()
    http = _http(spec, means, secure)
    websocket = _websocket(spec, means, secure, endpoint, quota)
    return Channel(
        _route(spec),
        endpoint,
        websocket if transport != "http" else None,
        http if transport != "websocket" else None,
        listing=http,
        spec=spec,
        mark=fingerprint_of(spec),
        quota=quota,
    )


def adapt(running: Channel, spec: ChannelSpec, means: Means) -> Channel:
    """Return a running channel as it is configured now, where its connections may stay."""
    before, websocket = running.spec, running.websocket
    paces = (before.handshake_rate, before.handshake_burst)
    if websocket is not None and paces != (spec.handshake_rate, spec.handshake_burst):
        websocket = _websocket(spec, means, _secure(spec), running.endpoint, running.quota)
    return replace(running, route=_route(spec), spec=spec, websocket=websocket)


def _route(spec: ChannelSpec) -> Route:
    is_enabled = spec.status is Status.ENABLED
    return Route(spec.id, spec.models, spec.weight, is_enabled, spec.name)


def _secure(spec: ChannelSpec) -> ssl.SSLContext:
    return tls.context(spec.tls_ca or None, spec.tls_verify)


def _websocket(
    spec: ChannelSpec, means: Means, secure: ssl.SSLContext, endpoint: str, quota: QuotaSeen
) -> WebSocketTransport:
    rate = spec.handshake_rate
    way = Endpoint(
        url=url_of(spec, "ws"),
        headers=_headers(spec) | (codex.BETA if spec.type == "codex" else {}),
        defaults=_defaults(spec),
        tls=secure,
        proxy=spec.proxy.reveal() or None,
        handshake_timeout=means.patience.connect,
        pace=Pace(rate, spec.handshake_burst) if rate else None,
        pulse=means.pulse,
    )
    count_dial = partial(means.count_dial, endpoint)

    def hear(headers: Mapping[str, str]) -> None:
        quota.seen = decode_quota_headers(headers, time.time()) or quota.seen

    return WebSocketTransport(way, means.pool, means.patience, count_dial, hear)


def _http(spec: ChannelSpec, means: Means, secure: ssl.SSLContext) -> HttpTransport:
    proxy = spec.proxy.reveal() or None
    if proxy and proxy.startswith("socks") and spec.endpoint().transport == "http":
        raise ConfigurationError(
            f"channel {spec.name}: proxy: the HTTP transport cannot use a SOCKS proxy; name an "
            'http proxy or write transport = "websocket"'
        )
    address = Address(
        url=url_of(spec, "http"),
        models_url=models_url(spec.base_url),
        tls=secure,
        headers=_headers(spec),
        proxy=proxy,
        defaults=_defaults(spec),
    )
    return HttpTransport(address, means.patience)


def _defaults(spec: ChannelSpec) -> Mapping[str, str]:
    return codex.IDENTITY if spec.type == "codex" else {}


def _headers(spec: ChannelSpec) -> dict[str, str]:
    is_codex = spec.type == "codex"
    headers = {} if is_codex else {"user-agent": f"longwire/{version('longwire')}"}
    headers |= {name.lower(): value.reveal() for name, value in spec.headers}
    if spec.credential:
        headers["authorization"] = f"Bearer {spec.credential.reveal()}"
    if spec.organization:
        headers["openai-organization"] = spec.organization
    if spec.project:
        headers["openai-project"] = spec.project
    return headers
