"""Open one upstream WebSocket: URL, TLS, proxy, headers, handshake, and what a refusal means.

A dial that fails or is cancelled leaves no socket behind.
"""

import asyncio
import math
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from python_socks import ProxyError, ProxyTimeoutError

from longwire.core.errors import (
    Overloaded,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.core.ports import Pacer
from longwire.dialects.responses.errors import decode_problem, is_error
from longwire.upstream.net.handshake import SWITCHING, Handshake, HandshakeResponse, Upgrade
from longwire.upstream.net.proxies import environment_proxy
from longwire.upstream.net.tunnel import Tunnel, open_tunnel
from longwire.upstream.net.urls import origin_of
from longwire.upstream.websocket.connection import Connection
from longwire.upstream.websocket.keepalive import Heartbeat

_ANSWERS = frozenset({400, 401, 402, 403, 408, 429, *range(500, 600)}) - {501, 505}
"""Statuses that may speak of the request or the account; all others mean: no WebSocket here."""

_OF_THE_UPGRADE, _OF_A_ROUTE = 400, 403
"""No turn was sent yet, that a 400 could speak of; frameworks say 403 of a route they lack."""

_PASSED_HEADERS = ("retry-after", "x-request-id")
_FAILURES = (OSError, ValueError, ProxyError)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to dial: `url` is ws(s), `headers` are the channel's own.

    `defaults` hold where the caller's own headers say nothing. Whose turn to dial by `pace` comes
    later than after `longest_wait` seconds does not wait for it.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext | None = None
    proxy: str | None = field(default=None, repr=False)
    handshake_timeout: float = 15.0
    pace: Pacer | None = None
    longest_wait: float = 30.0
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Host and port of the URL as they stand, without a user."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


async def dial(
    endpoint: Endpoint, headers: Mapping[str, str], on_closed: Callable[[Connection], None]
) -> Connection:
    """Open a connection, when the endpoint's pace allows; `headers` come beside its own.

    Raises `UpstreamRejected` with the upstream's status and body when it refused the caller,
    `UpstreamTimeout` after `handshake_timeout` seconds, `Overloaded` where too many others dial,
    else `UpstreamUnavailable`.
    """
    if endpoint.pace is not None:
        wait = await endpoint.pace.reserve(endpoint.longest_wait)
        if wait > endpoint.longest_wait:
            msg = f"Too many connections to {endpoint.host} are to be opened now; try again later."
            raise Overloaded(msg, math.ceil(wait))
        await asyncio.sleep(wait)
    try:
        async with asyncio.timeout(endpoint.handshake_timeout):
            connection = await _connect(endpoint, headers, on_closed)
    except _FAILURES as error:
        raise _failure(endpoint, error) from None
    if connection.is_closed:
        raise UpstreamUnavailable(f"{endpoint.host} closed the connection during the handshake.")
    return connection


async def _connect(
    endpoint: Endpoint, headers: Mapping[str, str], on_closed: Callable[[Connection], None]
) -> Connection:
    parts = urlsplit(endpoint.url)
    origin = origin_of(parts, "ws", "wss")
    upgrade = Upgrade(origin, parts, {**endpoint.defaults, **headers, **endpoint.headers})
    proxy = endpoint.proxy or environment_proxy(endpoint.url)
    tunnel = await open_tunnel(origin, proxy, endpoint.tls)
    try:
        response = await _upgrade(tunnel, upgrade, endpoint.host)
        connection = Connection(endpoint.heartbeat, on_closed)
        await tunnel.attach(connection)
        connection.headers = response.headers
        if response.rest:
            connection.data_received(response.rest)
    except BaseException:
        tunnel.abort()
        raise
    return connection


async def _upgrade(tunnel: Tunnel, upgrade: Upgrade, host: str) -> HandshakeResponse:
    """Send an upgrade, and return the response that agrees to it."""
    handshake = Handshake(upgrade.request)
    response = await tunnel.request(handshake)
    if response.status != SWITCHING:
        raise _refusal(host, response)
    upgrade.check(response)
    if handshake.is_lost:
        raise ConnectionResetError("it hung up right after its 101")
    return response


def _failure(endpoint: Endpoint, error: Exception) -> UpstreamError:
    """Say what a failed dial means."""
    match error:
        case TimeoutError() if not isinstance(error, ProxyTimeoutError) and error.errno is None:
            return UpstreamTimeout("handshake", endpoint.handshake_timeout)
        case ssl.SSLCertVerificationError():
            return UpstreamUnavailable(
                f"The certificate of {endpoint.host} is not trusted ({error.verify_message}); "
                "name its authority's PEM file in tls_ca of this channel."
            )
        case _:
            reason = str(error) or type(error).__name__
            return UpstreamUnavailable(f"No WebSocket connection to {endpoint.host}: {reason}.")


def _refusal(host: str, response: HandshakeResponse) -> UpstreamError:
    """Say what a response means that is no 101."""
    if response.status not in _ANSWERS:
        return UpstreamUnavailable(
            f"{host} does not speak WebSocket at this URL (status {response.status}); "
            'set transport = "http" for this channel or correct its base_url.',
            refuses_websocket=True,
        )
    problem = decode_problem(response.body)
    passed = {
        name: value
        for name, value in response.headers.items()
        if name in _PASSED_HEADERS or name.startswith("x-codex-")
    }
    rejection = UpstreamRejected(response.status, problem.to_rejection().body, passed, problem.code)
    rejection.refuses_websocket = response.status == _OF_THE_UPGRADE or not is_error(
        response.body, in_envelope=response.status == _OF_A_ROUTE
    )
    return rejection
