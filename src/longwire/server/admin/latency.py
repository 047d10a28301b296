"""Latency over time in the admin API: how long served turns took, against the period before."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Final

import strawberry

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.access import Permission
from longwire.server.admin.context import Info, require
from longwire.server.admin.scalars import Int64, milliseconds_of, time_of
from longwire.server.admin.sight import sight_of
from longwire.server.admin.usage import UsageSpan
from longwire.store.latencies import Among, Figure, Figures, Histogram, Line, Period
from longwire.store.store import now_ms
from longwire.store.usage import DAY, HOUR

_MOST_SPANS: Final = 1_100
_MOST_LINES: Final = 200
_MOST_CHARTED: Final = 10
"""So many names are told of, and so many of them span by span: the busiest ones."""

_UNITS: Final = {Figure.FIRST_EVENT: 1.0, Figure.TOTAL: 1.0, Figure.TOKENS_A_SECOND: 10.0}


@strawberry.enum(description="What each line stands for.")
class LatencyBy(Enum):
    ALL = "all"
    CHANNEL = "channel"
    MODEL = "model"


@strawberry.input(name="LatencyFilter", description="What counts; what is left out is any.")
class Counted:
    project_id: strawberry.ID | None = None
    channel_id: strawberry.ID | None = None
    model: str | None = strawberry.field(default=None, description="As it was asked for.")


Criteria = Annotated[Counted | None, strawberry.argument(name="filter")]


@strawberry.type(
    description="What turns took: percentiles at most 9.6 % off, an exact mean; null of no turn."
)
class Distribution:
    turns: Int64
    p50: float | None
    p95: float | None
    p99: float | None
    mean: float | None


@strawberry.type(description="How long served turns took. What failed does not count.")
class LatencyFigures:
    first_event: Distribution = strawberry.field(description="ms to the first event of the answer.")
    total: Distribution = strawberry.field(description="ms to the end; of turns that came to one.")
    tokens_per_second: Distribution = strawberry.field(
        description="Output tokens after the first event; of turns that were streamed to their end."
    )


@strawberry.type(description="One line over the whole time.")
class LatencyLine:
    name: str = strawberry.field(description="A channel's id or a model; empty for all together.")
    figures: LatencyFigures
    before: LatencyFigures = strawberry.field(
        description="The same of the time of equal length that ends where this one begins."
    )


@strawberry.enum(description="What is charted.")
class LatencyFigure(Enum):
    FIRST_EVENT = Figure.FIRST_EVENT.value
    TOTAL = Figure.TOTAL.value
    TOKENS_PER_SECOND = Figure.TOKENS_A_SECOND.value


@strawberry.type(description="One span of one line; spans without a turn are left out.")
class LatencyPoint:
    start: datetime
    name: str
    distribution: Distribution


@dataclass(frozen=True, slots=True)
class LatencyRequest:
    """The arguments of a `latency` query, and the lines that it found."""

    by: LatencyBy
    period: Period
    among: Among
    found: tuple[Line, ...]


async def _lines(info: Info, root: strawberry.Parent["LatencyView"]) -> list[LatencyLine]:
    require(info, Permission.USAGE_READ)
    request, store = root.request, info.context.administration.store
    before = await store.latencies.lines(request.by.value, request.period.before, request.among)
    known = dict(before)
    return [
        LatencyLine(name=name, figures=_shown(figures), before=_shown(known.get(name, _NOTHING)))
        for name, figures in request.found[:_MOST_LINES]
    ]


async def _series(
    info: Info,
    root: strawberry.Parent["LatencyView"],
    figure: LatencyFigure = LatencyFigure.FIRST_EVENT,
) -> list[LatencyPoint]:
    require(info, Permission.USAGE_READ)
    request, store = root.request, info.context.administration.store
    kept, names = Figure(figure.value), [each.name for each in request.found[:_MOST_CHARTED]]
    points = await store.latencies.series(
        request.by.value, kept, request.period, request.among, names
    )
    return [
        LatencyPoint(
            start=time_of(start), name=name, distribution=_distribution(histogram, _UNITS[kept])
        )
        for start, name, histogram in points
    ]


@strawberry.type(name="Latency", description="Latency over a time.")
class LatencyView:
    """Latency over a time; each part is read when it is asked for."""

    request: strawberry.Private[LatencyRequest]
    lines: list[LatencyLine] = strawberry.field(
        resolver=_lines, description=f"The busiest first, {_MOST_LINES} at most."
    )
    series: list[LatencyPoint] = strawberry.field(
        resolver=_series, description=f"Oldest first, of the {_MOST_CHARTED} busiest lines."
    )


_NOTHING: Final[Figures] = {figure: Histogram() for figure in Figure}


def _shown(figures: Figures) -> LatencyFigures:
    first_event, total, speed = (
        _distribution(figures[figure], _UNITS[figure]) for figure in Figure
    )
    return LatencyFigures(first_event=first_event, total=total, tokens_per_second=speed)


def _distribution(found: Histogram, unit: float) -> Distribution:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value / unit, 1)

    p50, p95, p99 = (rounded(found.percentile(share)) for share in (0.5, 0.95, 0.99))
    return Distribution(
        turns=Int64(found.turns), p50=p50, p95=p95, p99=p99, mean=rounded(found.mean)
    )


async def _latency(
    info: Info,
    since: datetime | None = None,
    until: datetime | None = None,
    span: UsageSpan = UsageSpan.HOUR,
    by: LatencyBy = LatencyBy.ALL,
    criteria: Criteria = None,
) -> LatencyView:
    viewer = require(info, Permission.USAGE_READ)
    counted = criteria or Counted()
    end = milliseconds_of(until) if until else now_ms()
    start = milliseconds_of(since) if since else end - DAY
    length = HOUR if span is UsageSpan.HOUR else DAY
    if not 0 <= start <= end <= start + _MOST_SPANS * length:
        message = f"must be before until, by at most {_MOST_SPANS} spans"
        raise InvalidFields([FieldProblem("since", message)])
    sight = await sight_of(info.context.administration, viewer, counted.project_id)
    among = Among(
        # Histograms know no keys: who sees the turns of own keys alone sees none of them.
        sight.project_ids if sight.key_ids is None else (),
        counted.channel_id or "",
        counted.model or "",
    )
    period = Period(start, end, span.value)
    found = await info.context.administration.store.latencies.lines(by.value, period, among)
    return LatencyView(request=LatencyRequest(by, period, among, found))


@strawberry.type
class LatencyQueries:
    latency: LatencyView = strawberry.field(
        resolver=_latency, description="The last day by hour, unless said otherwise."
    )
