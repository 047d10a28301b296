"""Alert rules."""

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from longwire.core.errors import refuse
from longwire.core.nouns.access import Actor
from longwire.core.nouns.alert import AlertRule, Watched, check_alert_rule, settled
from longwire.store.alert_tables import alert_rules
from longwire.store.changes import ChangeLog, check_revision, unique
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.rows import columns_of, held_row, value_of
from longwire.store.secrets import new_id

_NOUN = "alert rule"


class AlertRules:
    """The alert rules of one database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._changes: ChangeLog[AlertRule] = ChangeLog(
            "alert-rule", clock, attrgetter("name"), reloads=False
        )

    async def all(self) -> tuple[AlertRule, ...]:
        """Return every rule, by name."""
        async with self._database.read() as connection:
            rows = (
                await connection.execute(select(alert_rules).order_by(alert_rules.c.name))
            ).all()
        return tuple(_rule(row) for row in rows)

    async def get(self, rule_id: str) -> AlertRule:
        """Return a rule. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await _held(connection, rule_id)

    async def create(self, rule: AlertRule, actor: Actor) -> AlertRule:
        """Add a rule and return it with its id.

        Raises `InvalidFields`, and `Conflict` for a name that is taken.
        """
        refuse(check_alert_rule(rule := settled(rule)))
        created = replace(rule, id=new_id("alr"), created_at=self._clock(), revision=1)
        with unique(_NOUN, rule.name):
            async with self._database.write() as connection:
                await connection.execute(insert(alert_rules).values(_columns(created)))
                await self._changes.note(connection, actor, "create", (None, created))
        return created

    async def update(self, rule: AlertRule, actor: Actor) -> AlertRule:
        """Replace a rule, whose revision is the one seen.

        Raises `InvalidFields`, `NotFound` and `Conflict`; then nothing has changed.
        """
        refuse(check_alert_rule(rule := settled(rule)))
        mine = alert_rules.c.id == rule.id
        with unique(_NOUN, rule.name):
            async with self._database.write() as connection:
                held = await _held(connection, rule.id)
                check_revision(_NOUN, held.name, held.revision, rule.revision)
                changed = replace(rule, created_at=held.created_at, revision=held.revision + 1)
                await connection.execute(update(alert_rules).where(mine).values(_columns(changed)))
                await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def delete(self, rule_id: str, revision: int, actor: Actor) -> None:
        """Delete a rule; what it alerted stays in the history.

        Raises `NotFound` and `Conflict`.
        """
        async with self._database.write() as connection:
            held = await _held(connection, rule_id)
            check_revision(_NOUN, held.name, held.revision, revision)
            await connection.execute(delete(alert_rules).where(alert_rules.c.id == rule_id))
            await self._changes.note(connection, actor, "delete", (held, None))


async def _held(connection: AsyncConnection, rule_id: str) -> AlertRule:
    return _rule(await held_row(connection, alert_rules, _NOUN, rule_id))


def _columns(rule: AlertRule) -> dict[str, Any]:
    return columns_of(rule, "is_declared")


def _rule(row: Row[Any]) -> AlertRule:
    return value_of(
        AlertRule,
        row,
        watched=Watched(row.watched),
        destinations=tuple(row.destinations),
        is_declared=False,
    )
