"""Turns that ended, sent to a collector as traces and metrics.

Law: `observe` never waits and never fails; spans are made in a thread, when they are sent.
"""

import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from opentelemetry.sdk.metrics.export import Metric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family

from longwire.core.nouns.turn_row import TurnRow
from longwire.relay.channels.channel import RoutingTable, Snapshot
from longwire.relay.records.accounting import TurnRecord
from longwire.relay.records.telemetry.conventions import NOBODY, Provider, provider_of
from longwire.relay.records.telemetry.metrics import TurnMetrics, translated
from longwire.relay.records.telemetry.options import TelemetryOptions
from longwire.relay.records.telemetry.sending import (
    MetricSender,
    TurnQueue,
    TurnSender,
    ended,
    metrics_sent,
    quiet_sdk,
)
from longwire.relay.records.telemetry.spans import EndedTurn
from longwire.relay.records.tracing import Tracing

_UNNAMED: Final = "unknown_service"
"""What the SDK calls a service that nobody has named."""


class Providers:
    """Who answers at each channel that runs."""

    def __init__(self, routing: RoutingTable) -> None:
        self._routing = routing
        self._seen: Snapshot | None = None
        self._known: Mapping[str, Provider] = {}

    def of(self, channel_id: str) -> Provider:
        """Return who answers at a channel, nobody for one that is gone."""
        snapshot = self._routing.snapshot
        if snapshot is not self._seen:
            channels = snapshot.channels.values()
            self._known = {each.id: provider_of(each.spec) for each in channels}
            self._seen = snapshot
        return self._known.get(channel_id, NOBODY)


class Telemetry:
    """What of turns is sent; `families` are the gateway's own metrics, `node` is whose they are."""

    def __init__(
        self,
        options: TelemetryOptions,
        routing: RoutingTable,
        families: Callable[[], Iterable[Family]],
        node: tuple[str, str],
    ) -> None:
        name, version = node
        self._options = options
        self._resource = _resource(options, name, version)
        self._scope = InstrumentationScope("longwire", version)
        self._providers = Providers(routing)
        self._families = families
        self._since = time.time_ns()
        self._queue: TurnQueue | None = None
        self._metrics = TurnMetrics() if options.has_metrics else None
        self.tracing = Tracing(options.ratio) if options.has_traces else None

    @property
    def dropped(self) -> int:
        """How many turns were not sent."""
        return self._queue.dropped if self._queue else 0

    def observe(self, row: TurnRow, record: TurnRecord) -> None:
        """Take a turn that ended."""
        provider = self._providers.of(row.channel_id)
        if self._metrics is not None:
            self._metrics.add(row, provider)
        if self.tracing is None or self._queue is None:
            return
        trace = self.tracing.context_of(record)
        if trace.is_sampled:
            self._queue.put(EndedTurn(row, tuple(record.failures), trace, provider))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send until left, and then what is left."""
        quiet_sdk()
        async with AsyncExitStack() as stack:
            if self._metrics is not None:
                sender = MetricSender(self._options, self._scope, self._collect)
                sent = metrics_sent(
                    sender, self._resource, self._options.interval, lambda: self.dropped
                )
                await stack.enter_async_context(sent)
            if self.tracing is not None:
                sending = TurnSender(self._options, self._resource, self._scope)
                self._queue = TurnQueue(sending, self._options.queue)
                stack.push_async_callback(ended, self._queue.close, sending.reach)
            yield

    def _collect(self) -> list[Metric]:
        now = time.time_ns()
        own = list(translated(self._families(), self._since, now))
        return own + (self._metrics.collect(self._since, now) if self._metrics else [])


def _resource(options: TelemetryOptions, node: str, version: str) -> Resource:
    """Return who sends, with what `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` say."""
    process = {"service.version": version, "service.instance.id": f"{node}-{os.getpid()}"}
    resource = Resource.create({**process, **options.attributes})
    name = options.service
    if not name and str(resource.attributes.get("service.name")).startswith(_UNNAMED):
        name = "longwire"
    return resource.merge(Resource({"service.name": name})) if name else resource
