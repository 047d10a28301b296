"""What fired and what is sent of it.

Law: what rules see, what fires of it and what is to be sent are one transaction, and of several
nodes one at a time steps; so each alert is told once, and nothing that fired is lost by a crash.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Row, and_, delete, func, insert, select, update

from longwire.core.nouns.alert import (
    AlertEvent,
    AlertRule,
    AlertState,
    Fact,
    Notice,
    Watched,
)
from longwire.core.nouns.delivery import Alert, Delivery, DeliveryStatus, Message
from longwire.core.nouns.destination import AlertDestination
from longwire.core.nouns.page import Page
from longwire.core.rules.alerts import informed, watch
from longwire.store.alert_tables import alert_deliveries, alerts
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.jobs import ALERTS
from longwire.store.paging import Order, Window
from longwire.store.rows import columns_of, value_of
from longwire.store.secrets import new_id
from longwire.store.tables import jobs

KEPT_MS: Final = 90 * 86_400_000
"""So long alerts that are over stay in the history."""

AT_ONCE: Final = 4
"""So many deliveries to one destination are under way at most."""

_CLAIM_MS: Final = 120_000
_LOOKED_AT: Final = 50
_ORDER: Final = Order((alerts.c.fired_at, alerts.c.id), is_descending=True)
Say = Callable[[str, AlertRule, Notice], Message]
"""Says, of the alert with an id, what is told of it."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at everything found: the facts by the id of each rule, and whom to inform."""

    rules: Sequence[AlertRule]
    facts: Mapping[str, Sequence[Fact]]
    destinations: Sequence[AlertDestination]


