"""The gateway's Prometheus metrics: names are public, labels bounded by the configuration."""

from collections import Counter as Count
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_WAITS = (0.005, 0.05, 0.25, 1, 5, 15, 30)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is counted elsewhere.

    Channel and state of each live connection; channel, reason and number of those that ended; how
    many rows of the turn log wait to be written, and how many were lost; how many clients are
    connected over WebSocket.
    """

    connections: Callable[[], Iterable[tuple[str, str]]]
    evictions: Callable[[], Iterable[tuple[str, str, int]]]
    turn_log: Callable[[], tuple[int, int]] = lambda: (0, 0)
    clients: Callable[[], int] = lambda: 0


class Metrics:
    """One registry, so that several gateways can live in one process."""

    def __init__(self, gauges: Gauges) -> None:
        # Else each name would come a second time, with a date.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self.turns = self._counter(
            "longwire_turns",
            "Turns that ended, by how they travelled and how they ended.",
            ("channel", "transport", "continuity", "reason", "outcome"),
        )
        self.turn_seconds = self._histogram("longwire_turn_seconds", "Duration of whole turns.")
        self.first_event_seconds = self._histogram(
            "longwire_first_event_seconds", "Time until a turn's first event."
        )
        self.request_bytes = self._counter(
            "longwire_request_bytes", "Bytes of request bodies as callers sent them."
        )
        self.upstream_bytes = self._counter(
            "longwire_upstream_bytes", "Bytes of requests as they were sent upstream."
        )
        self.tokens = self._counter(
            "longwire_tokens", "Tokens as upstreams counted them.", ("channel", "kind")
        )
        self.dials = self._counter(
            "longwire_dials", "WebSocket handshakes, by result.", ("channel", "result")
        )
        self.replays = self._counter(
            "longwire_replays", "Attempts made good by another, by cause.", ("channel", "cause")
        )
        self.queue_seconds = Histogram(
            "longwire_queue_seconds",
            "Wait for a free connection.",
            buckets=_WAITS,
            registry=self._registry,
        )
        self._registry.register(_Elsewhere(gauges))

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, ("channel",), buckets=_SECONDS, registry=self._registry)

    def render(self) -> bytes:
        """Return all metrics in the text format."""
        return generate_latest(self._registry)


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
        waiting, dropped = self._gauges.turn_log()
        yield GaugeMetricFamily(
            "longwire_turn_log_waiting", "Turns that wait to be written to the log.", waiting
        )
        yield CounterMetricFamily(
            "longwire_turn_log_dropped", "Turns that the log had no room for.", dropped
        )
        yield GaugeMetricFamily(
            "longwire_client_connections", "Clients' WebSocket connections.", self._gauges.clients()
        )
