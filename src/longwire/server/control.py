"""What stands on the store while the gateway serves: turn log, live feed, retention, admin API."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import isfinite
from typing import Any

from starlette.types import ASGIApp

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.access import Budgets
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.rules.lease import Entry
from longwire.core.rules.limits import NOTHING, Spent, month_begins
from longwire.core.rules.turn import SessionKey
from longwire.logger import structlog
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.accounts.sign_ins import SignIns
from longwire.relay.channels.probe import Probed, probe
from longwire.relay.channels.reconcile import ChannelReconciler
from longwire.relay.limits import LocalLimits
from longwire.relay.records.journal import Feed, Recent, TurnIds
from longwire.relay.records.pricing import Prices
from longwire.relay.records.turn_record import TurnRecorder
from longwire.server import local, oauth_callback
from longwire.server.problems import problem_of
from longwire.store.retention import keep_swept
from longwire.store.store import Store, now_ms
from longwire.store.turn_log import TurnLog
from longwire.store.usage import DAY
from longwire.upstream.websocket.pool import Pool

_log = structlog.get_logger()
_COUNTED_EVERY = 30.0


class LiveSessions:
    """The live connections of a pool, as the admin API shows and ends them."""

    def __init__(self, pool: Pool, reconciler: ChannelReconciler, recent: Recent) -> None:
        self._pool = pool
        self._reconciler = reconciler
        self._recent = recent

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per connection, with what it can live, who waits, and its last turns."""
        now, waiting = asyncio.get_running_loop().time(), self._pool.waiting()
        return [self._row(entry, now, waiting) for entry in self._pool.ledger.entries()]

    def _row(self, entry: Entry, now: float, waiting: Counter[SessionKey | None]) -> dict[str, Any]:
        lifetime = entry.expires_at - entry.born
        return local.row(entry, self._reconciler.names, now) | {
            "channel_id": entry.key.endpoint.rpartition("@")[0] if entry.key else "",
            "lifetime": round(lifetime, 1) if isfinite(lifetime) else None,
            "waiting": waiting[entry.key] if entry.key else 0,
            "recent": self._recent.of(entry.id),
        }

    def close(self, connection: int) -> bool:
        """End one, after the turn it may serve; False where there is none such."""
        return self._pool.end(connection)


class ControlPlane:
    """The parts of one gateway that need its store."""

    def __init__(
        self,
        store: Store,
        reconciler: ChannelReconciler,
        pool: Pool,
        limits: LocalLimits,
        accounts: LiveAccounts,
    ) -> None:
        self.store = store
        self.accounts = accounts
        self.sign_ins = SignIns(
            store.accounts, accounts.issuer, now_ms, reconciler.refresh, oauth_callback.listen
        )
        self.reconciler = reconciler
        self._limits = limits
        self._serves = asyncio.Event()
        recent = Recent()
        self.sessions = LiveSessions(pool, reconciler, recent)
        self.feed = Feed()
        self.log = TurnLog(store.turns, store.keys.used)
        self.prices = Prices(now_ms)
        self.recorder = TurnRecorder(
            (self.log, self.feed, recent), TurnIds(now_ms), self.prices, _explain
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the parts run; at the end the log is written out."""
        async with asyncio.TaskGroup() as group, self.sign_ins.running():
            upkeep = group.create_task(self._keep_up())
            counting = group.create_task(self._keep_counted())
            group.create_task(self.log.run())
            try:
                yield
            finally:
                upkeep.cancel()
                counting.cancel()
                self.log.close()

    def begin_upkeep(self) -> None:
        """Begin what can wait until the gateway serves."""
        self._serves.set()

    async def _keep_up(self) -> None:
        await self._serves.wait()
        await asyncio.to_thread(self.prices.load)
        await keep_swept(self.store.database, self.store.settings.retention, now_ms)

    async def _keep_counted(self) -> None:
        """Take over, now and then, what the budgets of keys are spent in all processes."""
        while True:
            try:
                await self._count_spent()
            except StoreUnavailable as error:
                _log.warning("budgets_wait", error=error.reason)
            await asyncio.sleep(_COUNTED_EVERY)

    async def _count_spent(self) -> None:
        keys = [each for each in await self.store.keys.all() if each.grant.budgets != Budgets()]
        if not keys:
            return
        now = now_ms()
        today = await self._spent_since(now - now % DAY, now)
        month = await self._spent_since(month_begins(now), now)
        for key in keys:
            spent = today.get(key.id, NOTHING), month.get(key.id, NOTHING)
            self._limits.set_spent(f"key:{key.id}", *spent)

    async def _spent_since(self, since: int, now: int) -> dict[str, Spent]:
        """Return what keys spent, by their ids."""
        spent: dict[str, Spent] = {}
        for point in await self.store.usage.series("key", since, now + DAY):
            before, sums = spent.get(point.name, NOTHING), point.sums
            tokens = before.tokens + sums.input_tokens + sums.output_tokens
            spent[point.name] = Spent(tokens, before.cost + sums.cost)
        return spent

    async def _probe(self, spec: ChannelSpec, model: str | None) -> Probed:
        """Try a channel, for an account where it has one."""
        return await probe(spec, model, account=self.accounts.of(spec.id))

    async def admin(self, *, insecure_cookies: bool) -> ASGIApp:
        """Return the admin API; it is loaded now, which takes most of a second of a thread."""
        return await asyncio.to_thread(self._admin, insecure_cookies=insecure_cookies)

    def _admin(self, *, insecure_cookies: bool) -> ASGIApp:
        from longwire.server.admin.administration import Administration
        from longwire.server.admin.app import admin_app

        return admin_app(
            Administration(
                store=self.store,
                refresh=self.reconciler.refresh,
                reconciler=self.reconciler,
                sessions=self.sessions,
                feed=self.feed,
                probe=self._probe,
                give_way=self.log.give_way,
                accounts=self.accounts,
                sign_ins=self.sign_ins,
                price=self.prices.cost,
                running=self.reconciler.running,
                insecure_cookies=insecure_cookies,
            )
        )


def _explain(error: Exception) -> tuple[int, str, str]:
    problem = problem_of(error)
    return problem.status, problem.code, problem.message
