"""How long turns took over time: histograms by hour and UTC day, so that no chart reads the turns.

Law: they are written in the transaction that writes their turns, and outlive them; adding rows up
is merging histograms. Only turns that were served count: what fails fast is not fast.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    and_,
    cast,
    func,
    literal,
    select,
)

from longwire.core.nouns.turn_row import TurnRow
from longwire.core.rules.latency import bucket_of, percentile
from longwire.store.database import Database
from longwire.store.log_tables import latencies
from longwire.store.usage import DAY, LENGTHS, Span, upsert

By = Literal["channel", "model", "all"]

_BY: Final = {"channel": latencies.c.channel_id, "model": latencies.c.model}
_TENTHS: Final = 10_000
"""Tenths of tokens a second: tokens in a ms, times this."""

_ENDED: Final = frozenset({"completed", "incomplete"})


class Figure(Enum):
    """What is measured, and by which letter it is kept: times in ms, speed in tenths a second."""

    FIRST_EVENT = "f"
    TOTAL = "t"
    TOKENS_A_SECOND = "r"


@dataclass(slots=True)
class Histogram:
    """How many turns fell into which bucket, and what they add up to."""

    counts: dict[int, int] = field(default_factory=dict)
    total: int = 0

    def add(self, bucket: int, turns: int, total: int) -> None:
        """Add turns of one bucket."""
        self.counts[bucket] = self.counts.get(bucket, 0) + turns
        self.total += total

    @property
    def turns(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """Their mean, which is exact; None where there are none."""
        turns = self.turns
        return self.total / turns if turns else None

    def percentile(self, share: float) -> float | None:
        """Return the value that this share of turns does not exceed."""
        return percentile(self.counts, share)


Figures = dict[Figure, Histogram]


class Line(NamedTuple):
    """What a channel or a model took over a whole period; all together has no name."""

    name: str
    figures: Figures


class Point(NamedTuple):
    """One figure of one span of a line."""

    start: int
    name: str
    histogram: Histogram


class Measured(NamedTuple):
    """What a served turn shows: when it began, whose it was, and what of it is known."""

    started_at: int
    project_id: str
    channel_id: str
    model: str
    first_event_ms: int
    total_ms: int
    output_tokens: int | None
    has_ended: bool
    streams: bool


@dataclass(frozen=True, slots=True)
class Period:
    """A time that begins with the span of `since` and ends before `until`, both in ms."""

    since: int
    until: int
    span: Span = "d"

    @property
    def before(self) -> "Period":
        """The time of the same length that ends where this one begins."""
        first = self._first
        return Period(first - (self.until - first), first, self.span)

    @property
    def _first(self) -> int:
        return self.since - self.since % LENGTHS[self.span]

    def spans(self) -> ColumnElement[bool]:
        """Return each of its spans in SQL."""
        return _between(self.span, self._first, self.until)

    def whole(self) -> tuple[ColumnElement[bool], ...]:
        """Return the same turns in few rows, by day but for hours at its ends, each part in SQL.

        They are read one by one: all at once SQLite would find them by no index.
        """
        first, end = self._first + -self._first % DAY, self.until - self.until % DAY
        if self.span == "d" or first >= end:
            return (self.spans(),)
        ends = _between("h", self._first, first), _between("h", end, self.until)
        return _between("d", first, end), *ends


def _between(span: Span, first: int, end: int) -> ColumnElement[bool]:
    start = latencies.c.start
    return and_(latencies.c.span == span, start >= first, start < end)


@dataclass(frozen=True, slots=True)
class Among:
    """Which turns count: the projects (None for all), and "" for any channel or model."""

    project_ids: tuple[str, ...] | None = None
    channel_id: str = ""
    model: str = ""

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield it in SQL."""
        if self.project_ids is not None:
            yield latencies.c.project_id.in_(self.project_ids)
        if self.channel_id:
            yield latencies.c.channel_id == self.channel_id
        if self.model:
            yield latencies.c.model == self.model


EVERYTHING: Final = Among()


