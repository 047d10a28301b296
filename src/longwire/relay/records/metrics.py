"""The gateway's Prometheus metrics: names are public, labels bounded by the configuration.

Turns add to plain numbers; families are made of them when somebody asks.
"""

from bisect import bisect_left
from collections import Counter as Count
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.utils import floatToGoString

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_WAITS = (0.005, 0.05, 0.25, 1, 5, 15, 30)
_COUNTERS = {
    "longwire_turns": (
        "Turns that ended, by how they travelled and how they ended.",
        ("channel", "transport", "continuity", "reason", "outcome"),
    ),
    "longwire_request_bytes": ("Bytes of request bodies as callers sent them.", ()),
    "longwire_upstream_bytes": ("Bytes of requests as they were sent upstream.", ()),
    "longwire_tokens": ("Tokens as upstreams counted them.", ("channel", "kind")),
    "longwire_dials": ("WebSocket handshakes, by result.", ("channel", "result")),
    "longwire_replays": ("Attempts made good by another, by cause.", ("channel", "cause")),
}


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is counted elsewhere.

    Channel and state of each live connection; channel, reason and number of those that ended; how
    many rows of the turn log wait to be written, and how many were lost; how many clients are
    connected over WebSocket; this node's name and version; where limits are counted now;
    open alerts by rule, and attempts to deliver some by result; what turns cost by channel, in
    billionths of a US dollar; how many turns no collector got.
    """

    connections: Callable[[], Iterable[tuple[str, str]]]
    evictions: Callable[[], Iterable[tuple[str, str, int]]]
    turn_log: Callable[[], tuple[int, int]] = lambda: (0, 0)
    clients: Callable[[], int] = lambda: 0
    node: Callable[[], tuple[str, str]] = lambda: ("", "")
    limits: Callable[[], str] = lambda: "process"
    alerts: Callable[[], tuple[Mapping[str, int], Mapping[str, int]]] = lambda: ({}, {})
    costs: Callable[[], Mapping[str, int]] = dict
    unsent: Callable[[], int] = lambda: 0


class Spans:
    """Spans of time in seconds, by one label or none: how many up to each bound, and their sum."""

    __slots__ = ("_bounds", "_labels", "_name", "_rows", "_text")

    def __init__(
        self, name: str, text: str, bounds: Sequence[float], labels: tuple[str, ...] = ()
    ) -> None:
        self._name = name
        self._text = text
        self._labels = labels
        self._bounds = (*bounds, float("inf"))
        self._rows: dict[str, list[float]] = {}
        if not labels:
            self._row("")

    def observe(self, seconds: float, label: str = "") -> None:
        """Count a span."""
        row = self._rows.get(label) or self._row(label)
        row[bisect_left(self._bounds, seconds)] += 1
        row[-1] += seconds

    def _row(self, label: str) -> list[float]:
        row = self._rows[label] = [0.0] * (len(self._bounds) + 1)
        return row

    def collect(self) -> Metric:
        """Return the family."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        bounds = [_shown(bound) for bound in self._bounds]
        for label, (*counts, total) in self._rows.items():
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric([label] if self._labels else [], buckets, total)
        return family


class TurnRate:
    """Turns a second, of the last five to ten seconds where it is asked for every five."""

    __slots__ = ("_last", "_mark")

    _SPAN = 5.0

    def __init__(self) -> None:
        self._mark: tuple[int, float] | None = None
        self._last: tuple[int, float] | None = None

    def per_second(self, turns: int, now: float) -> float:
        """Return the rate, when so many turns have ended until now, in seconds."""
        if self._last is None or self._mark is None:
            self._mark = self._last = (turns, now)
        elif now - self._last[1] >= self._SPAN:
            self._mark, self._last = self._last, (turns, now)
        before, since = self._mark
        return round((turns - before) / (now - since), 1) if now > since else 0.0


