"""How many nodes share a database: each says now and then that it is there.

Law: by the database's clock, in rows of `jobs`: a node is there until its next word is long due. A
node that ends says nothing, so that one which is restarted counts all the while.
"""

from importlib import import_module
from typing import Any, Final

from sqlalchemy import delete, func, select

from longwire.store.clock import database_now
from longwire.store.database import Database
from longwire.store.tables import jobs

_NODE: Final = "node:"
_LASTS: Final = 90_000
_REMEMBERED: Final = 86_400_000


async def count_with(database: Database, name: str) -> int:
    """Say that a node is there, and return how many are. Raises `StoreUnavailable`."""
    now, is_node = database_now(database), jobs.c.name.startswith(_NODE)
    word = _upsert(database.engine.dialect.name).values(name=_NODE + name, due_at=now + _LASTS)
    count = select(func.count()).select_from(jobs).where(is_node, jobs.c.due_at > now)
    async with database.write() as connection:
        await connection.execute(delete(jobs).where(is_node, jobs.c.due_at < now - _REMEMBERED))
        await connection.execute(word)
        return int(await connection.scalar(count) or 1)


def _upsert(dialect: str) -> Any:  # noqa: ANN401 - each dialect has an insert of its own
    """Return the statement that writes a row in the place of what was there."""
    fresh = import_module(f"sqlalchemy.dialects.{dialect}").insert(jobs)
    values = {"due_at": fresh.excluded.due_at}
    return fresh.on_conflict_do_update(index_elements=[jobs.c.name], set_=values)
