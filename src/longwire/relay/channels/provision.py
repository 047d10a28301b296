"""From a channel as it is configured to one that runs: its transports, and what they depend on."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from secrets import token_hex

from longwire.core.nouns.channel import CHANNEL_TYPES, DEFAULT_VERSIONS, ChannelSpec, Status
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.quota import QuotaTracker
from longwire.core.ports import Paces
from longwire.core.rules.routing import RESPONSES, Route
from longwire.core.rules.session import fingerprint
from longwire.core.rules.threads import Threads
from longwire.dialects.ports import Terms
from longwire.dialects.profiles.channels import profile_for
from longwire.fleet.local import LocalPaces
from longwire.relay.accounts.accounts import LiveAccount
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.state import ChannelState, Part
from longwire.relay.channels.vendors.known import Vendors
from longwire.upstream.http.address import Address
from longwire.upstream.http.lazy import LazyHttpTransport
from longwire.upstream.net import tls
from longwire.upstream.net.proxies import environment_proxy
from longwire.upstream.net.urls import Scheme, endpoint_url, models_url
from longwire.upstream.oauth.credentials import Credentials, NoCredentials, StaticKey
from longwire.upstream.ports import SOON, Timeouts
from longwire.upstream.websocket.dialer import Endpoint
from longwire.upstream.websocket.keepalive import Heartbeat
from longwire.upstream.websocket.pool import Pool
from longwire.upstream.websocket.transport import WebSocketTransport

_BEARERS_ALONE = "sk-ant-oat"
"""How a token begins that Anthropic takes as a bearer's alone."""

_THREADED = "messages"
"""The API whose upstreams keep threads."""

_LONGEST_WAIT = 30.0
_LONGEST_WAIT_BESIDE_HTTP = 2.0
"""How long a turn waits for its turn to dial, in seconds."""


@dataclass(frozen=True, slots=True)
class ProvisionContext:
    """What all channels share.

    `count_dial` takes the identity of a channel's connections, and how a handshake ended;
    `tell_cooling` the route that cools down, what of it, for how many seconds, and why.
    """

    pool: Pool
    timeouts: Timeouts
    heartbeat: Heartbeat
    count_dial: Callable[[str, str], None]
    vendors: Vendors = field(default_factory=Vendors)
    paces: Paces = field(default_factory=LocalPaces)
    tell_cooling: Callable[[str, Part, float, str], None] = lambda *_: None


def apis_of(spec: ChannelSpec) -> tuple[str, ...]:
    """Return all APIs that a channel runs with, those of conversations first."""
    return (*spec.offered, *spec.passed)


def fingerprint_of(spec: ChannelSpec, account: LiveAccount | None = None) -> str:
    """Digest what a channel's connections depend on: another digest needs other connections.

    Of an account it is the entry that counts, never a token.
    """
    own = spec.endpoint()
    entry = f"account {account.account.id}" if account else ""
    return fingerprint(
        [
            ("type", spec.type),
            *((f"url {api}", url_of(spec, "http", api)) for api in (RESPONSES, *apis_of(spec))),
            ("models_url", _models_url(spec) or ""),
            ("transport", own.transport),
            ("credential", entry or spec.credential.reveal()),
            ("proxy", spec.proxy.reveal()),
            ("tls_ca", spec.tls_ca),
            ("tls_verify", str(spec.tls_verify)),
            ("organization", spec.organization),
            ("project", spec.project),
            *((("threads", _THREADED),) if spec.threads else ()),
            *((f"header {name.lower()}", value.reveal()) for name, value in spec.headers),
        ]
    )


def terms_of(spec: ChannelSpec) -> Terms:
    """Return on what terms turns are said to a channel's upstream in other APIs.

    Raises `ConfigurationError` for a profile or quirks that do not exist.
    """
    return Terms(profile_for(spec), may_drop=spec.unsupported == "drop")


def url_of(spec: ChannelSpec, scheme: Scheme, api: str = RESPONSES) -> str:
    """Return the URL of one of a channel's APIs."""
    own = spec.endpoint(api)
    return endpoint_url(own.base_url, own.path, scheme, DEFAULT_VERSIONS[api])


def _models_url(spec: ChannelSpec) -> str | None:
    version = DEFAULT_VERSIONS[CHANNEL_TYPES[spec.type].apis[0]]
    return models_url(spec.base_url, version)


def provision(
    spec: ChannelSpec,
    context: ProvisionContext,
    account: LiveAccount | None = None,
    key: ChannelKey | None = None,
) -> Channel:
    """Make a channel run for an account or its key; with `auto` it has both transports.

    Of several keys it is `key`, which is the credential of `spec`, too.

    Raises `ConfigurationError` for what only shows now, such as a CA file.
    """
    transport, endpoint = spec.endpoint().transport, f"{spec.id}@{token_hex(8)}"
    route, secure = _route(spec, account, key), _secure(spec)
    quota = account.quota_tracker if account else QuotaTracker()
    vendor = context.vendors.of(spec.type, route.id, quota, has_rates=key is not None)
    channel = Channel(
        route,
        endpoint,
        spec=spec,
        fingerprint=fingerprint_of(spec, account),
        account=account,
        key=key,
        vendor=vendor,
        state=ChannelState(quota=quota, tell_cooling=partial(context.tell_cooling, route.id)),
    )
    by_api = {api: _http(channel, context, secure, api) for api in apis_of(spec)}
    channel = replace(channel, apis=apis_of(spec), by_api=by_api, terms=terms_of(spec))
    if RESPONSES not in by_api:
        return channel
    websocket = _websocket(channel, context, secure)
    return replace(
        channel,
        websocket=websocket if transport != "http" else None,
        http=by_api[RESPONSES] if transport != "websocket" else None,
    )


