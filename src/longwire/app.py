"""The composition root: everything is built here once, by constructor, and served.

Shutdown: stop accepting, let turns end within the grace period, close what is left.
"""

import math
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from longwire.core.backoff import Pace
from longwire.core.errors import ConfigurationError
from longwire.core.lease import Limits
from longwire.core.routing import Route
from longwire.core.session import fingerprint
from longwire.relay.accounting import Accounting
from longwire.relay.channel import Channel, Snapshot
from longwire.relay.metrics import Gauges, Metrics
from longwire.relay.relay import Policy, Relay
from longwire.server import logs
from longwire.server.asgi import application
from longwire.server.auth import Keys
from longwire.server.health import Probes, Readiness, Stage
from longwire.server.local import serving_sessions
from longwire.server.model_http import ModelHttp
from longwire.server.models import Models, Source
from longwire.server.signals import drain_in_a_worker, end_workers_on_signals, stop_on_signals
from longwire.settings import Channel as Declared
from longwire.settings import Settings, load
from longwire.upstream import tls
from longwire.upstream.dialer import Endpoint
from longwire.upstream.http import Address, HttpTransport
from longwire.upstream.pool import Pool, PoolTimes
from longwire.upstream.transport import Patience
from longwire.upstream.urls import Scheme, endpoint_url, models_url
from longwire.upstream.websocket import Pulse
from longwire.upstream.websocket_transport import WebSocketTransport

_log = structlog.get_logger()
_KEEP_ALIVE = 75
_BACKLOG = 2048


class App:
    """The gateway as an ASGI application; its lifespan opens and closes what needs a loop.

    When it is ready to serve, the URL `announced_as` is printed; `port` names its local socket,
    0 for none. With a `grace` in seconds it takes signals from the server that runs it.
    """

    def __init__(self, settings: Settings) -> None:
        self.readiness = Readiness()
        self.announced_as = ""
        self.port = 0
        self.grace: float | None = None
        self.pool = _pool(settings)
        self.metrics = Metrics(Gauges(self._connections, self._evictions))
        self._https: dict[str, HttpTransport] = {}
        channels = {channel.name: self._channel(channel, settings) for channel in settings.channels}
        self.relay = Relay(
            Snapshot(channels, settings.sessions.session_headers),
            Policy(
                self.pool.ledger.holds,
                settings.sessions.replay_after_created,
                continues=self.pool.ledger.continues,
            ),
            Accounting(self.metrics),
        )
        keys = Keys(
            ((key.name, key.key.get_secret_value()) for key in settings.api_keys),
            admits_anonymous=settings.server.allow_anonymous,
        )
        sources = [
            Source(channel.route, self._https[name].models) for name, channel in channels.items()
        ]
        self._asgi: ASGIApp = application(
            ModelHttp(self.relay, keys, self.readiness, settings.server.max_body),
            Models(keys, sources),
            Probes(self.readiness, self.metrics),
            self._lifespan,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection or the lifespan."""
        return self._asgi(scope, receive, send)

    def _channel(self, declared: Declared, settings: Settings) -> Channel:
        """Build a channel; with `auto` it has both transports and the relay chooses."""
        route = Route(declared.name, declared.models, declared.weight, declared.enabled)
        transport = _transport_of(declared)
        ca = str(declared.tls_ca) if declared.tls_ca else None
        secure = tls.context(ca, declared.tls_verify)
        http = self._https[declared.name] = _http(declared, settings, secure)
        return Channel(
            route,
            _identity(declared),
            self._websocket(declared, settings, secure) if transport != "http" else None,
            http if transport != "websocket" else None,
        )

    def _websocket(
        self, declared: Declared, settings: Settings, secure: ssl.SSLContext
    ) -> WebSocketTransport:
        dials, rate = self.metrics.dials, declared.handshake_rate
        endpoint = Endpoint(
            url=_url(declared, "ws"),
            headers=_headers(declared),
            tls=secure,
            proxy=declared.proxy.get_secret_value() if declared.proxy else None,
            handshake_timeout=settings.sessions.handshake_timeout,
            pace=Pace(rate, declared.handshake_burst) if rate else None,
            pulse=Pulse(settings.sessions.ping_interval, settings.sessions.pong_timeout),
        )
        return WebSocketTransport(
            endpoint,
            self.pool,
            _patience(settings),
            lambda result: dials.labels(declared.name, result).inc(),
        )

    def _names(self) -> dict[str, str]:
        channels = self.relay.snapshot.channels.values()
        return {channel.endpoint: channel.name for channel in channels}

    def _connections(self) -> Iterator[tuple[str, str]]:
        names = self._names()
        for entry in self.pool.ledger.entries():
            endpoint = entry.key.endpoint if entry.key else ""
            yield names.get(endpoint, ""), entry.state.value

    def _evictions(self) -> Iterator[tuple[str, str, int]]:
        names = self._names()
        for (endpoint, reason), number in sorted(self.pool.ledger.departures.items()):
            yield names.get(endpoint, ""), reason.value, number

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.pool.start()
        if self.grace is not None:
            drain_in_a_worker(self.readiness, self.grace)
        async with serving_sessions(self.port, self.pool.ledger, self._names):
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
    settings = load()
    app = build(settings)
    app.port, app.grace = settings.server.port, settings.server.shutdown_grace
    return app


def _patience(settings: Settings) -> Patience:
    sessions = settings.sessions
    return Patience(
        connect=sessions.handshake_timeout,
        first_event=sessions.first_event_timeout,
        idle_event=sessions.idle_event_timeout,
        silence=settings.server.keep_alive_comment,
        drain=sessions.drain_timeout if sessions.on_client_gone == "drain" else 0.0,
    )


def _pool(settings: Settings) -> Pool:
    sessions = settings.sessions
    return Pool(
        Limits(sessions.max_connections, sessions.max_connections_per_session, sessions.idle_ttl),
        PoolTimes(sessions.max_lifetime, sessions.queue_timeout),
    )


def _http(declared: Declared, settings: Settings, secure: ssl.SSLContext) -> HttpTransport:
    proxy = declared.proxy.get_secret_value() if declared.proxy else None
    if proxy and proxy.startswith("socks") and declared.transport == "http":
        raise ConfigurationError(
            f"channel {declared.name}: proxy: the HTTP transport cannot use a SOCKS proxy; name an "
            'http proxy or write transport = "websocket"'
        )
    address = Address(
        url=_url(declared, "http"),
        models_url=models_url(declared.base_url),
        tls=secure,
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
    app.announced_as, app.port = _url_of(listener), listener.getsockname()[1]
    server = server_of(app, settings)
    stop_on_signals(server, app.readiness, settings.server.shutdown_grace)
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
    os.environ["LONGWIRE_SERVER__PORT"] = str(listener.getsockname()[1])
    _announce(_url_of(listener))
    config = _config("longwire.app:from_environment", settings, workers)
    supervisor = Multiprocess(config, sockets=[listener])
    end_workers_on_signals(supervisor)
    supervisor.run()


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
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.set_inheritable(True)
    return listener


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(url: str) -> None:
    if url:
        sys.stdout.write(f"Longwire serves {url}\n")
        sys.stdout.flush()
