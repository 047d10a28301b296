"""Sends what is due to its destinations, again and again where that may help.

Law: each attempt is claimed in the database first, so that of several nodes one makes it; what a
crash leaves is sent after it. A destination that is away holds up no other one.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import Final

from longwire.core.errors import ConfigurationError, StoreUnavailable
from longwire.core.nouns.alert import AlertEvent
from longwire.core.nouns.delivery import (
    Delivery,
    DeliveryStatus,
    Message,
    Sent,
    wait_before_next,
)
from longwire.core.nouns.destination import AlertDestination
from longwire.logger import structlog
from longwire.server.alerts.messages import test_message
from longwire.store.alerts import Alerts
from longwire.store.secrets import new_id
from longwire.upstream.notices.send import send

_log = structlog.get_logger()
_SECOND: Final = 1_000
_MOST_UNKEPT: Final = 100
_GONE: Final = Sent("the destination is there no more")
Destinations = Callable[[], Awaitable[Sequence[AlertDestination]]]


@dataclass(slots=True)
class _Unkept:
    """A delivery that no database keeps, since it was away."""

    delivery: Delivery
    destination: AlertDestination


class Deliveries:
    """The deliveries of one database, looked for every `pause` seconds; `results` counts them."""

    def __init__(
        self,
        alerts: Alerts,
        destinations: Destinations,
        clock: Callable[[], int],
        pause: float = 5.0,
    ) -> None:
        self.results: Counter[str] = Counter()
        self._alerts = alerts
        self._destinations = destinations
        self._clock = clock
        self._pause = pause
        self._some = asyncio.Event()
        self._unkept: list[_Unkept] = []

    def send_soon(self) -> None:
        """Look for what is due now rather than later."""
        self._some.set()

    def send_unkept(self, message: Message, event: AlertEvent, to: AlertDestination) -> None:
        """Send a message while the database is away; beyond so many the oldest is given up."""
        now = self._clock()
        delivery = Delivery(
            *(new_id("msg"), None, to.id, to.name, event, message), created_at=now, next_at=now
        )
        self._unkept = [*self._unkept, _Unkept(delivery, to)][-_MOST_UNKEPT:]
        self.send_soon()

    async def keep_sending(self) -> None:
        """Send what is due, until cancelled; a database that is away is asked again."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._some.wait()
            self._some.clear()
            try:
                await self._send_unkept()
                await self.send_due()
            except (StoreUnavailable, ConfigurationError) as error:
                _log.warning("alert_deliveries_wait", error=getattr(error, "reason", str(error)))

    async def send_due(self) -> None:
        """Send what is due. Raises `StoreUnavailable`."""
        due = await self._alerts.claim_due(self._clock())
        if not due:
            return
        known = {each.id: each for each in await self._destinations() if each.enabled}
        async with asyncio.TaskGroup() as group:
            for delivery in due:
                group.create_task(self._send_kept(delivery, known.get(delivery.destination_id)))

    async def test(self, destination: AlertDestination) -> Delivery:
        """Send a test once, and return what came of it. Raises `StoreUnavailable`."""
        now = self._clock()
        delivery = Delivery(
            *(new_id("msg"), None, destination.id, destination.name),
            AlertEvent.TEST,
            test_message(now),
            created_at=now,
        )
        sent = await send(destination, delivery, now / _SECOND)
        ended = self._after(delivery, replace(sent, may_succeed_later=False))
        await self._alerts.add(ended)
        return ended

    async def _send_kept(self, delivery: Delivery, destination: AlertDestination | None) -> None:
        sent = _GONE
        if destination is not None:
            sent = await send(destination, delivery, self._clock() / _SECOND)
        await self._alerts.settle(self._after(delivery, sent))

    async def _send_unkept(self) -> None:
        now = self._clock()
        for each in [each for each in self._unkept if (each.delivery.next_at or 0) <= now]:
            sent = await send(each.destination, each.delivery, now / _SECOND)
            each.delivery = self._after(each.delivery, sent)
        self._unkept = [each for each in self._unkept if each.delivery.ended_at is None]

    def _after(self, delivery: Delivery, sent: Sent) -> Delivery:
        """Return a delivery after an attempt, and count what came of it."""
        now, attempts = self._clock(), delivery.attempts + 1
        wait = wait_before_next(attempts, sent, SystemRandom().random())
        after = replace(delivery, attempts=attempts, answer=sent.answer)
        if not sent.is_delivered and wait is not None:
            self.results["retried"] += 1
            return replace(after, next_at=now + round(wait * _SECOND))
        status = DeliveryStatus.DELIVERED if sent.is_delivered else DeliveryStatus.FAILED
        self.results[status.value] += 1
        if not sent.is_delivered:
            about = {"destination": delivery.destination_name, "answer": sent.answer}
            _log.warning("alert_not_delivered", **about)
        return replace(after, status=status, next_at=None, ended_at=now)
