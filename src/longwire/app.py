"""The composition root: everything is built here once, by constructor, and served.

Shutdown: stop accepting, let turns end within the grace period, close what is left.
"""

import asyncio
import math
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from secrets import token_bytes
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from longwire.core.nouns.secret import Secret
from longwire.core.rules.lanes import LaneLimits
from longwire.core.rules.lease import Limits
from longwire.core.rules.turn import Usage
from longwire.logger import structlog
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.channels.channel import RoutingTable, Snapshot
from longwire.relay.channels.provision import ProvisionContext
from longwire.relay.channels.reconcile import ChannelReconciler, Declared
from longwire.relay.channels.state import ChannelStates
from longwire.relay.limits import LocalLimits
from longwire.relay.records.accounting import Accounting, TurnRecord
from longwire.relay.records.metrics import Gauges, Metrics
from longwire.relay.turns.candidates import Candidates, Policy
from longwire.relay.turns.running import Relay
from longwire.server import logs
from longwire.server.asgi import Mounts, application
from longwire.server.auth import Keys
from longwire.server.data.client_socket import SocketLimits
from longwire.server.data.codex_side import CodexSide
from longwire.server.data.models import Models
from longwire.server.data.turns import HttpTurns
from longwire.server.data.upgrade import WebSocketTurns
from longwire.server.health import Probes, Readiness, Stage
from longwire.server.http.allocator import prepare_memory
from longwire.server.http.listener import listen, url_of
from longwire.server.http.pongs import BoundedPongs
from longwire.server.http.protocol import HttpProtocol
from longwire.server.local import serving_sessions
from longwire.server.signals import (
    drain_in_a_worker,
    end_workers_on_signals,
    reloading_on_signal,
    stop_on_signals,
)
from longwire.server.ui import Pages
from longwire.settings import Settings, load
from longwire.settings.declared import channel_of, key_of, registration_of
from longwire.settings.keys import Server
from longwire.store.secrets import Pepper
from longwire.upstream.oauth.issuer import Issuer
from longwire.upstream.ports import Timeouts
from longwire.upstream.websocket.keepalive import Heartbeat
from longwire.upstream.websocket.pool import Pool, PoolTimes

if TYPE_CHECKING:
    from longwire.server.control import ControlPlane
    from longwire.store.store import Store

_log = structlog.get_logger()
_KEEP_ALIVE = 75
_PING_INTERVAL, _PONG_TIMEOUT = 20, 60


Opening = Callable[[], Awaitable["Store"]]


