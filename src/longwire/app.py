"""The composition root: everything is built here once, by constructor."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from secrets import token_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from longwire.core.nouns.access import digest_with
from longwire.core.nouns.price import PriceFinder
from longwire.core.nouns.secret import Secret
from longwire.core.rules.lanes import LaneLimits
from longwire.core.rules.lease import PoolLimits
from longwire.core.rules.turn import Usage
from longwire.fleet.fleet import Fleet, alone, import_joined
from longwire.logger import structlog
from longwire.relay.channels.channel import RoutingTable, Snapshot
from longwire.relay.channels.cooling import CoolDowns
from longwire.relay.channels.listings import Listings
from longwire.relay.channels.moves import Moves
from longwire.relay.channels.offered import OfferedModels
from longwire.relay.channels.provision import ProvisionContext
from longwire.relay.channels.reconcile import ChannelReconciler, Declared
from longwire.relay.homes import LocalHomes
from longwire.relay.records.accounting import Accounting, TurnRecord
from longwire.relay.records.journal import Recent
from longwire.relay.records.metrics import Gauges, Metrics, TurnRate
from longwire.relay.turns.candidates import Candidates, Policy
from longwire.relay.turns.holders import Holders
from longwire.relay.turns.running import Relay
from longwire.server.asgi import Mounts, application
from longwire.server.auth import Keys
from longwire.server.control import (
    ControlPlane,
    Gateway,
    NoControlPlane,
    Opening,
    SignOnSettings,
    controlling,
)
from longwire.server.cors import Cors
from longwire.server.data.client_socket import SocketLimits
from longwire.server.data.codex_side import CodexSide
from longwire.server.data.lane_turns import SocketContext
from longwire.server.data.models import Models
from longwire.server.data.passed import PassedTurns
from longwire.server.data.stored import StoredResponses
from longwire.server.data.turns import HttpLimits, HttpTurns
from longwire.server.data.upgrade import WebSocketTurns
from longwire.server.health import Probes, Readiness, Stage
from longwire.server.http.arrival import ArrivalLimits
from longwire.server.http.forwarded import behind
from longwire.server.live_sessions import AboutConnections
from longwire.server.ui import Pages
from longwire.settings import Settings, load
from longwire.settings.alerts import destination_of, rule_of
from longwire.settings.declared import budgets_of, channel_of, key_of, registration_of
from longwire.settings.keys import Server
from longwire.settings.oidc import single_sign_on_of
from longwire.store.database import PoolSize
from longwire.store.store import open_store
from longwire.store.turn_log import Measures
from longwire.upstream.ports import Timeouts
from longwire.upstream.websocket.keepalive import Heartbeat
from longwire.upstream.websocket.pool import Pool, PoolTimes

_log = structlog.get_logger()


class App:
    """The gateway as an ASGI application, with `turns` past ASGI.

    Its server enters `lifespan`; a process puts what is its own around `running`. Without `opens`
    the gateway keeps nothing; of each limit it admits one of `parts`. Raises `ConfigurationError`
    for what only shows now, such as a CA file.
    """

    def __init__(self, settings: Settings, opens: Opening | None = None, parts: int = 1) -> None:
        self.lifespan: Callable[[], AbstractAsyncContextManager[None]] = self.running
        self.readiness = Readiness()
        self.control: ControlPlane = NoControlPlane()  # until `running` opens the store
        self.pool = _pool(settings)
        self.metrics = Metrics(self._gauges())
        self._rate = TurnRate()
        self.fleet = _fleet(settings, parts)
        self.limits = self.fleet.limits
        if self.fleet.nodes.is_shared:
            moves = Moves(self.pool, self.fleet.tidings, settings.sessions.max_lifetime)
            self.pool.on_dial = moves.claim
        self.homes = LocalHomes(shared=self.fleet.homes)
        self.listings = Listings()
        self.routing = RoutingTable(Snapshot({}, settings.sessions.session_headers))
        self.offered = OfferedModels(lambda: self.routing.snapshot, self.listings)
        self.relay = self._relay(settings)
        self.keys = Keys(
            digest_with(token_bytes()),
            admits_anonymous=settings.server.allow_anonymous,
            origins=settings.server.cors_origins,
        )
        self.about_connections = AboutConnections(self.keys, Recent())
        self.cool_downs = CoolDowns(self.fleet.tidings, self.routing)
        self.reconciler = ChannelReconciler(
            self.routing,
            self._context(settings),
            _Reading(settings),
            self.keys.hand_out,
            self.fleet.tidings,
        )
        server, cors = settings.server, Cors(settings.server.cors_origins)
        self.turns = HttpTurns(self.relay, self.keys, self.readiness, _http_limits(server), cors)
        self.sockets = self._websocket(server)
        self._opens_control = self._control_plane(settings, opens)
        self._asgi: ASGIApp = application(self._mounts(server), lambda _: self.lifespan(), cors)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection or the lifespan."""
        return self._asgi(scope, receive, send)

    def _mounts(self, server: Server) -> Mounts:
        holders = Holders(self.routing, self.homes)
        return Mounts(
            websocket=self.sockets,
            admin=behind(server.proxy_networks, self._serve_admin),
            pages=Pages(base_path=server.base_path),
            models=Models(self.keys, self.offered, self.listings),
            stored=StoredResponses(self.keys, self.readiness, self.limits, holders),
            passed=PassedTurns(self.relay, self.keys, self.readiness, server.max_body),
            side=CodexSide(self.keys, lambda: self.routing.snapshot),
            probes=Probes(self.readiness, self.metrics, self.fleet.nodes.own.name),
        )

    def _websocket(self, server: Server) -> WebSocketTurns:
        limits = SocketLimits(
            lanes=LaneLimits(bytes=server.max_body),
            history=server.websocket_history,
            idle=server.websocket_idle,
            silence=server.keep_alive_comment,
        )
        context = SocketContext(self.relay, self.keys, self.readiness)
        return WebSocketTurns(context, limits, is_offered=server.websocket)

    def _relay(self, settings: Settings) -> Relay:
        ledger = self.pool.ledger
        replays = settings.sessions.replay_after_created
        policy = Policy(
            ledger.holds,
            replays,
            continues=ledger.continues,
            price=self._price,
        )
        return Relay(
            self.routing,
            policy,
            Accounting(self.metrics, keep=self._keep),
            self.limits,
            Candidates(policy, self.limits, self.homes),
        )

    def _context(self, settings: Settings) -> ProvisionContext:
        sessions = settings.sessions
        heartbeat = Heartbeat(sessions.ping_interval, sessions.pong_timeout)
        return ProvisionContext(
            self.pool,
            _timeouts(settings),
            heartbeat,
            self._count_dial,
            paces=self.fleet.paces,
            tell_cooling=self.cool_downs.tell,
        )

    def _count_dial(self, endpoint: str, result: str) -> None:
        self.metrics.dials[self.reconciler.names.get(endpoint, ""), result] += 1

    def _gauges(self) -> Gauges:
        return Gauges(
            self._connections,
            self._evictions,
            lambda: self.control.backlog,
            lambda: self.readiness.guests,
            lambda: (self.fleet.nodes.own.name, self.fleet.nodes.own.version),
            self._counts_limits,
            lambda: self.control.alert_counts,
        )

    def _counts_limits(self) -> str:
        return self.fleet.nodes.now().counts["limits"]

    def _figures(self) -> dict[str, float]:
        served = sum(self.metrics.turns.values())
        return {
            "sessions": len(tuple(self.pool.ledger.entries())),
            "turns_under_way": self.readiness.turns,
            "turns_per_second": self._rate.per_second(served, time.monotonic()),
        }

    def _connections(self) -> Iterator[tuple[str, str]]:
        for entry in self.pool.ledger.entries():
            endpoint = entry.key.endpoint if entry.key else ""
            yield self.reconciler.names.get(endpoint, ""), entry.state.value

    def _evictions(self) -> Iterator[tuple[str, str, int]]:
        for (endpoint, reason), number in sorted(self.pool.ledger.departures.items()):
            yield self.reconciler.names.get(endpoint, ""), reason.value, number

    def _control_plane(
        self, settings: Settings, opens: Opening | None
    ) -> Callable[[], AbstractAsyncContextManager[ControlPlane]]:
        """Return what opens the control plane once the gateway runs."""
        if opens is None:
            return lambda: nullcontext(self.control)
        parts = Gateway(
            self.pool,
            self.limits,
            self.keys,
            self.reconciler,
            self.homes,
            self.fleet,
            self.relay,
            self.offered,
            Measures(interval=settings.database.log_interval),
            settings.sessions.trace_headers,
            self.about_connections,
            settings.alerts.interval,
            _sign_on(settings),
        )
        registration = registration_of(settings.codex)
        return lambda: controlling(
            opens, parts, registration, insecure_cookies=settings.server.insecure_cookies
        )

    def _price(self, usage: Usage, *models: str, **configured: PriceFinder) -> int | None:
        return self.control.price(usage, *models, **configured)

    def _keep(self, record: TurnRecord, seconds: float) -> None:
        self.control.keep(record, seconds)

    async def _serve_admin(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.control.serve_admin(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open what it needs, and take turns until left; then close what is left of them."""
        self.pool.start()
        nodes = self.fleet.nodes
        nodes.stage, nodes.figures = lambda: self.readiness.stage.value, self._figures
        self.readiness.changed = nodes.announce_soon
        async with (
            self.fleet.running(),
            self._opens_control() as self.control,
            self.reconciler.watching(),
            self.listings.running(),
        ):
            _log.info("limits_counted", where=self._counts_limits())
            await self.cool_downs.recall()
            self.readiness.stage = Stage.READY
            self.control.begin_upkeep()
            try:
                yield
            finally:
                self.readiness.stage = Stage.DRAINING
                self.pool.close()
        await self.reconciler.close()


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
            tuple(rule_of(each) for each in settings.alert_rules),
            tuple(destination_of(each) for each in settings.alert_destinations),
            tuple(each.spec for each in settings.models),
            budgets_of(settings),
            settings.calendar.time_zone,
        )


def _sign_on(settings: Settings) -> SignOnSettings | None:
    config, server = single_sign_on_of(settings.oidc), settings.server
    if config is None:
        return None
    return SignOnSettings(config, server.public_url, server.base_path)


def opening(settings: Settings) -> Opening:
    """Return how to open the store of these settings, when a loop runs."""
    database = settings.database
    secret = Secret(database.secret_key.get_secret_value())
    url, pool = database.url.get_secret_value(), PoolSize(database.pool_size, database.max_overflow)
    return partial(open_store, url, secret, database.secret_file, pool=pool)


def _fleet(settings: Settings, parts: int) -> Fleet:
    url, node = settings.fleet.url.get_secret_value(), settings.fleet.node
    if not url:
        return alone(node, parts)
    fleet: Fleet = import_joined().joined(url, node, parts)
    return fleet


def _timeouts(settings: Settings) -> Timeouts:
    sessions = settings.sessions
    return Timeouts(
        connect=sessions.handshake_timeout,
        first_event=sessions.first_event_timeout,
        idle_event=sessions.idle_event_timeout,
        silence=settings.server.keep_alive_comment,
        drain=sessions.drain_timeout if sessions.on_client_gone == "drain" else 0.0,
    )


def _http_limits(server: Server) -> HttpLimits:
    arrival = ArrivalLimits(server.head_timeout, server.body_timeout)
    return HttpLimits(server.max_body, arrival, server.commit_after, server.keep_alive_comment)


def _pool(settings: Settings) -> Pool:
    sessions = settings.sessions
    return Pool(
        PoolLimits(
            sessions.max_connections,
            sessions.max_connections_per_session,
            sessions.idle_ttl,
            may_omit_reasoning=sessions.omitted_reasoning == "continue",
        ),
        PoolTimes(sessions.max_lifetime, sessions.queue_timeout),
    )
