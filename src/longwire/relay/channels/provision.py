"""From a channel as it is configured to one that runs: its transports, and what they depend on."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from secrets import token_hex

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.channel import ChannelSpec, Status
from longwire.core.nouns.quota import QuotaTracker
from longwire.core.rules.backoff import Pace
from longwire.core.rules.routing import Route
from longwire.core.rules.session import fingerprint
from longwire.dialects.codex import rules as codex
from longwire.dialects.codex.limits import decode_quota_headers
from longwire.relay.accounts.accounts import LiveAccount
from longwire.relay.channels.channel import Channel
from longwire.upstream.http.address import Address
from longwire.upstream.http.lazy import LazyHttpTransport
from longwire.upstream.net import tls
from longwire.upstream.net.urls import Scheme, endpoint_url, environment_proxy, models_url
from longwire.upstream.oauth.credentials import Credentials, NoCredentials, StaticKey
from longwire.upstream.ports import Timeouts
from longwire.upstream.websocket.connection import Heartbeat
from longwire.upstream.websocket.dialer import Endpoint
from longwire.upstream.websocket.pool import Pool
from longwire.upstream.websocket.transport import WebSocketTransport


@dataclass(frozen=True, slots=True)
class ProvisionContext:
    """What all channels share.

    `count_dial` is told the identity of a channel's connections, and how a handshake ended.
    """

    pool: Pool
    timeouts: Timeouts
    heartbeat: Heartbeat
    count_dial: Callable[[str, str], None]


def fingerprint_of(spec: ChannelSpec, account: LiveAccount | None = None) -> str:
    """Digest what a channel's connections depend on: another digest needs other connections.

    Of an account it is the entry that counts, never a token.
    """
    own = spec.endpoint()
    entry = f"account {account.account.id}" if account else ""
    return fingerprint(
        [
            ("type", spec.type),
            ("url", url_of(spec, "http")),
            ("models_url", models_url(spec.base_url) or ""),
            ("transport", own.transport),
            ("credential", entry or spec.credential.reveal()),
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


def provision(
    spec: ChannelSpec, context: ProvisionContext, account: LiveAccount | None = None
) -> Channel:
    """Make a channel run for an account or its key; with `auto` it has both transports.

    Raises `ConfigurationError` for what only shows now, such as a CA file.
    """
    transport, endpoint = spec.endpoint().transport, f"{spec.id}@{token_hex(8)}"
    secure = _secure(spec)
    quota_tracker = account.quota_tracker if account else QuotaTracker()
    http = _http(spec, context, secure, account)
    websocket = _websocket(spec, context, secure, (endpoint, account), quota_tracker)
    return Channel(
        _route(spec, account),
        endpoint,
        websocket if transport != "http" else None,
        http if transport != "websocket" else None,
        listing=http,
        spec=spec,
        mark=fingerprint_of(spec, account),
        account=account,
        quota_tracker=quota_tracker,
    )


def adapt(running: Channel, spec: ChannelSpec, context: ProvisionContext) -> Channel:
    """Return a running channel as it is configured now, where its connections may stay."""
    before, websocket = running.spec, running.websocket
    paces = (before.handshake_rate, before.handshake_burst)
    if websocket is not None and paces != (spec.handshake_rate, spec.handshake_burst):
        who = running.endpoint, running.account
        websocket = _websocket(spec, context, _secure(spec), who, running.quota_tracker)
    route = _route(spec, running.account)
    return replace(running, route=route, spec=spec, websocket=websocket)


def _route(spec: ChannelSpec, account: LiveAccount | None) -> Route:
    is_enabled = spec.status is Status.ENABLED
    entry = account.account.id if account else ""
    return Route(spec.id, spec.models, spec.weight, is_enabled, spec.name, entry)


def _secure(spec: ChannelSpec) -> ssl.SSLContext:
    """Return whom a channel trusts: nobody at all where nothing of it is encrypted."""
    urls = (url_of(spec, "http"), models_url(spec.base_url) or "")
    proxies = (spec.proxy.reveal(), *(environment_proxy(url) or "" for url in urls if url))
    if spec.tls_ca or any(each.startswith("https:") for each in (*urls, *proxies)):
        return tls.context(spec.tls_ca or None, spec.tls_verify)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _websocket(
    spec: ChannelSpec,
    context: ProvisionContext,
    secure: ssl.SSLContext,
    who: tuple[str, LiveAccount | None],
    quota_tracker: QuotaTracker,
) -> WebSocketTransport:
    endpoint, account = who
    rate = spec.handshake_rate
    way = Endpoint(
        url=url_of(spec, "ws"),
        headers=_headers(spec) | (codex.BETA if spec.type == "codex" else {}),
        defaults=_defaults(spec),
        tls=secure,
        proxy=spec.proxy.reveal() or None,
        handshake_timeout=context.timeouts.connect,
        pace=Pace(rate, spec.handshake_burst) if rate else None,
        heartbeat=context.heartbeat,
    )
    count_dial = partial(context.count_dial, endpoint)
    credentials = _credentials(spec, account)

    def hear(headers: Mapping[str, str]) -> None:
        if (quota := decode_quota_headers(headers, time.time())) is not None:
            quota_tracker.observe(quota)

    return WebSocketTransport(way, context.pool, context.timeouts, count_dial, credentials, hear)


def _http(
    spec: ChannelSpec,
    context: ProvisionContext,
    secure: ssl.SSLContext,
    account: LiveAccount | None,
) -> LazyHttpTransport:
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
    return LazyHttpTransport(address, context.timeouts, _credentials(spec, account))


def _credentials(spec: ChannelSpec, account: LiveAccount | None) -> Credentials:
    """Return as whom a channel speaks."""
    if account is not None:
        return account
    if spec.credential:
        return StaticKey({"authorization": f"Bearer {spec.credential.reveal()}"})
    return NoCredentials(_mend(spec)) if spec.type == "codex" else StaticKey({})


def _mend(spec: ChannelSpec) -> str:
    """Return what to do about a channel that speaks for nobody."""
    login = f"run 'longwire login codex --channel {spec.name}', or give it a key"
    mend = "set its api_key in the configuration file" if spec.is_declared else login
    return f"The channel '{spec.name}' has neither an account nor a key: {mend}."


def _defaults(spec: ChannelSpec) -> Mapping[str, str]:
    return codex.IDENTITY if spec.type == "codex" else {}


def _headers(spec: ChannelSpec) -> dict[str, str]:
    is_codex = spec.type == "codex"
    headers = {} if is_codex else {"user-agent": f"longwire/{version('longwire')}"}
    headers |= {name.lower(): value.reveal() for name, value in spec.headers}
    if spec.organization:
        headers["openai-organization"] = spec.organization
    if spec.project:
        headers["openai-project"] = spec.project
    return headers
