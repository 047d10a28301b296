"""What stands on the store while the gateway serves: turn log, live feed, retention, admin API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp

from longwire.relay.catalog import Catalog
from longwire.relay.journal import Feed, TurnIds
from longwire.relay.keeping import Keeper
from longwire.relay.pricing import Prices
from longwire.server import local
from longwire.server.errors import problem_of
from longwire.store.retention import keep_swept
from longwire.store.store import Store, now_ms
from longwire.store.turn_log import TurnLog
from longwire.upstream.pool import Pool


class LiveSessions:
    """The live connections of a pool, as the admin API shows and ends them."""

    def __init__(self, pool: Pool, catalog: Catalog) -> None:
        self._pool = pool
        self._catalog = catalog

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per connection."""
        now = asyncio.get_running_loop().time()
        return local.rows(self._pool.ledger, self._catalog.names, now)

    def close(self, connection: int) -> bool:
        """End one, after the turn it may serve; False where there is none such."""
        return self._pool.end(connection)


class ControlPlane:
    """The parts of one gateway that need its store."""

    def __init__(self, store: Store, catalog: Catalog, pool: Pool) -> None:
        self.store = store
        self.catalog = catalog
        self.sessions = LiveSessions(pool, catalog)
        self.feed = Feed()
        self.log = TurnLog(store.turns, store.keys.used)
        self._prices = Prices(now_ms)
        self.keeper = Keeper((self.log, self.feed), TurnIds(now_ms), self._prices, _explain)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the parts run; at the end the log is written out."""
        async with asyncio.TaskGroup() as group:
            retention = self.store.settings.retention
            sweeping = group.create_task(keep_swept(self.store.database, retention, now_ms))
            group.create_task(self.log.run())
            group.create_task(asyncio.to_thread(self._prices.load))
            try:
                yield
            finally:
                sweeping.cancel()
                self.log.close()

    async def admin(self, *, insecure_cookies: bool) -> ASGIApp:
        """Return the admin API; it is loaded now, which takes most of a second of a thread."""
        return await asyncio.to_thread(self._admin, insecure_cookies=insecure_cookies)

    def _admin(self, *, insecure_cookies: bool) -> ASGIApp:
        from longwire.relay.probe import probe
        from longwire.server.admin.administration import Administration
        from longwire.server.admin.app import admin_app

        return admin_app(
            Administration(
                store=self.store,
                refresh=self.catalog.refresh,
                catalog=self.catalog,
                sessions=self.sessions,
                feed=self.feed,
                probe=probe,
                insecure_cookies=insecure_cookies,
            )
        )


def _explain(error: Exception) -> tuple[int, str]:
    problem = problem_of(error)
    return problem.status, problem.code