class Alerts:
    """The alerts of one database, and their deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def step(self, look: Look, say: Say, now: int) -> dict[str, int]:
        """Go on to what a look found, and return how many alerts are open by name of their rule.

        A rule without facts, since they could not be had, stays as it is; alerts of a rule that is
        there no more are over, and nobody is told.
        """
        async with self._database.write() as connection:
            await connection.execute(
                select(jobs.c.due_at).where(jobs.c.name == ALERTS).with_for_update()
            )
            await _end_others(connection, [rule.id for rule in look.rules], now)
            lasting = await _lasting(connection)
            for rule in look.rules:
                if rule.id in look.facts:
                    stepping = _Stepping(connection, rule, look, say, now)
                    await stepping.go(lasting.get(rule.id, {}))
            return await _open_counts(connection)

    async def page(
        self, *, first: int = 50, after: str | None = None, only_open: bool = False
    ) -> Page[Alert]:
        """Return alerts with their deliveries, the newest first.

        Raises `InvalidFields` for a cursor that is none.
        """
        query = select(alerts).where(alerts.c.fired_at.is_not(None))
        if only_open:
            query = query.where(alerts.c.until.is_(None))
        page = await _ORDER.read(self._database, query, Window(first, after), _alert)
        found = await self._deliveries([alert.id for alert in page.items])
        return replace(
            page,
            edges=tuple(
                (cursor, replace(alert, deliveries=tuple(found.get(alert.id, ()))))
                for cursor, alert in page.edges
            ),
        )

    async def count_open(self) -> int:
        """Return how many alerts are open."""
        query = select(func.count()).where(alerts.c.until.is_(None), alerts.c.fired_at.is_not(None))
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def claim_due(
        self, now: int, under_way: Mapping[str, int] = MappingProxyType({})
    ) -> tuple[Delivery, ...]:
        """Return deliveries that are due, which nobody else gets for two minutes.

        They are none of destinations to which as many as may be are `under_way` with them.
        """
        columns, room = alert_deliveries.c, Counter(under_way)
        full = [each for each, number in room.items() if number >= AT_ONCE]
        query = (
            select(alert_deliveries)
            .where(columns.next_at <= now, columns.destination_id.not_in(full))
            .order_by(columns.next_at)
            .limit(_LOOKED_AT)
        )
        async with self._database.read() as connection:
            due = [_delivery(row) for row in (await connection.execute(query)).all()]
        wanted = []
        for each in due:
            room[each.destination_id] += 1
            if room[each.destination_id] <= AT_ONCE:
                wanted.append(each)
        if not wanted:
            return ()
        async with self._database.write() as connection:
            return tuple([each for each in wanted if await _claimed(connection, each, now)])

    async def settle(self, delivery: Delivery) -> None:
        """Keep what became of an attempt."""
        mine = alert_deliveries.c.id == delivery.id
        names = ("status", "attempts", "next_at", "ended_at", "answer")
        values = {name: getattr(delivery, name) for name in names}
        async with self._database.write() as connection:
            await connection.execute(update(alert_deliveries).where(mine).values(values))

    async def add(self, delivery: Delivery) -> None:
        """Keep a delivery that was made already, such as a test."""
        async with self._database.write() as connection:
            await connection.execute(insert(alert_deliveries).values(_columns(delivery)))

    async def _deliveries(self, ids: Sequence[str]) -> dict[str, list[Delivery]]:
        query = (
            select(alert_deliveries)
            .where(alert_deliveries.c.alert_id.in_(ids))
            .order_by(alert_deliveries.c.created_at, alert_deliveries.c.id)
        )
        found: dict[str, list[Delivery]] = {}
        if ids:
            async with self._database.read() as connection:
                for row in (await connection.execute(query)).all():
                    found.setdefault(row.alert_id, []).append(_delivery(row))
        return found


@dataclass(frozen=True, slots=True)
class _Stepping:
    """One rule goes on, within a transaction."""

    connection: AsyncConnection
    rule: AlertRule
    look: Look
    say: Say
    now: int

    async def go(self, before: Mapping[str, tuple[str, AlertState]]) -> None:
        """Write what becomes of the alerts that last, by subject with their ids."""
        states = {subject: state for subject, (_, state) in before.items()}
        ids = {subject: alert_id for subject, (alert_id, _) in before.items()}
        step = watch(self.rule, self.look.facts[self.rule.id], states, self.now)
        held = {state.subject for state in step.states}
        for state in step.states:
            if state.subject not in ids:
                ids[state.subject] = await self._begin(state)
            elif state != states[state.subject]:
                mine = alerts.c.id == ids[state.subject]
                await self.connection.execute(
                    update(alerts).where(mine).values(columns_of(state, "subject", "since"))
                )
        for subject in states.keys() - held:
            await self._end(ids[subject], states[subject])
        for notice in step.notices:
            await self._inform(ids[notice.state.subject], notice)

    async def _begin(self, state: AlertState) -> str:
        alert_id = new_id("alt")
        rule = self.rule
        own = {"id": alert_id, "rule_id": rule.id, "rule_name": rule.name}
        kind = {"watched": rule.watched, "threshold": rule.threshold}
        await self.connection.execute(insert(alerts).values(**own, **kind, **columns_of(state)))
        return alert_id

    async def _end(self, alert_id: str, state: AlertState) -> None:
        mine = alerts.c.id == alert_id
        if state.fired_at is None:
            await self.connection.execute(delete(alerts).where(mine))
        else:
            await self.connection.execute(update(alerts).where(mine).values(until=self.now))

    async def _inform(self, alert_id: str, notice: Notice) -> None:
        message = self.say(alert_id, self.rule, notice)
        rows = [
            _columns(
                Delivery(
                    new_id("msg"),
                    alert_id,
                    each.id,
                    each.name,
                    notice.event,
                    message,
                    created_at=self.now,
                    next_at=self.now,
                )
            )
            for each in informed(self.rule, self.look.destinations)
        ]
        if rows:
            await self.connection.execute(insert(alert_deliveries), rows)


async def sweep_alerts(database: Database, now: int) -> None:
    """Delete alerts that were over long ago, with their deliveries, and tests."""
    end = now - KEPT_MS
    is_test = alert_deliveries.c.alert_id.is_(None)
    async with database.write() as connection:
        await connection.execute(delete(alerts).where(alerts.c.until < end))
        old = delete(alert_deliveries).where(is_test, alert_deliveries.c.created_at < end)
        await connection.execute(old)


async def _end_others(connection: AsyncConnection, rule_ids: Sequence[str], now: int) -> None:
    others = and_(alerts.c.until.is_(None), alerts.c.rule_id.not_in(rule_ids))
    await connection.execute(delete(alerts).where(others, alerts.c.fired_at.is_(None)))
    await connection.execute(update(alerts).where(others).values(until=now))


async def _lasting(connection: AsyncConnection) -> dict[str, dict[str, tuple[str, AlertState]]]:
    """Return the states that last, each with the id of its alert, by rule and subject."""
    rows = (await connection.execute(select(alerts).where(alerts.c.until.is_(None)))).all()
    found: dict[str, dict[str, tuple[str, AlertState]]] = {}
    for row in rows:
        state = value_of(AlertState, row)
        found.setdefault(row.rule_id, {})[row.subject] = (row.id, state)
    return found


async def _open_counts(connection: AsyncConnection) -> dict[str, int]:
    query = (
        select(alerts.c.rule_name, func.count())
        .where(alerts.c.until.is_(None), alerts.c.fired_at.is_not(None))
        .group_by(alerts.c.rule_name)
    )
    return {str(name): int(count) for name, count in (await connection.execute(query)).all()}


async def _claimed(connection: AsyncConnection, delivery: Delivery, now: int) -> bool:
    is_free = alert_deliveries.c.next_at == delivery.next_at
    mine = update(alert_deliveries).where(alert_deliveries.c.id == delivery.id, is_free)
    return (await connection.execute(mine.values(next_at=now + _CLAIM_MS))).rowcount == 1


def _columns(delivery: Delivery) -> dict[str, Any]:
    return {**columns_of(delivery, "message"), "message": asdict(delivery.message)}


def _delivery(row: Row[Any]) -> Delivery:
    return value_of(
        Delivery,
        row,
        event=AlertEvent(row.event),
        message=Message(**row.message),
        status=DeliveryStatus(row.status),
    )


def _alert(row: Row[Any]) -> Alert:
    return value_of(Alert, row, watched=Watched(row.watched), deliveries=())
