"""Sessions and traces in the admin API, also ended ones. Viewers see those of their projects."""

from datetime import datetime
from typing import Annotated, Any, Final

import strawberry

from longwire.core.nouns.access import PERMISSIONS, Permission
from longwire.core.nouns.page import Page
from longwire.core.nouns.run import Kind, Run
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Info, Viewer, admitted
from longwire.server.admin.inputs import view_of
from longwire.server.admin.paging import Connection, Id, connection
from longwire.server.admin.scalars import Int64, dollars_of, milliseconds_of, time_of
from longwire.server.admin.sessions import Session, rows_of_keys, visible_keys
from longwire.server.admin.sessions import shown as shown_session
from longwire.server.admin.sight import sight_of
from longwire.server.admin.turns import Turn
from longwire.server.admin.turns import shown as shown_turn
from longwire.store.runs import RunFilter

_PLACES: Final[dict[Kind, str]] = {"session": "run", "trace": "trace"}
"""Where a live connection says which run it serves."""


@strawberry.input(name="AgentSessionFilter", description="What is left out is any.")
class Wanted:
    project_id: strawberry.ID | None = None
    key_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of a trace the key of its last turn."
    )
    model: str | None = strawberry.field(default=None, description="As it was asked for.")
    channel_id: strawberry.ID | None = None
    name: str | None = strawberry.field(default=None, description="The whole id that clients sent.")
    live: bool | None = strawberry.field(
        default=None, description="Whether a connection is kept for it now."
    )
    since: datetime | None = strawberry.field(
        default=None, description="Its last turn ended then or later."
    )
    until: datetime | None = strawberry.field(
        default=None, description="Its last turn ended before."
    )


Criteria = Annotated[Wanted | None, strawberry.argument(name="filter")]


async def _turns(
    info: Info, root: strawberry.Parent["RunView"], first: int = 200, after: str | None = None
) -> Connection[Turn]:
    viewer, administration = admitted(info, Permission.TURNS_READ)
    sight = await sight_of(administration, viewer)
    page = await administration.store.turns.of_run(root.run, first, after, sight.key_ids)
    return connection(page, shown_turn)


@strawberry.type(
    name="AgentSession",
    description="What groups turns over connections, channels and models: a session of one key, or "
    "a trace of one project, of which members see the turns of their own keys. What is not known "
    "counts as 0 in its sums; bytes are of bodies.",
)
class RunView:
    id: strawberry.ID
    kind: str = strawberry.field(description="`session` or `trace`.")
    name: str = strawberry.field(description="The id that clients sent.")
    project_id: strawberry.ID
    key_id: strawberry.ID = strawberry.field(description="Of a trace that of its last turn.")
    key_name: str
    first_at: datetime = strawberry.field(description="When its first turn began.")
    last_at: datetime = strawberry.field(description="When its last turn ended.")
    models: list[str] = strawberry.field(description="As they were asked for, the first ones.")
    channel_ids: list[strawberry.ID]
    turns: Int64
    continued: Int64
    failures: Int64
    bytes_received: Int64
    bytes_sent: Int64
    bytes_saved: Int64
    input_tokens: Int64
    cached_tokens: Int64
    output_tokens: Int64
    cost_usd: float
    connections: list[Session] = strawberry.field(description="Those that are kept for it now.")
    run: strawberry.Private[Run]
    turn_log: Connection[Turn] = strawberry.field(
        resolver=_turns, description="Its turns, newest first, while the log keeps them."
    )


def _shown(run: Run, live: list[dict[str, Any]]) -> RunView:
    place = _PLACES[run.kind]
    return view_of(
        RunView,
        run,
        run=run,
        first_at=time_of(run.first_at),
        last_at=time_of(run.last_at),
        models=list(run.models),
        channel_ids=list(run.channels),
        bytes_saved=run.sums.bytes_saved,
        cost_usd=dollars_of(run.sums.cost),
        connections=[shown_session(row) for row in live if row.get(place) == run.id],
        **{name: each for name, each in run.sums._asdict().items() if name != "cost"},
    )


async def _live(administration: Administration, viewer: Viewer) -> list[dict[str, Any]]:
    if Permission.SESSIONS_READ not in PERMISSIONS[viewer.role]:
        return []
    rows, _ = await rows_of_keys(administration, await visible_keys(administration, viewer))
    return rows


async def _filter(info: Info, wanted: Wanted, kind: Kind, live: list[dict[str, Any]]) -> RunFilter:
    viewer, administration = admitted(info, Permission.TURNS_READ)
    sight = await sight_of(administration, viewer, wanted.project_id)
    ids = tuple({row.get(_PLACES[kind], "") for row in live} - {""})
    return RunFilter(
        project_ids=sight.project_ids,
        key_ids=sight.key_ids,
        key_id=wanted.key_id or "",
        model=wanted.model or "",
        channel_id=wanted.channel_id or "",
        name=wanted.name or "",
        since=milliseconds_of(wanted.since) if wanted.since else None,
        until=milliseconds_of(wanted.until) if wanted.until else None,
        only=ids if wanted.live else None,
        but=ids if wanted.live is False else (),
    )


async def _page(
    info: Info, kind: Kind, wanted: Wanted | None, first: int, after: str | None
) -> Connection[RunView]:
    viewer, administration = admitted(info, Permission.TURNS_READ)
    live = await _live(administration, viewer)
    criteria = await _filter(info, wanted or Wanted(), kind, live)
    page: Page[Run] = await administration.store.runs.page(kind, criteria, first, after)
    return connection(page, lambda run: _shown(run, live))


async def _sessions(
    info: Info, criteria: Criteria = None, first: int = 50, after: str | None = None
) -> Connection[RunView]:
    return await _page(info, "session", criteria, first, after)


async def _traces(
    info: Info, criteria: Criteria = None, first: int = 50, after: str | None = None
) -> Connection[RunView]:
    return await _page(info, "trace", criteria, first, after)


async def _one(info: Info, kind: Kind, which: str) -> RunView:
    viewer, administration = admitted(info, Permission.TURNS_READ)
    seen = RunFilter(*await sight_of(administration, viewer))
    run = await administration.store.runs.get(kind, which, seen)
    return _shown(run, await _live(administration, viewer))


async def _session(info: Info, which: Id) -> RunView:
    return await _one(info, "session", which)


async def _trace(info: Info, which: Id) -> RunView:
    return await _one(info, "trace", which)


@strawberry.type
class RunQueries:
    agent_sessions: Connection[RunView] = strawberry.field(
        resolver=_sessions, description="Sessions, those with the latest turns first."
    )
    agent_session: RunView = strawberry.field(
        resolver=_session, description="By its id, or by the name that clients gave it."
    )
    traces: Connection[RunView] = strawberry.field(
        resolver=_traces, description="Traces, those with the latest turns first."
    )
    trace: RunView = strawberry.field(
        resolver=_trace, description="By its id, or by the name that clients gave it."
    )
