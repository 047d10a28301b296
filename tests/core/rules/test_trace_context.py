import re

import pytest

from longwire.core.rules.trace_context import (
    TraceParent,
    joined_trace,
    new_trace,
    parse_traceparent,
)

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("flags", "is_sampled"), [("00", False), ("01", True), ("02", False), ("03", True)]
)
def test_the_lowest_bit_of_the_flags_says_whether_it_is_sampled(flags, is_sampled):
    """Other bits are for others."""
    expected = TraceParent(TRACE, PARENT, is_sampled)
    assert expected == parse_traceparent(f"00-{TRACE}-{PARENT}-{flags}")


@pytest.mark.parametrize(
    "text", ["", "00", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", "x" * 55]
)
def test_what_is_not_valid_is_no_parent(text):
    """A trace or a span of zeros is none."""
    assert parse_traceparent(text) is None


def test_each_attempt_has_a_span_of_its_own_in_the_callers_trace():
    """The trace, its flag and its state go on; the parent of the upstream is the attempt."""
    span = joined_trace(TraceParent(TRACE, PARENT, is_sampled=True), "vendor=1", 2**64 - 1)
    first, second = (span.onward(number) for number in (0, 1))
    assert "vendor=1" == first["tracestate"]
    parents = [parse_traceparent(each["traceparent"]) for each in (first, second)]
    assert [(TRACE, True)] * 2 == [(each.trace, each.is_sampled) for each in parents]
    assert 3 == len({span.span_id, *(int(each.parent, 16) for each in parents)})


@pytest.mark.parametrize("span_id", [1, 2**63, 2**64 - 2, 2**64 - 1])
def test_no_span_has_the_id_of_zeros(span_id):
    """It would not be valid."""
    span = new_trace(1, span_id, 1.0)
    assert all(re.fullmatch(r"[0-9a-f]{16}", f"{span.attempt_id(n):016x}") for n in range(4))
    assert all(span.attempt_id(number) for number in range(4))


@pytest.mark.parametrize(("ratio", "expected"), [(0.0, 0), (0.25, 25), (1.0, 100)])
def test_a_share_of_new_traces_is_sampled(ratio, expected):
    """By the lower half of the id, so that every service of a trace decides alike."""
    ids = [number * 2**64 // 100 + (7 << 64) for number in range(100)]
    assert expected == sum(new_trace(each, 1, ratio).is_sampled for each in ids)


def test_a_state_that_nobody_must_carry_is_left_out():
    """Longer than 512 letters, or no printable ASCII."""
    parent = TraceParent(TRACE, PARENT, is_sampled=True)
    assert [""] * 2 == [joined_trace(parent, text, 1).state for text in ("v=" + "1" * 511, "v=\n")]