class App:
    """The gateway as an ASGI application, with `turns` past ASGI; its lifespan opens what it needs.

    When it is ready to serve, the URL `announced_as` is printed, and the token to `setup` the first
    owner with, where there is one; `port` names its local socket, 0 for none. With a `grace` in
    seconds it takes signals from the server that runs it. Without `opens` it keeps nothing.
    """

    def __init__(self, settings: Settings, opens: Opening | None = None) -> None:
        self.readiness = Readiness()
        self.announced_as = ""
        self.setup: Secret | None = None
        self.port = 0
        self.grace: float | None = None
        self.pool = _pool(settings)
        self.metrics = Metrics(self._gauges())
        self.limits = LocalLimits()
        self.routing = RoutingTable(Snapshot({}, settings.sessions.session_headers))
        self.states = ChannelStates()
        self.relay = self._relay(settings, keeps=opens is not None)
        self.keys = Keys(
            Pepper(token_bytes()).digest, admits_anonymous=settings.server.allow_anonymous
        )
        self.reconciler = ChannelReconciler(
            self.routing, self._context(settings), _Reading(settings), self.keys.hand_out
        )
        self.turns = HttpTurns(self.relay, self.keys, self.readiness, settings.server.max_body)
        self.sockets = self._websocket(settings.server)
        self._opens = opens
        self._registration = registration_of(settings.codex)
        self._control: ControlPlane | None = None
        self._admin: ASGIApp | None = None
        self._insecure_cookies = settings.server.insecure_cookies
        self._asgi: ASGIApp = application(self._mounts(settings.server), self._lifespan)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection or the lifespan."""
        return self._asgi(scope, receive, send)

    def _mounts(self, server: Server) -> Mounts:
        return Mounts(
            websocket=self.sockets,
            admin=self._serve_admin,
            pages=Pages(base_path=server.base_path),
            models=Models(self.keys, lambda: self.routing.snapshot),
            side=CodexSide(self.keys, lambda: self.routing.snapshot, self.states),
            probes=Probes(self.readiness, self.metrics),
        )

    def _websocket(self, server: Server) -> WebSocketTurns:
        limits = SocketLimits(
            lanes=LaneLimits(bytes=server.max_body),
            history=server.websocket_history,
            idle=server.websocket_idle,
            silence=server.keep_alive_comment,
        )
        behind = (self.relay, self.keys, self.readiness)
        return WebSocketTurns(*behind, limits, is_offered=server.websocket)

    def _relay(self, settings: Settings, *, keeps: bool) -> Relay:
        ledger = self.pool.ledger
        replays = settings.sessions.replay_after_created
        policy = Policy(ledger.holds, replays, continues=ledger.continues, price=self._price)
        return Relay(
            self.routing,
            policy,
            Accounting(self.metrics, keep=self._keep if keeps else None),
            self.limits,
            Candidates(policy, self.limits, self.states),
        )

    def _context(self, settings: Settings) -> ProvisionContext:
        sessions = settings.sessions
        heartbeat = Heartbeat(sessions.ping_interval, sessions.pong_timeout)
        return ProvisionContext(
            self.pool, _timeouts(settings), heartbeat, self._count_dial, self.states
        )

    def _count_dial(self, endpoint: str, result: str) -> None:
        self.metrics.dials[self.reconciler.names.get(endpoint, ""), result] += 1

    def _gauges(self) -> Gauges:
        return Gauges(
            self._connections, self._evictions, self._turn_log, lambda: self.readiness.guests
        )

    def _connections(self) -> Iterator[tuple[str, str]]:
        for entry in self.pool.ledger.entries():
            endpoint = entry.key.endpoint if entry.key else ""
            yield self.reconciler.names.get(endpoint, ""), entry.state.value

    def _evictions(self) -> Iterator[tuple[str, str, int]]:
        for (endpoint, reason), number in sorted(self.pool.ledger.departures.items()):
            yield self.reconciler.names.get(endpoint, ""), reason.value, number

    def _turn_log(self) -> tuple[int, int]:
        log = self._control.log if self._control else None
        return (log.waiting, log.dropped) if log else (0, 0)

    def _price(self, usage: Usage, *models: str) -> int | None:
        return self._control.prices.cost(usage, *models) if self._control else None

    def _keep(self, record: TurnRecord, seconds: float) -> None:
        if self._control is not None:
            self._control.recorder.keep(record, seconds)

    async def _serve_admin(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the admin API, which its first request loads."""
        if self._control is None:
            raise HTTPException(404, "This gateway runs without a store.")
        if self._admin is None:
            self._admin = await self._control.admin(insecure_cookies=self._insecure_cookies)
        await self._admin(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.pool.start()
        if self.grace is not None:
            drain_in_a_worker(self.readiness, self.grace)
        with reloading_on_signal(self.reconciler.request_reload):
            async with self._open():
                yield
        await self.reconciler.close()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        async with (
            serving_sessions(self.port, self.pool.ledger, lambda: self.reconciler.names),
            self._controlled(),
            self.reconciler.watching(),
        ):
            self.readiness.stage = Stage.READY
            _announce(self.announced_as, self.setup)
            if self._control is not None:
                self._control.begin_upkeep()
            try:
                yield
            finally:
                self.readiness.stage = Stage.DRAINING
                self.pool.close()

    @asynccontextmanager
    async def _controlled(self) -> AsyncIterator[None]:
        """Open the store, where there is one, and let what stands on it run."""
        if self._opens is None:
            yield
            return
        from longwire.server.control import ControlPlane
        from longwire.store.store import now_ms

        store = await self._opens()
        try:
            self.keys.use(store.pepper.digest)
            accounts = LiveAccounts(store.accounts, Issuer(self._registration, now_ms), now_ms)
            async with accounts.running():
                await self.reconciler.begin(store, accounts)
                self._control = ControlPlane(
                    store, self.reconciler, self.pool, self.limits, accounts
                )
                async with self._control.running():
                    yield
        finally:
            await store.close()


class _Reading:
    """Reads what the file declares: first as it was loaded, then anew."""

    def __init__(self, settings: Settings) -> None:
        self._loaded: Settings | None = settings
        self._source = settings.source

    def __call__(self) -> Declared:
        """Return the declarations. Raises `ConfigurationError` for a bad file."""
        loaded, self._loaded = self._loaded, None
        settings = loaded or load(self._source)
        return Declared(
            tuple(channel_of(each) for each in settings.channels),
            tuple(key_of(each) for each in settings.api_keys),
            self._source,
        )


def opening(settings: Settings) -> Opening:
    """Return how to open the store of these settings, when a loop runs."""

    async def opens() -> "Store":
        from longwire.store.store import open_store

        database = settings.database
        secret = Secret(database.secret_key.get_secret_value())
        return await open_store(database.url.get_secret_value(), secret, database.secret_file)

    return opens


def build(settings: Settings, opens: Opening | None = None) -> App:
    """Build the gateway. Raises `ConfigurationError` for what only shows now, such as a CA file."""
    return App(settings, opens)


def from_environment() -> App:
    """Build the gateway in a worker process, which reads the settings for itself."""
    logs.configure()
    prepare_memory()
    settings = load()
    app = build(settings, opening(settings))
    app.port, app.grace = settings.server.port, settings.server.shutdown_grace
    return app


def _timeouts(settings: Settings) -> Timeouts:
    sessions = settings.sessions
    return Timeouts(
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


def serve(settings: Settings, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT, then let turns end; a second signal ends at once.

    Raises `ConfigurationError` when the address cannot be listened on, or the store not be used.
    """
    logs.configure()
    prepare_memory()
    app = build(settings, opening(settings))
    listener = listen(settings.server.host, settings.server.port)
    app.setup = asyncio.run(_prepared(settings))
    if workers > 1:
        _serve_in_processes(settings, workers, listener, app.setup)
        return
    app.announced_as, app.port = url_of(listener), listener.getsockname()[1]
    server = server_of(app, settings)
    stop_on_signals(server, app.readiness, settings.server.shutdown_grace)
    server.run(sockets=[listener])


async def _prepared(settings: Settings) -> Secret | None:
    """Migrate the store, before any process serves from it; return the token of a first start."""
    store = await opening(settings)()
    try:
        return await store.invitations.open_setup()
    finally:
        await store.close()


def server_of(app: App, settings: Settings) -> uvicorn.Server:
    """Return the server for an app; it listens on the sockets it is run with."""
    return uvicorn.Server(_config(app, settings))


def _config(app: App | str, settings: Settings, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop",
        http=HttpProtocol,
        ws=BoundedPongs,
        ws_max_size=settings.server.max_body,
        ws_per_message_deflate=False,
        ws_ping_interval=_PING_INTERVAL,
        ws_ping_timeout=_PONG_TIMEOUT,
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


def _serve_in_processes(
    settings: Settings, workers: int, listener: socket.socket, setup: Secret | None
) -> None:
    _log.warning("several_workers", workers=workers, note="each keeps its own warm connections")
    if settings.source is not None:
        os.environ["LONGWIRE_CONFIG"] = str(settings.source)
    os.environ["LONGWIRE_SERVER__PORT"] = str(listener.getsockname()[1])
    _announce(url_of(listener), setup)
    config = _config("longwire.app:from_environment", settings, workers)
    supervisor = Multiprocess(config, sockets=[listener])
    end_workers_on_signals(supervisor)
    supervisor.run()


def _announce(url: str, setup: Secret | None = None) -> None:
    if url:
        sys.stdout.write(f"Longwire serves {url}\n")
    if setup is not None:
        sys.stdout.write(
            "Nobody can sign in yet. Make the first owner with: longwire users create\n"
            f"or with this token, which works once: {setup.reveal()}\n"
            f"that is, open {url}/setup#{setup.reveal()}\n"
        )
    sys.stdout.flush()
