"""The live connections upstream in the admin API. Viewers see those of their own projects' keys."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import strawberry

from longwire.core.errors import NotFound
from longwire.core.nouns.access import Permission
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Info, Viewer, admitted
from longwire.server.admin.listeners import RENEWED_AFTER, listener
from longwire.server.admin.projects import own_projects
from longwire.server.admin.scalars import Int64
from longwire.store.audit import Noun

_SCOPE: Final = "api_key:"
_CHANGES_EVERY: Final = 0.25


@strawberry.type(description="A live connection upstream, and the session that it is kept for.")
class Session:
    connection: Int64
    channel: str
    channel_id: strawberry.ID
    scope: str
    session: str
    state: str
    age: float = strawberry.field(description="In seconds.")
    lifetime: float | None = strawberry.field(
        description="The age at which it is closed, in seconds; null until it is open."
    )
    waiting: int = strawberry.field(description="Turns of the session that wait for a connection.")
    turns: int
    continued: int
    bytes_saved: Int64
    last: str = strawberry.field(description="How the last turn travelled, or why it did not.")
    recent: list[str] = strawberry.field(
        description="The last turns that ended, oldest first: `continued`, `as-given`, the reason "
        "of a fresh one, `failed` or `abandoned`."
    )


@strawberry.type(description="What changed among live connections.")
class SessionChanges:
    is_whole: bool = strawberry.field(description="Whether `changed` are all there are.")
    changed: list[Session]
    gone: list[Int64] = strawberry.field(description="Connections that ended.")


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
    viewer, administration = admitted(info, Permission.SESSIONS_READ)
    keys = await _visible_keys(administration, viewer)
    return [Session(**row) for row in _rows(administration, keys)]


async def _close(info: Info, connection: Int64) -> bool:
    viewer, administration = admitted(info, Permission.SESSIONS_CLOSE)
    found = [row for row in administration.sessions.rows() if row["connection"] == connection]
    if not administration.sessions.close(connection):
        raise NotFound("connection", str(connection))
    noun = Noun("session", str(connection), "".join(row["channel"] for row in found))
    await administration.store.audit.note(viewer.actor, "close", noun)
    return True


async def _changes(info: Info) -> AsyncIterator[SessionChanges]:
    """Tell what changed, four times a second; who listens is looked up each second."""
    administration, clock = info.context.administration, asyncio.get_running_loop().time
    previous: dict[int, dict[str, Any]] | None = None
    keys: frozenset[str] | None = frozenset()
    looked_at = float("-inf")
    while True:
        if clock() - looked_at >= RENEWED_AFTER:
            viewer = await listener(info, Permission.SESSIONS_READ)
            keys, looked_at = await _visible_keys(administration, viewer), clock()
        rows = {row["connection"]: row for row in _rows(administration, keys)}
        ageless = {number: {**row, "age": 0} for number, row in rows.items()}
        before = previous or {}
        changed = [Session(**rows[n]) for n, row in ageless.items() if before.get(n) != row]
        gone = [Int64(number) for number in before if number not in ageless]
        if changed or gone or previous is None:
            yield SessionChanges(is_whole=previous is None, changed=changed, gone=gone)
        previous = ageless
        await asyncio.sleep(_CHANGES_EVERY)


@strawberry.type
class SessionQueries:
    sessions: list[Session] = strawberry.field(
        resolver=_all, description="The live connections of this process."
    )


@strawberry.type
class SessionMutations:
    close_session: bool = strawberry.field(
        resolver=_close,
        description="Closes a connection when its turn has ended; the session gets another.",
    )


@strawberry.type
class SessionSubscriptions:
    session_changes = strawberry.subscription(
        resolver=_changes,
        description="All of them at first, then what changed, four times a second at most.",
    )
