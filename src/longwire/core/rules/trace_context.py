"""W3C trace context: what a caller says about its trace, and what is said on upstream.

https://www.w3.org/TR/trace-context/; ids are numbers, as they are on the wire of OTLP.
"""

import re
from typing import Final, NamedTuple

TRACE_CONTEXT_HEADER = "traceparent"
TRACE_STATE_HEADER = "tracestate"
_SAMPLED: Final = 1
_MOST_SPANS: Final = 2**64
_LONGEST_STATE: Final = 512
"""What everybody must be able to carry (§3.3.1.5); a longer one is left out."""

_TRACEPARENT: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})"
    r"-(?!0{16})(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
"""https://www.w3.org/TR/trace-context/#traceparent-header-field-values; §4.3: later versions may
say more behind what this one says.
"""


class TraceParent(NamedTuple):
    """The span that a request is a part of, by its trace and its own id as hexadecimal digits."""

    trace: str
    parent: str
    is_sampled: bool


def parse_traceparent(text: str) -> TraceParent | None:
    """Return what a `traceparent` says, None for one that is not valid."""
    found = _TRACEPARENT.fullmatch(text.strip(" \t"))
    if found is None or (found["version"] == "00" and found["more"]):
        return None
    return TraceParent(found["trace"], found["parent"], bool(int(found["flags"], 16) & _SAMPLED))


class TraceContext(NamedTuple):
    """The span of a turn: in `trace_id`, below `parent_id` where a caller has one, 0 for none."""

    trace_id: int
    span_id: int
    parent_id: int
    is_sampled: bool
    state: str

    def attempt_id(self, number: int) -> int:
        """Return the id of the span of an attempt, the first one's number being 0."""
        return (self.span_id + number) % (_MOST_SPANS - 1) + 1

    def onward(self, number: int) -> dict[str, str]:
        """Return the headers that say to an upstream which attempt its request is a part of."""
        flags = int(self.is_sampled)
        span = self.attempt_id(number)
        headers = {TRACE_CONTEXT_HEADER: f"00-{self.trace_id:032x}-{span:016x}-{flags:02x}"}
        if self.state:
            headers[TRACE_STATE_HEADER] = self.state
        return headers


def joined_trace(parent: TraceParent, state: str, span_id: int) -> TraceContext:
    """Return the span of a turn in its caller's trace, which says whether it is sampled."""
    fits = len(state) <= _LONGEST_STATE and state.isascii() and state.isprintable()
    trace, above = int(parent.trace, 16), int(parent.parent, 16)
    return TraceContext(trace, span_id, above, parent.is_sampled, state if fits else "")


def new_trace(trace_id: int, span_id: int, ratio: float) -> TraceContext:
    """Return the span of a turn that begins a trace; of all traces this share is sampled.

    The share is told by the lower half of the id, as OpenTelemetry's `TraceIdRatioBased` does.
    """
    is_sampled = trace_id % _MOST_SPANS < ratio * _MOST_SPANS
    return TraceContext(trace_id, span_id, 0, is_sampled, "")