def adapt(
    running: Channel, spec: ChannelSpec, context: ProvisionContext, key: ChannelKey | None = None
) -> Channel:
    """Return a running channel as it is configured now, where its connections may stay."""
    before = running.spec
    route, terms = _route(spec, running.account, key), terms_of(spec)
    channel = replace(running, route=route, spec=spec, terms=terms, key=key)
    paces = (before.handshake_rate, before.handshake_burst)
    if running.websocket is None or paces == (spec.handshake_rate, spec.handshake_burst):
        return channel
    return replace(channel, websocket=_websocket(channel, context, _secure(spec)))


def _route(spec: ChannelSpec, account: LiveAccount | None, key: ChannelKey | None = None) -> Route:
    is_enabled = spec.status is Status.ENABLED
    entry = account.account.id if account else ""
    models = (*spec.models, *(requested for requested, _ in spec.renames))
    route = Route(spec.id, models, spec.weight, is_enabled, spec.name, entry, spec.tags)
    if key is None:
        return route
    return replace(route, account=key.entry, share=key.weight, is_key=True)


def _secure(spec: ChannelSpec) -> ssl.SSLContext:
    """Return whom a channel trusts: nobody at all where nothing of it is encrypted."""
    urls = [url_of(spec, "http", api) for api in (RESPONSES, *apis_of(spec))]
    urls.append(_models_url(spec) or "")
    proxies = (spec.proxy.reveal(), *(environment_proxy(url) or "" for url in urls if url))
    if spec.tls_ca or any(each.startswith("https:") for each in (*urls, *proxies)):
        return tls.context(spec.tls_ca or None, spec.tls_verify)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _websocket(
    channel: Channel, context: ProvisionContext, secure: ssl.SSLContext
) -> WebSocketTransport:
    spec, vendor, timeouts = channel.spec, channel.vendor, context.timeouts
    rate, longest_wait = spec.handshake_rate, _LONGEST_WAIT
    if spec.endpoint().transport == "auto":
        longest_wait, timeouts = _LONGEST_WAIT_BESIDE_HTTP, replace(timeouts, first_frame=SOON)
    endpoint = Endpoint(
        url=url_of(spec, "ws"),
        headers={**_headers(channel), **vendor.handshake_headers},
        defaults=vendor.default_headers,
        tls=secure,
        proxy=spec.proxy.reveal() or None,
        handshake_timeout=context.timeouts.connect,
        pace=context.paces.of(channel.route_id, rate, spec.handshake_burst) if rate else None,
        longest_wait=longest_wait,
        heartbeat=context.heartbeat,
    )
    return WebSocketTransport(
        endpoint,
        context.pool,
        timeouts,
        partial(context.count_dial, channel.endpoint),
        _credentials(channel),
        vendor.observe_handshake,
    )


def _http(
    channel: Channel, context: ProvisionContext, secure: ssl.SSLContext, api: str = RESPONSES
) -> LazyHttpTransport:
    spec = channel.spec
    address = Address(
        url=url_of(spec, "http", api),
        models_url=_models_url(spec),
        tls=secure,
        headers=_headers(channel),
        proxy=spec.proxy.reveal() or None,
        defaults=channel.vendor.default_headers,
    )
    threads = Threads() if spec.threads and api == _THREADED else None
    return LazyHttpTransport(address, context.timeouts, _credentials(channel, api), threads)


def _credentials(channel: Channel, api: str = RESPONSES) -> Credentials:
    """Return as whom a channel speaks, in the headers of an API."""
    spec = channel.spec
    if channel.account is not None:
        return channel.account
    if spec.credential:
        return StaticKey(key_headers(spec, api))
    has_accounts = CHANNEL_TYPES[spec.type].takes_accounts
    return NoCredentials(_mend(spec)) if has_accounts else StaticKey({})


def key_headers(spec: ChannelSpec, api: str) -> dict[str, str]:
    """Return the headers that bring a channel's key: each API has its own."""
    key = spec.credential.reveal()
    if api == "generate_content":
        return {"x-goog-api-key": key}
    names: tuple[str, ...] = ("authorization",)
    if api == "messages" and not key.startswith(_BEARERS_ALONE):
        names = CHANNEL_TYPES[spec.type].key_headers
    return {name: f"Bearer {key}" if name == "authorization" else key for name in names}


def _mend(spec: ChannelSpec) -> str:
    """Return what to do about a channel that speaks for nobody."""
    login = f"run 'longwire login codex --channel {spec.name}', or give it a key"
    mend = "set its api_key in the configuration file" if spec.is_declared else login
    return f"The channel '{spec.name}' has neither an account nor a key: {mend}."


def _headers(channel: Channel) -> dict[str, str]:
    spec = channel.spec
    headers = dict(channel.vendor.headers)
    headers |= {name.lower(): value.reveal() for name, value in spec.headers}
    if spec.organization:
        headers["openai-organization"] = spec.organization
    if spec.project:
        headers["openai-project"] = spec.project
    return headers
