"""Usage over time in the admin API: what turns cost, and what continued sessions saved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import partial
from math import ceil
from typing import Annotated, Final

import strawberry

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.access import Permission
from longwire.core.nouns.price import nothing_configured, price_finder
from longwire.core.nouns.renames import renamer
from longwire.core.rules.turn import Usage
from longwire.server.admin.context import Info, require
from longwire.server.admin.inputs import view_of
from longwire.server.admin.scalars import Int64, dollars_of, milliseconds_of, time_of
from longwire.server.admin.sight import sight_of
from longwire.store.store import now_ms
from longwire.store.turn_filter import TurnFilter
from longwire.store.usage import DAY, HOUR, Point, Sums, Where

_MOST_SPANS: Final = 1_100
"""So many points a line has at most: three years of days, six weeks of hours."""
_DEFAULT_DAYS: Final = 30
_NO_REASONS: Final = frozenset({"continued", "as-given"})
_NO_TERMS: Final = nothing_configured, renamer(())


@strawberry.enum(description="The length of one span; days are those of UTC.")
class UsageSpan(Enum):
    HOUR = "h"
    DAY = "d"


@strawberry.enum(description="What each line of a series stands for.")
class UsageBy(Enum):
    ALL = "all"
    PROJECT = "project"
    CHANNEL = "channel"
    MODEL = "model"
    KEY = "key"
    API = "api"
    USER = "user"
    REASON = "reason"


@strawberry.input(name="UsageFilter", description="What counts; what is left out is any.")
class Counted:
    project_id: strawberry.ID | None = None
    channel_id: strawberry.ID | None = None
    model: str | None = None
    key_id: strawberry.ID | None = None
    api_format: str | None = strawberry.field(default=None, description="That the client spoke.")
    user_id: strawberry.ID | None = strawberry.field(
        name="userID", default=None, description="Whose the keys are now."
    )
    reason: str | None = strawberry.field(
        default=None, description="Why turns were not continued; or `continued`, `as-given`."
    )


Criteria = Annotated[Counted | None, strawberry.argument(name="filter")]


@strawberry.type(description="Turns added up; figures that nobody told count as 0.")
class UsageSums:
    turns: Int64
    continued: Int64
    failures: Int64
    input_tokens: Int64
    cached_tokens: Int64
    output_tokens: Int64
    cost_usd: float
    bytes_received: Int64 = strawberry.field(
        description="Of a turn that was not served, as much as was sent for it."
    )
    bytes_sent: Int64 = strawberry.field(description="What failed attempts sent counts, too.")
    unpriced: Int64 = strawberry.field(
        description="Turns with tokens whose cost nobody knows: they cost 0 here and in budgets."
    )
    bytes_saved: Int64 = strawberry.field(description="What served turns needed not send upstream.")


@strawberry.type(description="One span of one line; spans without a turn are left out.")
class UsagePoint:
    start: datetime
    name: str = strawberry.field(
        description="An id, a model, an API or a reason, as the series is by; else empty. By "
        "reason, `continued` and `as-given` stand for turns that have none, empty for those that "
        "were never sent. By user it is empty for keys that are nobody's, or are deleted."
    )
    sums: UsageSums


@strawberry.type(description="Times to the first event in ms, of the newest turns in the time.")
class FirstEvents:
    """How long first events took; null where no turn had one."""

    p50: Int64 | None
    p95: Int64 | None
    turns: int = strawberry.field(description="How many turns were looked at: 20,000 at most.")


@dataclass(frozen=True, slots=True)
class UsageRequest:
    """The arguments of a `usage` query; times in ms since 1970 UTC."""

    by: UsageBy
    since: int
    until: int
    span: UsageSpan
    where: Where


async def _series(info: Info, root: strawberry.Parent["UsageView"]) -> list[UsagePoint]:
    require(info, Permission.USAGE_READ)
    request, usage = root.request, info.context.administration.store.usage
    points = await usage.series(
        request.by.value, request.since, request.until, request.span.value, request.where
    )
    return [_point(point) for point in points]


async def _totals(info: Info, root: strawberry.Parent["UsageView"]) -> UsageSums:
    require(info, Permission.USAGE_READ)
    request, usage = root.request, info.context.administration.store.usage
    sums = await usage.totals(request.since, request.until, request.span.value, request.where)
    return _sums(sums)


async def _share_continued(info: Info, root: strawberry.Parent["UsageView"]) -> float | None:
    require(info, Permission.USAGE_READ)
    request, usage = root.request, info.context.administration.store.usage
    return await usage.share_continued(
        request.since, request.until, request.where, request.span.value
    )


async def _saved(info: Info, root: strawberry.Parent["UsageView"]) -> float:
    """Add up what cached tokens would have cost more, had they not been cached."""
    require(info, Permission.USAGE_READ)
    request, administration = root.request, info.context.administration
    served = await administration.store.usage.served(
        request.since, request.until, request.span.value, request.where
    )
    stored = await administration.store.channels.all()
    terms = {
        spec.id: (price_finder(spec.prices), renamer(spec.renames))
        for spec in (*administration.declared_channels(), *stored)
    }
    saved = 0
    for channel_id, model, sums in served:
        configured, sent_name = terms.get(channel_id, _NO_TERMS)
        price = partial(administration.price, configured=configured)
        names = dict.fromkeys((sent_name(model), model))
        turns = max(1, sums.turns)  # long turns may cost more a token
        mean = Usage(sums.input_tokens // turns, sums.cached_tokens // turns)
        cost, in_full = price(mean, *names), price(replace(mean, cached=0), *names)
        saved += ((in_full or 0) - (cost or 0)) * turns
    return dollars_of(saved)


async def _first_events(info: Info, root: strawberry.Parent["UsageView"]) -> FirstEvents:
    require(info, Permission.USAGE_READ)
    request, how = root.request, root.request.where.reason
    wanted = TurnFilter(
        project_ids=request.where.project_ids,
        key_ids=request.where.key_ids,
        key_id=request.where.key_id,
        channel_id=request.where.channel_id,
        model=request.where.model,
        api=request.where.api,
        continuity=how if how in _NO_REASONS else "",
        reason="" if how in _NO_REASONS else how,
        since=request.since,
        until=request.until,
    )
    times = await info.context.administration.store.turns.first_events(wanted)
    return FirstEvents(p50=_rank(times, 0.5), p95=_rank(times, 0.95), turns=len(times))


def _rank(times: Sequence[int], share: float) -> Int64 | None:
    """Return the time that this share of sorted times does not exceed."""
    return Int64(times[max(0, ceil(share * len(times)) - 1)]) if times else None


@strawberry.type(name="Usage", description="Usage over a time.")
class UsageView:
    """Usage over a time; each part is read when it is asked for."""

    request: strawberry.Private[UsageRequest]
    series: list[UsagePoint] = strawberry.field(resolver=_series)
    totals: UsageSums = strawberry.field(resolver=_totals)
    share_continued: float | None = strawberry.field(
        resolver=_share_continued,
        description="Of the turns that were sent upstream, 0 to 1; null where none was.",
    )
    saved_usd: float = strawberry.field(
        resolver=_saved, description="What cached tokens would have cost more without the cache."
    )
    first_event: FirstEvents = strawberry.field(resolver=_first_events)


def _point(point: Point) -> UsagePoint:
    return UsagePoint(start=time_of(point.start), name=point.name, sums=_sums(point.sums))


def _sums(sums: Sums) -> UsageSums:
    return view_of(UsageSums, sums, cost_usd=dollars_of(sums.cost))


async def _usage(
    info: Info,
    since: datetime | None = None,
    until: datetime | None = None,
    span: UsageSpan = UsageSpan.DAY,
    by: UsageBy = UsageBy.ALL,
    criteria: Criteria = None,
) -> UsageView:
    viewer = require(info, Permission.USAGE_READ)
    counted = criteria or Counted()
    end = milliseconds_of(until) if until else now_ms()
    start = milliseconds_of(since) if since else end - _DEFAULT_DAYS * DAY
    length = HOUR if span is UsageSpan.HOUR else DAY
    if not 0 <= start <= end <= start + _MOST_SPANS * length:
        message = f"must be before until, by at most {_MOST_SPANS} spans"
        raise InvalidFields([FieldProblem("since", message)])
    administration = info.context.administration
    sight = await sight_of(administration, viewer, counted.project_id)
    if counted.user_id:
        sight = sight.of_keys(await administration.store.keys.of_user(counted.user_id))
    sight = sight.of_key(counted.key_id)
    where = Where(
        project_ids=sight.project_ids,
        key_ids=sight.key_ids,
        channel_id=counted.channel_id or "",
        model=counted.model or "",
        key_id=counted.key_id or "",
        api=counted.api_format or "",
        reason=counted.reason or "",
    )
    return UsageView(request=UsageRequest(by, start, end, span, where))


@strawberry.type
class UsageQueries:
    usage: UsageView = strawberry.field(
        resolver=_usage, description="The last 30 days by day, unless said otherwise."
    )
