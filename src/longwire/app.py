"""The composition root: everything is built here once, by constructor, and served.

Shutdown: stop accepting, let turns end within the grace period, close what is left.
"""

import math
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import FrameType

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from longwire.core.errors import ConfigurationError
from longwire.core.ledger import Limits
from longwire.core.routing import Route
from longwire.core.session import fingerprint
from longwire.relay.relay import Channel, Relay, Snapshot
from longwire.server import logs
from longwire.server.asgi import application
from longwire.server.auth import Keys
from longwire.server.health import Readiness, Stage
from longwire.server.model_http import ModelHttp
from longwire.server.models import Models, Source
from longwire.settings import Channel as Declared
from longwire.settings import Settings, load
from longwire.upstream import tls
from longwire.upstream.dialer import Endpoint
from longwire.upstream.http import Address, HttpTransport
from longwire.upstream.pool import Pool, PoolTimes
from longwire.upstream.transport import Patience, Transport
from longwire.upstream.urls import Scheme, endpoint_url, models_url
from longwire.upstream.websocket import Pulse
from longwire.upstream.websocket_transport import WebSocketTransport

_log = structlog.get_logger()
_KEEP_ALIVE = 75
_BACKLOG = 2048


class App:
    """The gateway as an ASGI application; its lifespan opens and closes what needs a loop.

    `announced_as`, a URL, is printed when it is ready to serve.
    """

    def __init__(self, settings: Settings) -> None:
        self.readiness = Readiness()
        self.announced_as = ""
        self.pool = _pool(settings)
        self._https = {channel.name: _http(channel, settings) for channel in settings.channels}
        channels = {channel.name: self._channel(channel, settings) for channel in settings.channels}
        self.relay = Relay(Snapshot(channels, settings.sessions.session_headers))
        keys = Keys(
            ((key.name, key.key.get_secret_value()) for key in settings.api_keys),
            admits_anonymous=settings.server.allow_anonymous,
        )
        sources = [
            Source(channel.route, self._https[name].models) for name, channel in channels.items()
        ]
        self._asgi: ASGIApp = application(
            ModelHttp(self.relay, keys, settings.server.max_body),
            Models(keys, sources),
            self.readiness,
            self._lifespan,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection or the lifespan."""
        return self._asgi(scope, receive, send)

    def _channel(self, declared: Declared, settings: Settings) -> Channel:
        """Build a channel; until it can fall back by itself, `auto` means WebSocket."""
        route = Route(declared.name, declared.models, declared.weight, declared.enabled)
        speaks_http = _transport_of(declared) == "http"
        transport: Transport = self._https[declared.name]
        if not speaks_http:
            transport = _websocket(declared, settings, self.pool)
        return Channel(route, _identity(declared), transport, takes_background=speaks_http)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.pool.start()
        self.readiness.stage = Stage.READY
        _announce(self.announced_as)
        try:
            yield
        finally:
            self.readiness.stage = Stage.DRAINING
            self.pool.close()
            for transport in self._https.values():
                await transport.close()


def build(settings: Settings) -> App:
    """Build the gateway. Raises `ConfigurationError` for what only shows now, such as a CA file."""
    return App(settings)


def from_environment() -> App:
    """Build the gateway in a worker process, which reads the settings for itself."""
    logs.configure()
    return build(load())


def _websocket(declared: Declared, settings: Settings, pool: Pool) -> WebSocketTransport:
    ca = str(declared.tls_ca) if declared.tls_ca else None
    sessions = settings.sessions
    endpoint = Endpoint(
        url=_url(declared, "ws"),
        headers=_headers(declared),
        tls=tls.context(ca, declared.tls_verify),
        proxy=declared.proxy.get_secret_value() if declared.proxy else None,
        handshake_timeout=sessions.handshake_timeout,
        pulse=Pulse(sessions.ping_interval, sessions.pong_timeout),
    )
    return WebSocketTransport(endpoint, pool, _patience(settings))


def _patience(settings: Settings) -> Patience:
    return Patience(
        connect=settings.sessions.handshake_timeout,
        first_event=settings.sessions.first_event_timeout,
        idle_event=settings.sessions.idle_event_timeout,
        silence=settings.server.keep_alive_comment,
    )


def _pool(settings: Settings) -> Pool:
    sessions = settings.sessions
    return Pool(
        Limits(sessions.max_connections, sessions.max_connections_per_session, sessions.idle_ttl),
        PoolTimes(sessions.max_lifetime, sessions.queue_timeout),
    )


def _http(declared: Declared, settings: Settings) -> HttpTransport:
    proxy = declared.proxy.get_secret_value() if declared.proxy else None
    if proxy and proxy.startswith("socks") and declared.transport == "http":
        raise ConfigurationError(
            f"channel {declared.name}: proxy: the HTTP transport cannot use a SOCKS proxy; name an "
            'http proxy or write transport = "websocket"'
        )
    ca = str(declared.tls_ca) if declared.tls_ca else None
    address = Address(
        url=_url(declared, "http"),
        models_url=models_url(declared.base_url),
        tls=tls.context(ca, declared.tls_verify),
        headers=_headers(declared),
        proxy=proxy,
    )
    return HttpTransport(address, _patience(settings))


def _url(declared: Declared, scheme: Scheme) -> str:
    own = next((entry for entry in declared.endpoints if entry.api == "responses"), None)
    base_url = (own.base_url if own else None) or declared.base_url
    return endpoint_url(base_url, (own.path if own else None) or "/responses", scheme)


def _transport_of(declared: Declared) -> str:
    own = next((entry for entry in declared.endpoints if entry.api == "responses"), None)
    return (own.transport if own else None) or declared.transport


def _headers(declared: Declared) -> dict[str, str]:
    headers = {"user-agent": f"longwire/{version('longwire')}"}
    if declared.api_key is not None:
        headers["authorization"] = f"Bearer {declared.api_key.get_secret_value()}"
    if declared.organization:
        headers["openai-organization"] = declared.organization
    if declared.project:
        headers["openai-project"] = declared.project
    return headers


def _identity(declared: Declared) -> str:
    """Digest what a connection is bound to; a credential counts by its entry, not by its value."""
    return fingerprint(
        [
            ("url", _url(declared, "http")),
            ("credential", f"file:{declared.name}"),
            ("proxy", declared.proxy.get_secret_value() if declared.proxy else ""),
            ("tls_ca", str(declared.tls_ca or "")),
            ("tls_verify", str(declared.tls_verify)),
            ("organization", declared.organization),
            ("project", declared.project),
        ]
    )


def serve(settings: Settings, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT, then let turns end; a second signal ends at once.

    Raises `ConfigurationError` when the address cannot be listened on.
    """
    logs.configure()
    app = build(settings)
    listener = _listen(settings.server.host, settings.server.port)
    if workers > 1:
        _serve_in_processes(settings, workers, listener)
        return
    app.announced_as = _url_of(listener)
    server = server_of(app, settings)
    _stop_on_signals(server, app.readiness)
    server.run(sockets=[listener])


def server_of(app: App, settings: Settings) -> uvicorn.Server:
    """Return the server for an app; it listens on the sockets it is run with."""
    return uvicorn.Server(_config(app, settings))


def _config(app: App | str, settings: Settings, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(settings.server.shutdown_grace),
    )


def _serve_in_processes(settings: Settings, workers: int, listener: socket.socket) -> None:
    _log.warning("several_workers", workers=workers, note="each keeps its own warm connections")
    if settings.source is not None:
        os.environ["LONGWIRE_CONFIG"] = str(settings.source)
    _announce(_url_of(listener))
    config = _config("longwire.app:from_environment", settings, workers)
    Multiprocess(config, sockets=[listener]).run()


def _stop_on_signals(server: uvicorn.Server, readiness: Readiness) -> None:
    """Take the server's place as handler: it would raise the signal again and spoil the status."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True
        readiness.stage = Stage.DRAINING

    server.handle_exit = stop  # type: ignore[assignment]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        is_lookup = isinstance(error, socket.gaierror)
        reason = error.strerror if is_lookup else os.strerror(error.errno or 0)
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({reason}); stop what uses it, or set another "
            "server.host or server.port"
        ) from error
    listener.set_inheritable(True)
    return listener


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(url: str) -> None:
    if url:
        sys.stdout.write(f"Longwire serves {url}\n")
        sys.stdout.flush()