class Metrics:
    """One registry, so that several gateways can live in one process.

    Counters are added to by the tuple of their labels, in the order of `_COUNTERS`.
    """

    def __init__(self, gauges: Gauges) -> None:
        self.turns: Count[tuple[str, ...]] = Count()
        self.tokens: Count[tuple[str, ...]] = Count()
        self.dials: Count[tuple[str, ...]] = Count()
        self.replays: Count[tuple[str, ...]] = Count()
        self.request_bytes = 0
        self.upstream_bytes = 0
        channel = ("channel",)
        self.turn_seconds = Spans(
            "longwire_turn_seconds", "Duration of whole turns.", _SECONDS, channel
        )
        self.first_event_seconds = Spans(
            "longwire_first_event_seconds", "Time until a turn's first event.", _SECONDS, channel
        )
        self.queue_seconds = Spans("longwire_queue_seconds", "Wait for a free connection.", _WAITS)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._registry.register(_Elsewhere(gauges))

    def collect(self) -> Iterator[Metric]:
        """Yield what turns added up to."""
        unlabelled: tuple[str, ...] = ()
        spans = (self.turn_seconds, self.first_event_seconds)
        yield _counted("longwire_turns", self.turns)
        yield from (each.collect() for each in spans)
        yield _counted("longwire_request_bytes", {unlabelled: self.request_bytes})
        yield _counted("longwire_upstream_bytes", {unlabelled: self.upstream_bytes})
        yield _counted("longwire_tokens", self.tokens)
        yield _counted("longwire_dials", self.dials)
        yield _counted("longwire_replays", self.replays)
        yield self.queue_seconds.collect()

    def families(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from self._registry.collect()

    def render(self) -> bytes:
        """Return all metrics in the text format."""
        return generate_latest(self._registry)


def _shown(bound: float) -> str:
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]


def _counted(name: str, numbers: Mapping[tuple[str, ...], int]) -> Metric:
    text, labels = _COUNTERS[name]
    family = CounterMetricFamily(name, text, labels=labels)
    for values, number in numbers.items():
        family.add_metric(values, number)
    return family


class _Elsewhere:
    """What others count for themselves, read when asked."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield live connections by state, ended ones by reason, and the state of the turn log."""
        live = GaugeMetricFamily(
            "longwire_connections",
            "Live upstream WebSocket connections.",
            labels=("channel", "state"),
        )
        for labels, number in sorted(Count(self._gauges.connections()).items()):
            live.add_metric(labels, number)
        yield live
        ended = CounterMetricFamily(
            "longwire_evictions", "Connections that ended, by cause.", labels=("channel", "reason")
        )
        numbers: Count[tuple[str, str]] = Count()
        for channel, reason, number in self._gauges.evictions():
            numbers[channel, reason] += number
        for labels, number in sorted(numbers.items()):
            ended.add_metric(labels, number)
        yield ended
        yield from _of_turn_log(*self._gauges.turn_log())
        node = GaugeMetricFamily(
            "longwire_node_info", "The node and its version.", labels=("node", "version")
        )
        node.add_metric(self._gauges.node(), 1)
        yield node
        yield GaugeMetricFamily(
            "longwire_client_connections", "Clients' WebSocket connections.", self._gauges.clients()
        )
        counted = GaugeMetricFamily(
            "longwire_limits_counted", "Where limits are counted now.", labels=("where",)
        )
        counted.add_metric([self._gauges.limits()], 1)
        yield counted
        yield _of_costs(self._gauges.costs())
        yield CounterMetricFamily(
            "longwire_telemetry_dropped", "Turns that no collector got.", self._gauges.unsent()
        )
        yield from _of_alerts(*self._gauges.alerts())


def _of_turn_log(waiting: int, dropped: int) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "longwire_turn_log_waiting", "Turns that wait to be written to the log.", waiting
    )
    yield CounterMetricFamily(
        "longwire_turn_log_dropped", "Turns that the log had no room for.", dropped
    )


def _of_costs(costs: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(
        "longwire_cost_usd", "What turns cost that have a price.", labels=("channel",)
    )
    for channel, billionths in sorted(costs.items()):
        family.add_metric([channel], billionths / 1e9)
    return family


def _of_alerts(lasting: Mapping[str, int], results: Mapping[str, int]) -> Iterator[Metric]:
    alerts = GaugeMetricFamily(
        "longwire_alerts_open", "Alerts that last, at the node that looked last.", labels=("rule",)
    )
    for rule, number in sorted(lasting.items()):
        alerts.add_metric([rule], number)
    yield alerts
    deliveries = CounterMetricFamily(
        "longwire_alert_deliveries", "Attempts to deliver an alert, by result.", labels=("result",)
    )
    for result, number in sorted(results.items()):
        deliveries.add_metric([result], number)
    yield deliveries
