"""The turn log in the admin API, and turns as they end. Viewers see those of their own projects.

Members see those of their own keys.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Final

import strawberry

from longwire.core.errors import NotFound
from longwire.core.nouns.access import PERMISSIONS, Permission
from longwire.core.nouns.turn_row import TurnAttempt, TurnBodies, TurnId, TurnRow, earliest_id
from longwire.dialects.sample import Sample
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Info, Viewer, admitted, require
from longwire.server.admin.explanations import Explanation, explained_now
from longwire.server.admin.explanations import shown as shown_route
from longwire.server.admin.inputs import view_of
from longwire.server.admin.listeners import RENEWED_AFTER, listener
from longwire.server.admin.paging import Connection, Id, connection
from longwire.server.admin.scalars import (
    Int64,
    dollars_or_none,
    milliseconds_of,
    time_of,
)
from longwire.server.admin.sight import Sight, sight_of
from longwire.store.paging import Window
from longwire.store.turn_filter import TurnFilter

_GREATEST_ID: Final = 2**63 - 1
_ID: Final = re.compile(r"[0-9]{1,19}")
_FIELDS: Final = (
    "key_id",
    "session",
    "request_id",
    "response_id",
    "trace",
    "channel_id",
    "model",
    "outcome",
    "continuity",
    "reason",
    "error_code",
    "upstream_api",
    "node",
)


@strawberry.input(name="TurnFilter", description="What is left out is any.")
class Wanted:
    project_id: strawberry.ID | None = None
    key_id: strawberry.ID | None = None
    session: str | None = None
    request_id: str | None = None
    response_id: str | None = None
    trace: str | None = None
    channel_id: strawberry.ID | None = None
    model: str | None = strawberry.field(default=None, description="As it was asked for.")
    outcome: str | None = None
    continuity: str | None = None
    reason: str | None = strawberry.field(default=None, description="Why it was not continued.")
    api_format: str | None = strawberry.field(default=None, description="That the client spoke.")
    upstream_api: str | None = strawberry.field(
        default=None, description="In which the upstream was asked."
    )
    error_code: str | None = None
    node: str | None = strawberry.field(
        default=None, description="Found by no index; tell `since`, too."
    )
    connection: Int64 | None = strawberry.field(
        default=None,
        description="Numbers begin anew with each start of the gateway; tell `since`, too.",
    )
    failed: bool = strawberry.field(
        default=False, description="Those alone that ended with an error code."
    )
    since: datetime | None = strawberry.field(default=None, description="Ended then or later.")
    until: datetime | None = strawberry.field(default=None, description="Ended before.")


Criteria = Annotated[Wanted | None, strawberry.argument(name="filter")]


@strawberry.type(description="The bodies of a turn, as JSON.")
class Bodies:
    request: str
    response: str


async def _bodies(info: Info, root: strawberry.Parent["Turn"]) -> Bodies | None:
    require(info, Permission.BODIES_READ)
    found = await info.context.administration.store.turns.bodies(TurnId(int(root.id)))
    return _shown_bodies(found) if found else None


def _shown_bodies(bodies: TurnBodies) -> Bodies:
    return Bodies(
        request=bodies.request.decode(errors="replace"),
        response=bodies.response.decode(errors="replace"),
    )


@strawberry.type(
    name="TurnAttempt",
    description="One try to have a turn answered. `trouble` is empty for one that ended as its "
    "turn did; `endedMs` counts from the turn's start.",
)
class Attempt:
    channel_id: strawberry.ID
    channel_name: str
    transport: str
    trouble: str
    status: int
    code: str
    message: str
    ended_ms: Int64


@strawberry.type(name="TurnHeader", description="A header of the client's request.")
class Header:
    name: str
    value: str


@strawberry.type(
    name="TurnDetails",
    description="What is kept of a turn that failed, needed more than one attempt, or keeps its "
    "bodies. Messages may quote what was asked: they are empty for who may not read bodies.",
)
class Details:
    attempts: list[Attempt]
    headers: list[Header]
    message: str


async def _details(info: Info, root: strawberry.Parent["Turn"]) -> Details | None:
    viewer = require(info, Permission.TURNS_READ)
    found = await info.context.details.load(TurnId(int(root.id)))
    if found is None:
        return None
    may_read = Permission.BODIES_READ in PERMISSIONS[viewer.role]
    return Details(
        attempts=[_shown_attempt(each, may_read=may_read) for each in found.attempts],
        headers=[Header(name=name, value=value) for name, value in found.headers.items()],
        message=found.message if may_read else "",
    )


def _shown_attempt(attempt: TurnAttempt, *, may_read: bool) -> Attempt:
    return view_of(Attempt, attempt, message=attempt.message if may_read else "")


async def _previous(
    info: Info, root: strawberry.Parent["Turn"]
) -> Annotated["Turn", strawberry.lazy(__name__)] | None:
    require(info, Permission.TURNS_READ)
    found = await info.context.administration.store.turns.previous(TurnId(int(root.id)))
    return shown(found) if found else None


async def _route(info: Info, root: strawberry.Parent["Turn"]) -> Explanation:
    administration = admitted(info, Permission.CHANNELS_READ)[1]
    details = await info.context.details.load(TurnId(int(root.id)))
    if details is not None and details.route:
        return shown_route(details.route, is_as_of_then=True)
    tokens, session = root.input_tokens or 0, root.session
    sample = Sample(
        root.model_asked, root.api_format, root.streams, input_tokens=tokens, session=session
    )
    return await explained_now(administration, sample, root.key_id)


@strawberry.type(description="One request of a client and its answer. Times in ms, sizes in bytes.")
class Turn:
    """One turn; null is what is not known."""

    id: strawberry.ID
    request_id: str
    project_id: strawberry.ID
    key_id: strawberry.ID
    key_name: str
    session: str
    channel_id: strawberry.ID
    channel_name: str
    api_format: str = strawberry.field(description="The API that the client spoke.")
    transport: str
    continuity: str
    reason: str
    connection: Int64 | None
    model_asked: str
    model_served: str
    streams: bool
    outcome: str
    status: int
    error_code: str
    attempts: int
    started_at: datetime
    queue_ms: Int64
    first_event_ms: Int64 | None
    total_ms: Int64
    bytes_received: Int64
    bytes_sent: Int64
    input_tokens: Int64 | None
    cached_tokens: Int64 | None
    output_tokens: Int64 | None
    reasoning_tokens: Int64 | None
    cost_usd: float | None
    is_estimated: bool = strawberry.field(
        description="Whether tokens and cost are estimates, at least in part: no upstream said so."
    )
    dropped: str = strawberry.field(
        description="Members of the request that were left out: the upstream has no equivalent."
    )
    upstream_api: str = strawberry.field(
        description="The API that its upstream was asked in, empty where it came to none."
    )
    node: str = strawberry.field(description="The node of the fleet that served it.")
    account_id: strawberry.ID = strawberry.field(
        description="The account that its channel spoke for, empty for none."
    )
    changed: str = strawberry.field(
        description="What was not equal to the turn before, empty for nothing."
    )
    response_id: str = strawberry.field(description="The id of the response, empty for none.")
    trace: str = strawberry.field(description="The run that it belongs to, empty for none.")
    route: Explanation = strawberry.field(
        resolver=_route,
        description="Where it went and why not elsewhere: as of then where details are kept, else "
        "as it is configured now.",
    )
    details: Details | None = strawberry.field(
        resolver=_details, description="Null for a turn that simply succeeded."
    )
    bodies: Bodies | None = strawberry.field(
        resolver=_bodies, description="Where the key keeps them, until they expire."
    )
    previous: Annotated["Turn", strawberry.lazy(__name__)] | None = strawberry.field(
        resolver=_previous,
        description="The turn before it in its session of which bodies are kept, by the same key "
        "and of the day before it at most.",
    )


def shown(row: TurnRow) -> Turn:
    """Return a turn as it is shown."""
    return view_of(
        Turn,
        row,
        id=strawberry.ID(str(row.id)),
        api_format=row.api,
        started_at=time_of(row.started_at),
        cost_usd=dollars_or_none(row.cost),
    )


async def filter_of(
    administration: Administration, viewer: Viewer, criteria: Wanted | None
) -> TurnFilter:
    """Return the filter of who asks, within their projects."""
    wanted = criteria or Wanted()
    sight = (await sight_of(administration, viewer, wanted.project_id)).of_key(wanted.key_id)
    return TurnFilter(
        project_ids=sight.project_ids,
        key_ids=sight.key_ids,
        api=wanted.api_format or "",
        connection=wanted.connection,
        has_failed=wanted.failed,
        since=milliseconds_of(wanted.since) if wanted.since else None,
        until=milliseconds_of(wanted.until) if wanted.until else None,
        **{name: getattr(wanted, name) or "" for name in _FIELDS},
    )


def _matches(wanted: TurnFilter, row: TurnRow) -> bool:
    is_visible = Sight(wanted.project_ids, wanted.key_ids).shows(row.project_id, row.key_id)
    is_late = wanted.since is None or row.id >= earliest_id(wanted.since)
    is_early = wanted.until is None or row.id < earliest_id(wanted.until)
    values: dict[str, object] = {**wanted.values()}
    if wanted.connection is not None:
        values["connection"] = wanted.connection
    if wanted.node:
        values["node"] = wanted.node
    is_wanted = row.error_code != "" or not wanted.has_failed
    is_it = is_wanted and all(getattr(row, name) == value for name, value in values.items())
    return is_visible and is_late and is_early and is_it


async def _page(
    info: Info, criteria: Criteria = None, first: int = 50, after: str | None = None
) -> Connection[Turn]:
    viewer, administration = admitted(info, Permission.TURNS_READ)
    Window(first, after)
    wanted = await filter_of(administration, viewer, criteria)
    return connection(await administration.store.turns.page(wanted, first, after), shown)


def number_of(turn_id: str) -> TurnId:
    """Return the number that a turn is kept by. Raises `NotFound` for what is none."""
    is_one = _ID.fullmatch(turn_id) is not None and int(turn_id) <= _GREATEST_ID
    if not is_one:
        raise NotFound("turn", turn_id)
    return TurnId(int(turn_id))


async def _one(info: Info, turn_id: Id) -> Turn:
    viewer, administration = admitted(info, Permission.TURNS_READ)
    row = await administration.store.turns.get(number_of(turn_id))
    sight = await sight_of(administration, viewer)
    if not sight.shows(row.project_id, row.key_id):
        raise NotFound("turn", turn_id)
    return shown(row)


async def _added(info: Info, criteria: Criteria = None) -> AsyncIterator[Turn]:
    clock = asyncio.get_running_loop().time
    wanted, renewed_at = await _wanted(info, criteria), clock()
    with info.context.administration.feed.subscribe() as turns:
        async for row in turns:
            if clock() - renewed_at > RENEWED_AFTER:
                wanted, renewed_at = await _wanted(info, criteria), clock()
            if _matches(wanted, row):
                yield shown(row)


async def _wanted(info: Info, criteria: Wanted | None) -> TurnFilter:
    viewer = await listener(info, Permission.TURNS_READ)
    return await filter_of(info.context.administration, viewer, criteria)


@strawberry.type
class TurnQueries:
    turns: Connection[Turn] = strawberry.field(
        resolver=_page, description="The turn log, newest first."
    )
    turn: Turn = strawberry.field(resolver=_one)


@strawberry.type
class TurnSubscriptions:
    turn_added = strawberry.subscription(
        resolver=_added,
        description="Turns of all nodes as they end; each node tells a hundred at once at most.",
    )
