"""What a gateway does with its store while it serves: turn log, live feed, retention, admin API.

Law: a gateway without a store has a control plane, too, which keeps nothing and knows no price.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.price import PriceFinder
from longwire.core.nouns.sign_on import SingleSignOn
from longwire.core.ports import Limits
from longwire.core.rules.turn import Usage
from longwire.fleet.fleet import Fleet
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.accounts.issuers import Issuers
from longwire.relay.accounts.kept_sign_ins import KeptSignIns
from longwire.relay.accounts.sign_ins import SignIns
from longwire.relay.channels.offered import OfferedModels
from longwire.relay.channels.probe import Probed, probe
from longwire.relay.channels.reconcile import ChannelReconciler
from longwire.relay.homes import LocalHomes
from longwire.relay.records.accounting import Keep, Price, TurnRecord
from longwire.relay.records.journal import Feed, Journal, TurnIds
from longwire.relay.records.last_failures import LastFailures
from longwire.relay.records.pricing import Prices
from longwire.relay.records.turn_record import Observe, TurnRecorder
from longwire.relay.turns.explained import explain
from longwire.relay.turns.running import Relay
from longwire.server import oauth_callback
from longwire.server.admin.administration import Administration
from longwire.server.alerts.alerting import INTERVAL, Alerting
from longwire.server.auth import Keys
from longwire.server.budgets import SpentBudgets
from longwire.server.fleet_health import FleetHealth
from longwire.server.fleet_sessions import FleetSessions
from longwire.server.fleet_turns import FleetTurns
from longwire.server.live_sessions import AboutConnections, LiveSessions
from longwire.server.nodes_kept import NodesKept
from longwire.server.problems import problem_of
from longwire.store.filled import fill_latencies, fill_reasons
from longwire.store.retention import keep_swept
from longwire.store.store import Store, now_ms
from longwire.store.turn_log import Measures, TurnLog
from longwire.upstream.oauth.issuer import Registration
from longwire.upstream.websocket.pool import Pool

if TYPE_CHECKING:
    from longwire.server.admin.sign_on import SignOn

Opening = Callable[[], Awaitable[Store]]


class NoControlPlane:
    """The control plane of a gateway without a store."""

    costs: Mapping[str, int] = MappingProxyType({})

    @property
    def backlog(self) -> tuple[int, int]:
        """Nothing waits, and nothing is lost."""
        return 0, 0

    @property
    def alert_counts(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Nothing is watched."""
        return {}, {}

    def keep(self, record: TurnRecord, seconds: float) -> None:
        """Keep nothing."""

    def price(self, _usage: Usage, *_models: str, **_configured: PriceFinder) -> None:
        """Know no price."""

    def health(self) -> object:
        """Of channels nothing is looked at."""
        return {}

    def begin_upkeep(self) -> None:
        """Keep up nothing."""

    async def serve_admin(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        """Say that there is no admin API."""
        raise HTTPException(404, "This gateway runs without a store.")


@dataclass(frozen=True, slots=True)
class SignOnSettings:
    """How people sign in by a provider, and where browsers reach the gateway."""

    config: SingleSignOn
    public_url: str = ""
    base_path: str = ""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Parts of a gateway that its control plane shows and changes, and how turns are logged."""

    pool: Pool
    limits: Limits
    keys: Keys
    reconciler: ChannelReconciler
    homes: LocalHomes
    fleet: Fleet
    relay: Relay
    offered: OfferedModels
    log: Measures
    trace_headers: Sequence[str]
    about: AboutConnections
    alert_interval: float = INTERVAL
    sign_on: SignOnSettings | None = None
    observe: Observe | None = None


@asynccontextmanager
async def controlling(
    opens: Opening, gateway: Gateway, registration: Registration, *, insecure_cookies: bool
) -> AsyncIterator["StoredControlPlane"]:
    """Open the store, let the gateway take over what it holds, and let what stands on it run."""
    store = await opens()
    try:
        gateway.keys.use(store.digest)
        issuers = Issuers(registration, now_ms, store.channels)
        accounts = LiveAccounts(store.accounts, issuers, now_ms, gateway.fleet.tidings)
        async with accounts.running():
            await gateway.reconciler.begin(store, accounts)
            await accounts.recall_quotas()
            control = StoredControlPlane(
                store, gateway, accounts, insecure_cookies=insecure_cookies
            )
            async with control.running(), gateway.homes.kept_in(store.homes):
                yield control
    finally:
        await store.close()


class StoredControlPlane:
    """The control plane of a gateway with a store."""

    def __init__(
        self, store: Store, gateway: Gateway, accounts: LiveAccounts, *, insecure_cookies: bool
    ) -> None:
        self._log = TurnLog(store.turns, store.keys.used, gateway.log)
        self._prices = Prices(now_ms)
        feed = Feed()
        journals, failures = (self._log, feed, gateway.about.recent), LastFailures()
        recorder = _recorder(gateway, journals, self._prices, failures)
        self.keep: Keep = recorder.keep
        self.costs: Mapping[str, int] = recorder.costs
        self.price: Price = self._prices.cost
        reconciler, written = gateway.reconciler, self._log.written
        self._budgets = SpentBudgets(store, gateway.limits, reconciler.budgets, written)
        self._nodes = NodesKept(store.database, gateway.fleet.nodes)
        self._is_serving = asyncio.Event()
        self._admin: ASGIApp | None = None
        sessions, health = _of_all_nodes(gateway, failures)
        self.alerting = _alerting(store, gateway, health, self._log)
        self._turns = FleetTurns(feed, gateway.fleet.tidings)
        self._administration = Administration(
            store=store,
            refresh=reconciler.refresh,
            reconciler=reconciler,
            fleet=gateway.fleet,
            sessions=sessions,
            health=health,
            feed=feed,
            probe=_probing(accounts),
            give_way=self._log.give_way,
            accounts=accounts,
            sign_ins=_sign_ins(store, gateway, accounts),
            alerting=self.alerting,
            explain=partial(explain, gateway.relay),
            offered=gateway.offered,
            price=self.price,
            quote=self._prices.quote,
            insecure_cookies=insecure_cookies,
            recount=self._recount,
        )
        self._sign_on = gateway.sign_on

    async def _recount(self) -> None:
        """Count what budgets are spent, with the turns that are not written yet."""
        await self._budgets.recount()
        await self._log.written()
        await self._budgets.recount()

    @property
    def backlog(self) -> tuple[int, int]:
        """How many rows of the turn log are not written yet, and how many were lost."""
        return self._log.waiting, self._log.dropped

    @property
    def alert_counts(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """How many alerts are open by rule, and how many attempts to deliver had which result."""
        return self.alerting.open_alerts(), self.alerting.results()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the parts run; at the end the log is written out."""
        async with asyncio.TaskGroup() as group, self._administration.sign_ins.running():
            upkeep = group.create_task(self._keep_up())
            await self._budgets.recount()  # what was spent before a start stays spent
            await self._nodes.recount()
            group.create_task(self._log.run())
            keeping = [
                group.create_task(self._fill_sums()),
                group.create_task(self._budgets.keep_counted()),
                group.create_task(self._nodes.keep_counted()),
                group.create_task(self._turns.say_who_watches()),
                group.create_task(self._turns.pass_on()),
                group.create_task(self.alerting.run()),
            ]
            try:
                yield
            finally:
                for task in (upkeep, *keeping):
                    task.cancel()
                self._log.close()

    def health(self) -> object:
        """Return how the channels fare that run here, by their ids, as JSON can hold it."""
        return self._administration.health.own()

    def begin_upkeep(self) -> None:
        """Load prices and sweep old turns from now on."""
        self._is_serving.set()

    async def _keep_up(self) -> None:
        await self._is_serving.wait()
        await asyncio.to_thread(self._prices.load)
        store = self._administration.store
        with suppress(StoreUnavailable):  # what is left goes with its bodies
            await store.body_search.forget()
        await keep_swept(store.database, store.settings.retention)

    async def _fill_sums(self) -> None:
        await self._is_serving.wait()
        await fill_reasons(self._administration.store.database)
        await fill_latencies(self._administration.store.database)

    async def serve_admin(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the admin API; its first request loads it, most of a second of a thread."""
        if self._admin is None:
            self._admin = await asyncio.to_thread(self._load_admin)
        await self._admin(scope, receive, send)

    def _load_admin(self) -> ASGIApp:
        from longwire.server.admin.app import admin_app

        return admin_app(replace(self._administration, sign_on=self._by_provider()))

    def _by_provider(self) -> "SignOn | None":
        if self._sign_on is None:
            return None
        from longwire.server.admin.sign_on import PublicUrl, SignOn

        own = self._sign_on
        public_url = PublicUrl(own.public_url, own.base_path)
        return SignOn(own.config, self._administration.store, time.time, public_url)


ControlPlane = NoControlPlane | StoredControlPlane
"""Serving turns needs the same of both."""


def _recorder(
    gateway: Gateway, journals: Sequence[Journal], prices: Prices, failures: LastFailures
) -> TurnRecorder:
    """Return what writes turns that end on this node."""
    about = (gateway.fleet.nodes.own.name, gateway.trace_headers, gateway.observe)
    facts = (journals, TurnIds(now_ms), prices, _explain, *about)
    return TurnRecorder(*facts, note=failures.note)


def _of_all_nodes(gateway: Gateway, failures: LastFailures) -> tuple[FleetSessions, FleetHealth]:
    """Return what shows the sessions of all nodes, and how channels fare there."""
    reconciler, asking = gateway.reconciler, gateway.fleet.asking
    sessions = FleetSessions(LiveSessions(gateway.pool, reconciler, gateway.about), asking)
    return sessions, FleetHealth(
        reconciler.running, lambda: reconciler.running_ids, sessions, asking, failures
    )


def _alerting(store: Store, gateway: Gateway, health: FleetHealth, log: TurnLog) -> Alerting:
    """Return what watches the fleet, and tells who is to know."""
    return Alerting(
        *(store, gateway.reconciler, health, gateway.fleet, log), gateway.alert_interval
    )


def _sign_ins(store: Store, gateway: Gateway, accounts: LiveAccounts) -> SignIns:
    """Return what signs accounts in, begun at one node and finished at any."""
    refresh, nodes = gateway.reconciler.refresh, gateway.fleet.nodes
    sign_ins = SignIns(store.accounts, accounts.issuers, now_ms, refresh, oauth_callback.listen)
    sign_ins.share(KeptSignIns(store.pending_sign_ins, nodes.own.name, nodes.has_gone))
    return sign_ins


def _probing(
    accounts: LiveAccounts,
) -> Callable[[ChannelSpec, str | None, str], Awaitable[Probed]]:
    """Return what tries a channel with a model in an API, for an account where it has one."""
    return lambda spec, model, api: probe(spec, model, account=accounts.of(spec.id), api=api)


def _explain(error: Exception) -> tuple[int, str, str]:
    problem = problem_of(error)
    return problem.status, problem.code, problem.message
