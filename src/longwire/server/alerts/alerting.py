"""All that alerts are made of in one gateway, put together."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from longwire.core.nouns.alert import AlertRule
from longwire.core.nouns.destination import AlertDestination
from longwire.fleet.fleet import Fleet
from longwire.relay.channels.reconcile import ChannelReconciler
from longwire.server.alerts.deliveries import Deliveries
from longwire.server.alerts.facts import Facts
from longwire.server.alerts.figures import NodeFigures
from longwire.server.alerts.watch import AlertWatch
from longwire.server.fleet_health import FleetHealth
from longwire.store.store import Store, now_ms
from longwire.store.turn_log import TurnLog

INTERVAL = 30.0
"""Seconds from one look at the rules to the next."""


class Alerting:
    """The alerts of one gateway; `run` watches and sends until cancelled."""

    def __init__(
        self,
        store: Store,
        reconciler: ChannelReconciler,
        health: FleetHealth,
        fleet: Fleet,
        log: TurnLog,
        interval: float = INTERVAL,
    ) -> None:
        self._store = store
        self._reconciler = reconciler
        figures = NodeFigures(log, _folder_of(store), fleet.asking)
        facts = Facts(store, reconciler, health, figures, fleet.nodes)
        self.deliveries = Deliveries(
            store.alerts, self.destinations, now_ms, min(5.0, interval / 2)
        )
        self._watch = AlertWatch(
            store, self._rules_and_destinations, facts, figures, self.deliveries, interval
        )

    async def rules(self) -> Sequence[AlertRule]:
        """Return the rules of the file, then those of the store. Raises `StoreUnavailable`."""
        return (*self._reconciler.declared.alert_rules, *await self._store.alert_rules.all())

    async def destinations(self) -> Sequence[AlertDestination]:
        """Return the destinations of the file, then those of the store.

        Raises `StoreUnavailable`, and `ConfigurationError` where one cannot be unsealed.
        """
        declared = self._reconciler.declared.alert_destinations
        return (*declared, *await self._store.alert_destinations.all())

    async def _rules_and_destinations(
        self,
    ) -> tuple[Sequence[AlertRule], Sequence[AlertDestination]]:
        return await self.rules(), await self.destinations()

    def open_alerts(self) -> Mapping[str, int]:
        """Return how many alerts are open by rule, at the node that looked last."""
        return self._watch.open_alerts()

    def results(self) -> Mapping[str, int]:
        """Return how many attempts to deliver had which result."""
        return self.deliveries.results

    async def run(self) -> None:
        """Watch and send, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch.keep_watching())
            group.create_task(self.deliveries.keep_sending())


def _folder_of(store: Store) -> Path | None:
    """Return the folder of the database's file, else of the secret key's."""
    place = store.database.path or store.vault.file
    return None if place is None else place.absolute().parent
