"""Which trace each turn belongs to, and what is sent of it: all but the sending.

The OpenTelemetry SDK is loaded by the package `telemetry`, and only where somebody wants it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from random import SystemRandom
from typing import Any, Final

from longwire.core.errors import ConfigurationError
from longwire.core.rules.trace_context import (
    TRACE_CONTEXT_HEADER,
    TRACE_STATE_HEADER,
    TraceContext,
    joined_trace,
    new_trace,
    parse_traceparent,
)
from longwire.relay.records.accounting import TurnRecord

_NEEDED: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_TRACE_BITS, _SPAN_BITS = 128, 64
Bits = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Tracing:
    """Gives each turn its span; of traces that begin here, a share is sampled."""

    ratio: float
    bits: Bits = SystemRandom().getrandbits

    def context_of(self, record: TurnRecord) -> TraceContext:
        """Return the span of a turn, the same one as often as it is asked."""
        if record.trace is None:
            record.trace = self._begun(record.request.headers)
        return record.trace

    def onward(self, record: TurnRecord) -> Mapping[str, str]:
        """Return the headers that put the upstream's part into the trace of the turn."""
        return self.context_of(record).onward(len(record.failures))

    def _begun(self, headers: Mapping[str, str]) -> TraceContext:
        span_id = self.bits(_SPAN_BITS) or 1
        parent = parse_traceparent(headers.get(TRACE_CONTEXT_HEADER, ""))
        if parent is None:
            return new_trace(self.bits(_TRACE_BITS) or 1, span_id, self.ratio)
        return joined_trace(parent, headers.get(TRACE_STATE_HEADER, ""), span_id)


def import_telemetry() -> Any:  # noqa: ANN401 - a module
    """Return what sends turns, which loads the SDK. Raises `ConfigurationError` without one."""
    try:
        is_there = all(find_spec(name) for name in _NEEDED)
    except ModuleNotFoundError:  # not even the package that it is in
        is_there = False
    if not is_there:
        raise ConfigurationError("telemetry needs OpenTelemetry: pip install 'longwire[otel]'")
    return import_module("longwire.relay.records.telemetry.telemetry")
