"""Work that one node does for all: whoever finds it due takes it, by the database's clock.

Law: of many who ask at once one gets it; where that one dies, another gets it when it is due again.
A row rather than an advisory lock: a lock of a session is lost behind PgBouncer, that of a
transaction would keep one open while it works, and SQLite has neither.
"""

from typing import Final

from sqlalchemy import select, update

from longwire.store.clock import database_now
from longwire.store.database import Database
from longwire.store.tables import jobs

UPKEEP: Final = "upkeep"
"""Old turns and homes are swept, and the days of the turn log made."""

ALERTS: Final = "alerts"
"""What alert rules watch is looked at."""


async def take(database: Database, name: str, period: int) -> int | None:
    """Take a job that is due, for so many ms; return the database's time, None where it is not.

    Raises `StoreUnavailable`.
    """
    now = database_now(database)
    due = update(jobs).where(jobs.c.name == name, jobs.c.due_at <= now)
    async with database.write() as connection:
        taken = await connection.execute(due.values(due_at=now + period))
        if taken.rowcount == 0:
            return None
        return int(await connection.scalar(select(now)) or 0)
