"""How telemetry leaves: in threads of the SDK, of which a turn knows nothing.

Law: a collector that is away slows nobody, and is said once: when it fails, and when it is back.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, cast

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope as PB2Scope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as PB2Resource
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from longwire.logger import structlog
from longwire.relay.records.telemetry.options import TelemetryOptions
from longwire.relay.records.telemetry.spans import EndedTurn, spans_of
from longwire.relay.records.telemetry.wire import request

_log = structlog.get_logger()
FAREWELL: Final = 1.0
"""How long the last of each kind may take to get away, in seconds."""

_BATCH: Final = 512
_ENDPOINT: Final = "see telemetry.endpoint"
_HEADERS: Final = "see telemetry.headers"
_REFUSES_WHO_SENDS: Final = {401, 403, 407, 431}
_LOOP_ANSWERS: Final = 10.0
Collect = Callable[[], Sequence[Metric]]


def quiet_sdk() -> None:
    """Let the SDK say nothing in the log: what fails is said here, once."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)


class Reach:
    """Whether the collector is reached, for one kind of telemetry."""

    __slots__ = ("_is_away", "_kind")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._is_away = False

    def note(self, *, succeeded: bool, mend: str = _ENDPOINT) -> None:
        """Note how an export ended, and say so where that is news."""
        if succeeded and self._is_away:
            _log.info("telemetry_sent_again", kind=self._kind)
        elif not succeeded and not self._is_away:
            _log.warning("telemetry_not_sent", kind=self._kind, mend=mend)
        self._is_away = not succeeded


def mend_of(status: int | None, error: Exception | None) -> str:
    """Return what to look at, by how a collector answered or why it could not be asked."""
    if status is not None:
        where = _HEADERS if status in _REFUSES_WHO_SENDS else _ENDPOINT
        return f"{where}; the collector answers {status}"
    if isinstance(error, UnicodeError) or type(error).__name__ == "InvalidHeader":
        return _HEADERS  # what it says would show the value
    return f"{_ENDPOINT}; {type(error).__name__}" if error else _ENDPOINT


class _Remembering:
    """The SDK's client, and what to look at since its last answer."""

    __slots__ = ("_client", "mend")

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - the SDK's, which does not export it
        self._client = client
        self.mend = _ENDPOINT

    def export(self, encoded: bytes) -> Any:  # noqa: ANN401 - likewise
        answer = self._client.export(encoded)
        self.mend = mend_of(answer.status_code, answer.error)
        return answer

    def shutdown(self) -> None:
        self._client.shutdown()


class TurnSender(OTLPSpanExporter):
    """Sends batches of turns as the SDK sends spans; counts those it got, and those it lost.

    What is handed to it is encoded here: `_client`, which sends bytes, is the SDK's for its own
    exporters, so that the extra `otel` holds the version.
    """

    def __init__(
        self, options: TelemetryOptions, resource: Resource, scope: InstrumentationScope
    ) -> None:
        super().__init__(endpoint=_below(options, "/v1/traces"), headers=_headers(options))
        self.taken = 0
        self.lost = 0
        self.reach = Reach("traces")
        self._resource = PB2Resource(
            attributes=[
                KeyValue(key=name, value=AnyValue(string_value=str(value)))
                for name, value in resource.attributes.items()
            ]
        ).SerializeToString()
        about = PB2Scope(name=scope.name, version=scope.version or "")
        self._scope = about.SerializeToString()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch of what stands in its queue; called in the SDK's thread."""
        self.taken += len(spans)
        waited = cast("Sequence[WaitingTurn]", spans)
        encoded = (span for each in waited for span in spans_of(each.turn))
        sent = self._client.export(request(self._resource, self._scope, encoded))
        if not sent.success:
            self.lost += len(spans)
        self.reach.note(succeeded=sent.success, mend=mend_of(sent.status_code, sent.error))
        return SpanExportResult.SUCCESS if sent.success else SpanExportResult.FAILURE


class WaitingTurn:
    """A turn in the SDK's queue of spans, which asks it only whether it is sampled."""

    context = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    __slots__ = ("turn",)

    def __init__(self, turn: EndedTurn) -> None:
        self.turn = turn


