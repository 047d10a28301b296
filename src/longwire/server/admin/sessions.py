"""The live connections upstream in the admin API. Viewers see those of their own projects' keys.

Members see those of their own.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any, Final, NamedTuple

import strawberry

from longwire.core.nouns.access import Permission
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Info, Viewer, admitted
from longwire.server.admin.listeners import RENEWED_AFTER, listener
from longwire.server.admin.paging import Id
from longwire.server.admin.scalars import Int64
from longwire.server.admin.sight import sight_of
from longwire.store.audit import Noun

_SCOPE: Final = "api_key:"
_CHANGES_EVERY: Final = 0.25


@strawberry.type(description="A live connection upstream, and the session that it is kept for.")
class Session:
    id: strawberry.ID = strawberry.field(description="The node and its number of the connection.")
    node: str
    connection: Int64
    channel: str
    channel_id: strawberry.ID
    scope: str
    session: str
    key_id: strawberry.ID = strawberry.field(description="Empty for none that is accepted now.")
    key_name: str
    model: str = strawberry.field(description="That the last turn asked for.")
    run: strawberry.ID = strawberry.field(
        description="The session as `agentSession` finds it, empty for one without a name."
    )
    trace: strawberry.ID = strawberry.field(
        description="The trace of the last turn, as `trace` finds it."
    )
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


_LATER: Final = ("key_id", "key_name", "model", "run", "trace")
"""What nodes of earlier versions do not tell."""

_FIELDS: Final = frozenset(field.name for field in fields(Session)).difference(_LATER)


@strawberry.type(description="What changed among live connections.")
class SessionChanges:
    is_whole: bool = strawberry.field(description="Whether `changed` are all there are.")
    changed: list[Session]
    gone: list[strawberry.ID] = strawberry.field(description="Connections that ended, by id.")
    missing_nodes: list[str] = strawberry.field(
        description="Nodes that did not answer: theirs are not told."
    )


@strawberry.type(description="The live connections of all nodes.")
class Sessions:
    nodes: list[Session] = strawberry.field(
        description="Of another node at most a thousand, those with a turn under way first."
    )
    missing_nodes: list[str] = strawberry.field(
        description="Nodes that did not answer: theirs are not told."
    )


async def visible_keys(administration: Administration, viewer: Viewer) -> frozenset[str] | None:
    """Return the ids of the keys whose sessions a viewer sees, None for all."""
    sight = await sight_of(administration, viewer)
    if sight.key_ids is not None:
        return frozenset(sight.key_ids)
    own = sight.project_ids
    if own is None:
        return None
    keys = await administration.store.keys.all()
    return frozenset(key.id for key in keys if key.grant.project_id in own)


async def rows_of_keys(
    administration: Administration, keys: frozenset[str] | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows that somebody sees of these keys, and the nodes that did not answer."""
    rows, missing = await administration.sessions.all(_FIELDS)
    seen = [row for row in rows if keys is None or row["scope"].removeprefix(_SCOPE) in keys]
    return seen, list(missing)


async def _all(info: Info) -> Sessions:
    viewer, administration = admitted(info, Permission.SESSIONS_READ)
    rows, missing = await rows_of_keys(administration, await visible_keys(administration, viewer))
    return Sessions(nodes=[shown(row) for row in rows], missing_nodes=missing)


def shown(row: dict[str, Any]) -> Session:
    """Return a row as it is shown; a node of another version may tell more of it."""
    later = {name: row.get(name, "") for name in _LATER}
    return Session(**{name: row[name] for name in _FIELDS}, **later)


async def _close(info: Info, session_id: Id) -> bool:
    viewer, administration = admitted(info, Permission.SESSIONS_CLOSE)
    channel = await administration.sessions.close(session_id)
    noun = Noun("session", session_id, channel)
    await administration.store.audit.note(viewer.actor, "close", noun)
    return True


async def _changes(info: Info) -> AsyncIterator[SessionChanges]:
    """Tell what changed, four times a second; who listens is looked up each second."""
    administration, clock = info.context.administration, asyncio.get_running_loop().time
    previous: _Seen | None = None
    keys: frozenset[str] | None = frozenset()
    looked_at = float("-inf")
    while True:
        if clock() - looked_at >= RENEWED_AFTER:
            viewer = await listener(info, Permission.SESSIONS_READ)
            keys, looked_at = await visible_keys(administration, viewer), clock()
        rows, missing = await rows_of_keys(administration, keys)
        ageless = {row["id"]: {**row, "age": 0} for row in rows}
        before = previous or _Seen({}, [])
        changed = [shown(row) for row in rows if before.rows.get(row["id"]) != ageless[row["id"]]]
        gone = [strawberry.ID(each) for each in before.rows if each not in ageless]
        if changed or gone or missing != before.missing or previous is None:
            yield SessionChanges(
                is_whole=previous is None, changed=changed, gone=gone, missing_nodes=missing
            )
        previous = _Seen(ageless, missing)
        await asyncio.sleep(_CHANGES_EVERY)


class _Seen(NamedTuple):
    """What was told last: rows by id without their ages, and who was missing."""

    rows: dict[str, dict[str, Any]]
    missing: list[str]


@strawberry.type
class SessionQueries:
    sessions: Sessions = strawberry.field(
        resolver=_all, description="The live connections of all nodes."
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
