"""Sends what is due to its destinations, again and again where that may help.

Law: each attempt is claimed in the database first, so that of several nodes one makes it; what a
crash leaves is sent after it. A destination that is away or slow holds up no other one: of each so
many are under way at most, and nobody waits for them.
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
from longwire.store.alerts import AT_ONCE, Alerts
from longwire.store.secrets import new_id
from longwire.upstream.notices.send import send

_log = structlog.get_logger()
_SECOND: Final = 1_000
_MOST_UNKEPT: Final = 100
_GONE: Final = Sent("the destination is there no more")
Destinations = Callable[[], Awaitable[Sequence[AlertDestination]]]


@dataclass(slots=True)
class _Unkept:
    """A delivery that no database keeps, since it was away; while it is sent it is due never."""

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
        self._under_way: Counter[str] = Counter()
        self._unkept: list[_Unkept] = []
        self._unsettled: list[Delivery] = []

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
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wait()
                self._begin_unkept(group)
                try:
                    await self.begin_due(group)
                except (StoreUnavailable, ConfigurationError) as error:
                    _waits(error)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause):
                await self._some.wait()
        self._some.clear()

    async def begin_due(self, group: asyncio.TaskGroup) -> None:
        """Begin to send what is due, in tasks of a group that never fail.

        Raises `StoreUnavailable`.
        """
        while self._unsettled:
            await self._alerts.settle(self._unsettled[0])
            del self._unsettled[0]
        while due := await self._alerts.claim_due(self._clock(), self._under_way):
            known = {each.id: each for each in await self._destinations() if each.enabled}
            for delivery in due:
                self._under_way[delivery.destination_id] += 1
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
        after = self._after(delivery, sent)
        _tell(after)
        try:
            await self._alerts.settle(after)
        except StoreUnavailable as error:
            self._unsettled.append(after)
            _waits(error)
        self._under_way[delivery.destination_id] -= 1
        self.send_soon()

    def _begin_unkept(self, group: asyncio.TaskGroup) -> None:
        now = self._clock()
        for each in self._unkept:
            delivery, to = each.delivery, each.destination.id
            is_due = delivery.next_at is not None and delivery.next_at <= now
            if is_due and self._under_way[to] < AT_ONCE:
                self._under_way[to] += 1
                each.delivery = replace(delivery, next_at=None)
                group.create_task(self._send_unkept(each))

    async def _send_unkept(self, each: _Unkept) -> None:
        sent = await send(each.destination, each.delivery, self._clock() / _SECOND)
        each.delivery = self._after(each.delivery, sent)
        _tell(each.delivery)
        self._unkept = [each for each in self._unkept if each.delivery.ended_at is None]
        self._under_way[each.destination.id] -= 1
        self.send_soon()

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
        return replace(after, status=status, next_at=None, ended_at=now)


def _waits(error: StoreUnavailable | ConfigurationError) -> None:
    _log.warning("alert_deliveries_wait", error=getattr(error, "reason", str(error)))


def _tell(delivery: Delivery) -> None:
    if delivery.status is DeliveryStatus.FAILED:
        about = {"destination": delivery.destination_name, "answer": delivery.answer}
        _log.warning("alert_not_delivered", **about)
