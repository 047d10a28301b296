"""Who changed what, and when. Rows are only ever added, in the transaction of the change itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, insert, select

from longwire.core.nouns.access import Actor
from longwire.core.nouns.page import Page
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.overrides import without_header_values
from longwire.store.paging import Order, Window
from longwire.store.tables import audit


@dataclass(frozen=True, slots=True)
class Noun:
    """What was changed: its kind, such as `channel`, its id and its name."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change: `changes` maps fields to old and new value. `at` in ms since 1970 UTC."""

    id: int
    at: int
    actor: Actor
    action: str
    noun: Noun
    changes: Mapping[str, Any]


_ORDER: Final = Order((audit.c.id,), is_descending=True)


class Audit:
    """The audit log of one database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def note(self, actor: Actor, action: str, noun: Noun) -> None:
        """Note what somebody did that changed no row."""
        async with self._database.write() as connection:
            await record(connection, self._clock(), actor, action, noun, {})

    async def page(
        self, *, first: int = 50, after: str | None = None, kind: str = ""
    ) -> Page[AuditRow]:
        """Return changes, newest first, of one kind of noun or of all.

        Raises `InvalidFields` for a cursor that is none.
        """
        query = select(audit)
        if kind:
            query = query.where(audit.c.noun == kind)
        return await _ORDER.read(self._database, query, Window(first, after), _value)


async def record(
    connection: AsyncConnection,
    at: int,
    actor: Actor,
    action: str,
    noun: Noun,
    changes: Mapping[str, Any],
) -> None:
    """Add a row in the transaction of the change."""
    await connection.execute(
        insert(audit).values(
            at=at,
            actor_id=actor.id,
            actor_name=actor.name,
            address=actor.address,
            action=action,
            noun=noun.kind,
            noun_id=noun.id,
            noun_name=noun.name,
            changes=dict(changes),
        )
    )


def _value(row: Row[Any]) -> AuditRow:
    return AuditRow(
        row.id,
        row.at,
        Actor(row.actor_id, row.actor_name, row.address),
        row.action,
        Noun(row.noun, row.noun_id, row.noun_name),
        _changes(row),
    )


def _changes(row: Row[Any]) -> Mapping[str, Any]:
    """Return what was changed, without the values of headers that rows of before may have."""
    if row.noun != "channel" or "overrides" not in row.changes:
        return dict(row.changes)
    overrides = [without_header_values(each) for each in row.changes["overrides"]]
    return {**row.changes, "overrides": overrides}
