"""Whether the channels that keys and projects name are there; files have their own."""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import select

from longwire.core.errors import FieldProblem
from longwire.store.engine import AsyncConnection
from longwire.store.tables import channels

_DECLARED: Final = "file:"


async def check_channels(
    connection: AsyncConnection, ids: Iterable[str], field: str
) -> Iterator[FieldProblem]:
    """Return a problem of a field for each channel of the database that does not exist."""
    named = {each for each in ids if not each.startswith(_DECLARED)}
    query = select(channels.c.id).where(channels.c.id.in_(named))
    known = set((await connection.scalars(query)).all()) if named else set()
    return (
        FieldProblem(field, f"names a channel that does not exist: {each!r}")
        for each in sorted(named - known)
    )
