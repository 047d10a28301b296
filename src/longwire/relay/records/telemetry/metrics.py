"""What turns add up to, in the metrics of the conventions; and the gateway's own beside them.

Turns add to plain numbers; the SDK's points are made of them when it is time to send some.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from longwire.core.nouns.turn_row import TurnRow
from longwire.relay.records.telemetry.conventions import (
    ERROR_TYPE,
    OPERATION,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    TOKEN_TYPE,
    Provider,
    operation_of,
    said,
)

_SECONDS: Final = tuple(0.01 * 2**power for power in range(14))
_TOKENS: Final = tuple(4**power for power in range(14))
_FIRST: Final = (
    0.001,
    0.005,
    0.01,
    0.02,
    0.04,
    0.06,
    0.08,
    0.1,
    0.25,
    0.5,
    0.75,
    1,
    2.5,
    5,
    7.5,
    10,
)
"""The bounds that the conventions ask for."""

MOST_ROWS: Final = 2_000
"""So many sets of labels a metric has at most; further ones are counted without their models."""

_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE
Labels = tuple[str, ...]


class Rows:
    """A histogram: how many up to each bound, their sum and extremes, by labels."""

    __slots__ = ("_about", "_bounds", "_name", "_rows", "_unit")

    def __init__(self, name: str, unit: str, about: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._unit = unit
        self._about = about
        self._bounds = bounds
        self._rows: dict[Labels, list[float]] = {}

    def add(self, value: float, labels: Labels) -> None:
        """Count a value."""
        row = self._rows.get(labels) or self._row(labels)
        row[bisect_left(self._bounds, value)] += 1
        row[-3] += value
        row[-2], row[-1] = min(row[-2], value), max(row[-1], value)

    def _row(self, labels: Labels) -> list[float]:
        if len(self._rows) >= MOST_ROWS:
            labels = tuple(
                "" if name in _MODELS else v for name, v in zip(LABELS, labels, strict=True)
            )
        empty = [0.0] * (len(self._bounds) + 1)
        return self._rows.setdefault(labels, [*empty, 0.0, float("inf"), float("-inf")])

    def collect(self, since: int, now: int) -> Metric:
        """Return the metric, counted from a time until another, in ns since 1970 UTC."""
        points = [self._point(labels, row, since, now) for labels, row in self._rows.items()]
        return Metric(self._name, self._about, self._unit, Histogram(points, _CUMULATIVE))

    def _point(self, labels: Labels, row: list[float], since: int, now: int) -> HistogramDataPoint:
        counts = [int(each) for each in row[:-3]]
        return HistogramDataPoint(
            attributes_of(labels),
            since,
            now,
            sum(counts),
            row[-3],
            counts,
            self._bounds,
            row[-2],
            row[-1],
        )


LABELS: Final = (
    OPERATION,
    "gen_ai.provider.name",
    "server.address",
    "server.port",
    REQUEST_MODEL,
    RESPONSE_MODEL,
    ERROR_TYPE,
    TOKEN_TYPE,
)
_MODELS: Final = (REQUEST_MODEL, RESPONSE_MODEL)


@lru_cache(MOST_ROWS)
def _labels(
    api: str, provider: Provider, requested: str, served: str, error: str
) -> tuple[Labels, Labels, Labels, Labels]:
    """Return the labels of a turn: its own, with its error, of tokens read, of tokens written."""
    port = str(provider.port) if provider.port else ""
    own = (operation_of(api), provider.name, provider.address, port, requested, served)
    return (*own, "", ""), (*own, error, ""), (*own, "", "input"), (*own, "", "output")


def attributes_of(labels: Labels) -> dict[str, str | int]:
    """Return labels as attributes, those left out that are not known."""
    found = said(dict(zip(LABELS, labels, strict=True)))
    if "server.port" in found:
        found["server.port"] = int(found["server.port"])
    return found


class TurnMetrics:
    """The metrics of the conventions, which each turn that left the gateway adds to."""

    __slots__ = ("_durations", "_first_tokens", "_tokens")

    def __init__(self) -> None:
        self._durations = Rows(
            "gen_ai.client.operation.duration", "s", "GenAI operation duration.", _SECONDS
        )
        self._tokens = Rows(
            "gen_ai.client.token.usage", "{token}", "Tokens used, by kind.", _TOKENS
        )
        self._first_tokens = Rows(
            "gen_ai.server.time_to_first_token", "s", "Time to the first token.", _FIRST
        )

    def add(self, row: TurnRow, provider: Provider) -> None:
        """Count a turn. What was refused before it left names any model it likes: none counts."""
        if not row.channel_id:
            return
        plain, failed, read, written = _labels(
            row.api, provider, row.model_asked, row.model_served, row.error_code
        )
        self._durations.add(row.total_ms / 1000, failed)
        if row.first_event_ms is not None:
            self._first_tokens.add(row.first_event_ms / 1000, plain)
        if row.input_tokens is not None:
            self._tokens.add(row.input_tokens, read)
        if row.output_tokens is not None:
            self._tokens.add(row.output_tokens, written)

    def collect(self, since: int, now: int) -> list[Metric]:
        """Return the metrics, counted from a time until another, in ns since 1970 UTC."""
        each = (self._durations, self._tokens, self._first_tokens)
        return [rows.collect(since, now) for rows in each]


def translated(families: Iterable[Family], since: int, now: int) -> Iterator[Metric]:
    """Yield the gateway's own metrics, `longwire_turns` as `longwire.turns`, labels as they are."""
    for family in families:
        name = family.name.replace("_", ".", 1)
        match family.type:
            case "counter":
                points = [_number(each, since, now) for each in family.samples]
                yield Metric(name, family.documentation, "", Sum(points, _CUMULATIVE, True))  # noqa: FBT003 - the SDK's own order
            case "histogram":
                histogram = Histogram(list(_histograms(family, since, now)), _CUMULATIVE)
                yield Metric(name, family.documentation, "s", histogram)
            case _:
                points = [_number(each, since, now) for each in family.samples]
                yield Metric(name, family.documentation, "", Gauge(points))


def _number(sample: Sample, since: int, now: int) -> NumberDataPoint:
    return NumberDataPoint(dict(sample.labels), since, now, sample.value)


def _histograms(family: Family, since: int, now: int) -> Iterator[HistogramDataPoint]:
    by_labels: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in family.samples:
        labels = tuple((k, v) for k, v in sample.labels.items() if k != "le")
        by_labels.setdefault(labels, []).append(sample)
    for labels, samples in by_labels.items():
        yield _histogram(dict(labels), samples, (since, now))


def _histogram(
    labels: Mapping[str, str], samples: Sequence[Sample], span: tuple[int, int]
) -> HistogramDataPoint:
    upto = [each for each in samples if each.name.endswith("_bucket")]
    total = next((each.value for each in samples if each.name.endswith("_sum")), 0.0)
    sums = [int(each.value) for each in upto]
    counts = [more - less for less, more in zip([0, *sums], sums, strict=False)]
    bounds = [float(each.labels["le"]) for each in upto][:-1]
    none = float("nan")
    return HistogramDataPoint(
        dict(labels), *span, sums[-1] if sums else 0, total, counts, bounds, none, none
    )