class Latencies:
    """What is known of a database's turns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lines(self, by: By, period: Period, among: Among = EVERYTHING) -> tuple[Line, ...]:
        """Return what each channel, or model, took over a whole period, the busiest first."""
        sums, name = latencies.c, _name(by)
        figure_is_any = sums.figure.in_([each.value for each in Figure])
        found: dict[str, Figures] = {}
        for part in period.whole():
            conditions = [figure_is_any, part, *among.conditions()]
            for name_, figure, *counted in await self._read((name, sums.figure), conditions):
                figures = found.setdefault(name_, {each: Histogram() for each in Figure})
                figures[Figure(figure)].add(*counted)
        lines = [Line(*each) for each in found.items()]
        lines.sort(key=lambda each: (-each.figures[Figure.FIRST_EVENT].turns, each.name))
        return tuple(lines)

    async def series(
        self,
        by: By,
        figure: Figure,
        period: Period,
        among: Among = EVERYTHING,
        names: Sequence[str] = (),
    ) -> tuple[Point, ...]:
        """Return one figure of each span, oldest first, of these names alone, () for all."""
        sums, name = latencies.c, _name(by)
        conditions = [sums.figure == figure.value, period.spans(), *among.conditions()]
        if names and by in _BY:
            conditions.append(name.in_(names))
        found: dict[tuple[int, str], Histogram] = {}
        for start, name_, *counted in await self._read((sums.start, name), conditions):
            found.setdefault((start, name_), Histogram()).add(*counted)
        return tuple(Point(*place, found[place]) for place in sorted(found))

    async def _read(
        self, place: Sequence[ColumnElement[Any]], conditions: Sequence[ColumnElement[bool]]
    ) -> list[tuple[Any, ...]]:
        """Return places with buckets, how many turns are in each, and what they add up to."""
        labelled = [each.label(f"place_{number}") for number, each in enumerate(place)]
        sums = latencies.c
        query = (
            select(
                *labelled,
                sums.bucket,
                *(cast(func.sum(each), BigInteger) for each in (sums.turns, sums.total)),
            )
            .where(*conditions)
            .group_by(*(each.name for each in labelled), sums.bucket)
        )
        async with self._database.read() as connection:
            return [tuple(row) for row in await connection.execute(query)]


def _name(by: By) -> ColumnElement[str]:
    return _BY[by] if by in _BY else literal("")


def add_to_latencies(dialect: Dialect) -> str:
    """Return the statement that adds what `buckets_of` returns to the histograms there are."""
    return upsert(dialect, latencies, ("turns", "total"))


def measured(rows: Iterable[TurnRow]) -> Iterator[Measured]:
    """Yield what served turns show; see `filled`, which asks the log for the same."""
    for row in rows:
        if row.first_event_ms is not None and row.channel_id and not row.error_code:
            yield Measured(
                row.started_at,
                row.project_id,
                row.channel_id,
                row.model_asked,
                row.first_event_ms,
                row.total_ms,
                row.output_tokens,
                row.outcome in _ENDED,
                row.streams,
            )


def buckets_of(turns: Iterable[Measured]) -> list[tuple[Any, ...]]:
    """Add turns up to rows of `latencies`, in one order for all writers: none waits crosswise."""
    sums: dict[tuple[str | int, ...], list[int]] = {}
    for turn in turns:
        whose = turn[1:4]
        for figure, value in _values(turn):
            bucket = bucket_of(value)
            for span, length in LENGTHS.items():
                start = turn.started_at - turn.started_at % length
                sum_ = sums.setdefault((figure, span, start, *whose, bucket), [0, 0])
                sum_[0] += 1
                sum_[1] += value
    return [(*key, *sums[key]) for key in sorted(sums)]


def _values(turn: Measured) -> Iterator[tuple[str, int]]:
    """Yield each figure that a turn shows.

    What a client left has no end of its own. How fast tokens come shows only where they come one
    by one: the time after the first event.
    """
    yield Figure.FIRST_EVENT.value, turn.first_event_ms
    if not turn.has_ended:
        return
    yield Figure.TOTAL.value, turn.total_ms
    took = turn.total_ms - turn.first_event_ms
    if turn.streams and turn.output_tokens and took > 0:
        yield Figure.TOKENS_A_SECOND.value, turn.output_tokens * _TENTHS // took
