"""Settings that are changed while the gateway runs; the others stand in its file."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sqlalchemy import insert, select, update

from longwire.core.errors import refuse
from longwire.core.nouns.access import Actor
from longwire.core.nouns.retention import Retention, check_retention
from longwire.core.rules.calendar import check_zone
from longwire.store.audit import Noun, record
from longwire.store.changes import bump_configuration, check_revision, differences
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.tables import settings

_RETENTION: Final = "retention"
_BUDGETS: Final = "budgets"


class StoredSettings:
    """The settings of one database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def time_zone(self) -> str:
        """Return the zone in which days, weeks and months of budgets begin."""
        query = select(settings.c.value).where(settings.c.name == _BUDGETS)
        async with self._database.read() as connection:
            value = await connection.scalar(query)
        return str(value["time_zone"]) if value else "UTC"

    async def set_time_zone(self, zone: str, actor: Actor) -> None:
        """Let periods of budgets begin in a zone. Raises `InvalidFields` for one there is not."""
        check_zone(zone)
        now, mine = self._clock(), settings.c.name == _BUDGETS
        async with self._database.write() as connection:
            row = (await connection.execute(select(settings).where(mine).with_for_update())).first()
            before = row.value["time_zone"] if row else "UTC"
            if zone == before:
                return
            values = {"value": {"time_zone": zone}, "updated_at": now}
            await connection.execute(
                update(settings).where(mine).values(**values, revision=row.revision + 1)
                if row
                else insert(settings).values(name=_BUDGETS, **values, revision=1)
            )
            noun = Noun("settings", _BUDGETS, _BUDGETS)
            await record(connection, now, actor, "update", noun, {"time_zone": [before, zone]})
            await bump_configuration(connection)

    async def retention(self) -> Retention:
        """Return how long turns are kept; revision 0 where that was never changed."""
        async with self._database.read() as connection:
            return await _held(connection)

    async def keep(self, retention: Retention, actor: Actor) -> Retention:
        """Change it; `retention.revision` is the one seen.

        Raises `InvalidFields` and `Conflict`; then nothing has changed.
        """
        refuse(check_retention(retention))
        now = self._clock()
        async with self._database.write() as connection:
            held = await _held(connection)
            check_revision("setting", _RETENTION, held.revision, retention.revision)
            changed = replace(retention, revision=held.revision + 1)
            await _write(connection, changed, now)
            noun = Noun("settings", _RETENTION, _RETENTION)
            await record(connection, now, actor, "update", noun, differences(held, changed))
            await bump_configuration(connection)
        return changed


async def _held(connection: AsyncConnection) -> Retention:
    query = select(settings).where(settings.c.name == _RETENTION).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None:
        return Retention()
    return Retention(row.value["turn_days"], row.value["body_days"], row.revision)


async def _write(connection: AsyncConnection, retention: Retention, now: int) -> None:
    values = {
        "value": {"turn_days": retention.turn_days, "body_days": retention.body_days},
        "updated_at": now,
        "revision": retention.revision,
    }
    statement = (
        insert(settings).values(name=_RETENTION, **values)
        if retention.revision == 1
        else update(settings).where(settings.c.name == _RETENTION).values(values)
    )
    await connection.execute(statement)
