"""A burst at once, then a steady rate."""

from hypothesis import given
from hypothesis import strategies as st

from longwire.core.rules.backoff import Pace


def test_a_burst_goes_at_once_and_the_rest_waits() -> None:
    """One a second after the first three."""
    pace = Pace(rate=1.0, burst=3)
    assert [0.0, 0.0, 0.0, 1.0, 2.0] == [pace.reserve(100.0) for _ in range(5)]


def test_a_pause_earns_a_new_burst() -> None:
    """But never more than one burst."""
    pace = Pace(rate=2.0, burst=2)
    for _ in range(4):
        pace.reserve(0.0)
    assert [0.0, 0.0, 0.5] == [pace.reserve(1000.0) for _ in range(3)]


@given(st.lists(st.floats(0, 5), min_size=1, max_size=40), st.integers(1, 5))
def test_no_second_sees_more_than_burst_and_rate(gaps: list[float], burst: int) -> None:
    """However they come."""
    pace, now, starts = Pace(rate=1.0, burst=burst), 0.0, []
    for gap in gaps:
        now += gap
        starts.append(now + pace.reserve(now))
    for first in starts:
        assert burst + 1 >= sum(1 for start in starts if first <= start < first + 0.999)
