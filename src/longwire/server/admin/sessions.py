"""The live connections upstream in the admin API. Viewers see those of their own projects' keys."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import strawberry

from longwire.core.access import Permission
from longwire.core.errors import NotFound
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Info, Viewer, require
from longwire.server.admin.listeners import RENEWED_AFTER, listener
from longwire.server.admin.projects import own_projects
from longwire.server.admin.scalars import Int64
from longwire.store.audit import Noun

_SCOPE: Final = "api_key:"


@strawberry.type(description="A live connection upstream, and the session that it is kept for.")
class Session:
    """A live connection upstream."""

    connection: Int64
    channel: str
    scope: str
    session: str
    state: str
    age: float = strawberry.field(description="In seconds.")
    turns: int
    continued: int
    bytes_saved: Int64
    last: str = strawberry.field(description="How the last turn travelled, or why it did not.")


def shown(row: dict[str, Any]) -> Session:
    """Return a connection as it is shown."""
    return Session(
        connection=Int64(row["connection"]),
        channel=row["channel"],
        scope=row["scope"],
        session=row["session"],
        state=row["state"],
        age=row["age"],
        turns=row["turns"],
        continued=row["continued"],
        bytes_saved=Int64(row["bytes_saved"]),
        last=row["last"],
    )


async def _visible_keys(administration: Administration, viewer: Viewer) -> frozenset[str] | None:
    """Return the ids of the keys whose sessions a viewer sees, None for all."""
    own = await own_projects(administration, viewer)
    if own is None:
        return None
    keys = await administration.store.keys.all()
    return frozenset(key.id for key in keys if key.grant.project_id in own)


def _rows(administration: Administration, keys: frozenset[str] | None) -> Iterator[dict[str, Any]]:
    for row in administration.sessions.rows():
        if keys is None or row["scope"].removeprefix(_SCOPE) in keys:
            yield row


async def _all(info: Info) -> list[Session]:
    viewer = require(info, Permission.SESSIONS_READ)
    administration = info.context.administration
    keys = await _visible_keys(administration, viewer)
    return [shown(row) for row in _rows(administration, keys)]


async def _close(info: Info, connection: Int64) -> bool:
    actor = require(info, Permission.SESSIONS_CLOSE).actor
    administration = info.context.administration
    found = [row for row in administration.sessions.rows() if row["connection"] == connection]
    if not administration.sessions.close(connection):
        raise NotFound("connection", str(connection))
    noun = Noun("session", str(connection), "".join(row["channel"] for row in found))
    await administration.store.audit.note(actor, "close", noun)
    return True


async def _changed(info: Info) -> AsyncIterator[list[Session]]:
    administration = info.context.administration
    told: list[dict[str, Any]] | None = None
    while True:
        viewer = await listener(info, Permission.SESSIONS_READ)
        keys = await _visible_keys(administration, viewer)
        rows = list(_rows(administration, keys))
        ageless = [{**row, "age": 0} for row in rows]
        if ageless != told:
            told = ageless
            yield [shown(row) for row in rows]
        await asyncio.sleep(RENEWED_AFTER)


@strawberry.type
class SessionQueries:
    """What can be asked of live connections."""

    sessions: list[Session] = strawberry.field(
        resolver=_all, description="The live connections of this process."
    )


@strawberry.type
class SessionMutations:
    """What can be done with live connections."""

    close_session: bool = strawberry.field(
        resolver=_close,
        description="Closes a connection when its turn has ended; the session gets another.",
    )


@strawberry.type
class SessionSubscriptions:
    """What is told of live connections."""

    sessions_changed = strawberry.subscription(
        resolver=_changed, description="All of them at first and after each second with a change."
    )
