"""Looks at all rules now and then: one node of a fleet for all of them.

Law: what a node can know while its database is away, it tells by itself: that the turn log cannot
be written is not kept from anybody because alerts cannot be written, either.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from longwire.core.errors import ConfigurationError, StoreUnavailable
from longwire.core.nouns.alert import AlertRule, AlertState, Notice
from longwire.core.nouns.destination import AlertDestination
from longwire.core.rules.alerts import informed, watch
from longwire.logger import structlog
from longwire.server.alerts.deliveries import Deliveries
from longwire.server.alerts.facts import Facts
from longwire.server.alerts.figures import OF_NODES, NodeFigures
from longwire.server.alerts.messages import message_of
from longwire.store.alerts import Look
from longwire.store.jobs import ALERTS, take
from longwire.store.secrets import new_id
from longwire.store.store import Store, now_ms

_log = structlog.get_logger()
_LOOKS: Final = 3
"""So often a node asks within an interval whether it is its turn."""

Rules = Callable[[], Awaitable[tuple[Sequence[AlertRule], Sequence[AlertDestination]]]]


class AlertWatch:
    """Watches what rules say; `interval` in seconds is from one look to the next."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        facts: Facts,
        figures: NodeFigures,
        deliveries: Deliveries,
        interval: float,
    ) -> None:
        self._store = store
        self._rules = rules
        self._facts = facts
        self._figures = figures
        self._deliveries = deliveries
        self._interval = interval
        self._known: tuple[Sequence[AlertRule], Sequence[AlertDestination]] = ((), ())
        self._unkept: dict[str, dict[str, AlertState]] = {}
        self._counts: Mapping[str, int] = {}
        self._counted_at = float("-inf")

    def open_alerts(self) -> Mapping[str, int]:
        """Return how many alerts are open by rule, at the node that looked last."""
        is_own = time.monotonic() - self._counted_at < 2 * _LOOKS * self._interval
        return self._counts if is_own else {}

    async def keep_watching(self) -> None:
        """Look, until cancelled."""
        while True:
            await asyncio.sleep(self._interval / _LOOKS)
            await self.look()

    async def look(self) -> None:
        """Look, if it is this node's turn, and send what is to be told."""
        await self._figures.measure()
        await self._facts.notice_nodes()
        try:
            self._known = await self._rules()
            now = await take(self._store.database, ALERTS, round(self._interval * 1000))
            if now is not None:
                await self._step(now)
            if self._unkept:
                self._step_unkept(now_ms())
        except StoreUnavailable as error:
            _log.warning("alerts_wait", error=error.reason)
            self._step_unkept(now_ms())
        except ConfigurationError as error:
            _log.warning("alerts_wait", error=str(error))

    async def _step(self, now: int) -> None:
        rules, destinations = self._known
        enabled = [rule for rule in rules if rule.enabled]
        look = Look(enabled, await self._facts.of(enabled, now), destinations)
        self._counts = await self._store.alerts.step(
            look, lambda alert_id, rule, notice: message_of(alert_id, rule, notice, now), now
        )
        self._counted_at = time.monotonic()
        self._deliveries.send_soon()

    def _step_unkept(self, now: int) -> None:
        """Go on with what this node knows of itself, kept nowhere."""
        rules, _ = self._known
        for rule in rules:
            if rule.enabled and rule.watched in OF_NODES:
                before = self._unkept.get(rule.id, {})
                facts = self._figures.own_facts(rule.watched, rule.window)
                step = watch(rule, facts, before, now)
                self._unkept[rule.id] = {state.subject: state for state in step.states}
                for notice in step.notices:
                    self._tell(rule, notice, now)
        self._unkept = {rule_id: states for rule_id, states in self._unkept.items() if states}

    def _tell(self, rule: AlertRule, notice: Notice, now: int) -> None:
        message = message_of(new_id("alt"), rule, notice, now)
        for destination in informed(rule, self._known[1]):
            self._deliveries.send_unkept(message, notice.event, destination)