class TurnQueue:
    """Holds turns until a thread sends them; beyond its size they are dropped and counted."""

    def __init__(self, sender: TurnSender, most: int) -> None:
        self._most = most
        self._sender = sender
        self._processor = BatchSpanProcessor(
            sender, max_queue_size=most, max_export_batch_size=min(_BATCH, most)
        )
        self._offered = 0
        self._refused = 0

    @property
    def dropped(self) -> int:
        """How many turns there was no room for, or no collector."""
        return self._refused + self._sender.lost

    def put(self, turn: EndedTurn) -> None:
        """Hold a turn. Never waits."""
        if self._offered - self._sender.taken >= self._most:
            self._refused += 1
            return
        self._offered += 1
        self._processor.on_end(WaitingTurn(turn))  # type: ignore[arg-type]

    def close(self) -> None:
        """Send what is left; waits for that."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]


class MetricSender(MetricExporter):
    """Sends what `collect` returns, which is called in the loop, with what the SDK measured."""

    def __init__(
        self, options: TelemetryOptions, scope: InstrumentationScope, collect: Collect
    ) -> None:
        super().__init__()
        self._scope = scope
        self._collect = collect
        self._loop = asyncio.get_running_loop()
        self.reach = Reach("metrics")
        self._exporter = OTLPMetricExporter(
            endpoint=_below(options, "/v1/metrics"), headers=_headers(options)
        )
        self._answers = _Remembering(self._exporter._client)  # noqa: SLF001 - as TurnSender's
        self._exporter._client = self._answers  # type: ignore[assignment]  # noqa: SLF001

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **_others: object,
    ) -> MetricExportResult:
        """Send the sums; called in the SDK's thread."""
        own = ScopeMetrics(self._scope, self._in_loop(), "")
        whole = [
            ResourceMetrics(each.resource, [*each.scope_metrics, own], each.schema_url)
            for each in metrics_data.resource_metrics[:1]
        ]
        result = self._exporter.export(MetricsData(whole), timeout_millis)
        succeeded = result is MetricExportResult.SUCCESS
        self.reach.note(succeeded=succeeded, mend=self._answers.mend)
        return result

    def _in_loop(self) -> Sequence[Metric]:
        """Collect where turns add, for the numbers are theirs."""
        found: Future[Sequence[Metric]] = Future()
        self._loop.call_soon_threadsafe(lambda: found.set_result(self._collect()))
        return found.result(_LOOP_ANSWERS)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - the port's
        """Hold nothing back."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_others: object) -> None:
        """Give up what is being tried."""
        self._exporter.shutdown(timeout_millis)


@asynccontextmanager
async def metrics_sent(
    sender: MetricSender, resource: Resource, interval: float, dropped: Callable[[], int]
) -> AsyncIterator[None]:
    """Send metrics every so many seconds, and once more at the end."""

    def observed(_options: CallbackOptions) -> list[Observation]:
        return [Observation(dropped())]

    reader = PeriodicExportingMetricReader(sender, export_interval_millis=interval * 1000)
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    provider.get_meter("longwire").create_observable_counter(
        "longwire.telemetry.dropped", [observed], "{turn}", "Turns that were not sent."
    )
    try:
        yield
    finally:
        await ended(lambda: provider.shutdown(FAREWELL * 1000), sender.reach)


async def ended(end: Callable[[], None], reach: Reach) -> None:
    """End something that waits, in a thread that nobody waits for longer than `FAREWELL`.

    What does not get away by then is not sent, which is said.
    """
    done: Future[None] = Future()

    def run() -> None:
        with suppress(Exception):  # the end of what failed before is no news
            end()
        done.set_result(None)

    threading.Thread(target=run, name="telemetry-ends", daemon=True).start()
    try:
        async with asyncio.timeout(FAREWELL):
            await asyncio.shield(asyncio.wrap_future(done))
    except TimeoutError:
        reach.note(succeeded=False)


def _below(options: TelemetryOptions, path: str) -> str | None:
    """Return where one kind is sent, None for what the environment says."""
    return options.endpoint.rstrip("/") + path if options.endpoint else None


def _headers(options: TelemetryOptions) -> dict[str, str] | None:
    return {name: value.reveal() for name, value in options.headers.items()} or None
