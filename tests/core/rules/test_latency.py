"""Histograms of latencies: how far off they are, and that they add up."""

from collections import Counter
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from longwire.core.rules.latency import bucket_of, percentile, value_of

WITHIN = 0.096
VALUES = st.lists(st.integers(0, 30_000_000), min_size=1, max_size=300)
SHARES = st.sampled_from([0.5, 0.95, 0.99, 1.0]) | st.floats(0.0, 1.0)


def histogram(values):
    return Counter(map(bucket_of, values))


@given(VALUES, SHARES)
def test_a_percentile_is_within_the_documented_error(values, share):
    """Whatever was measured: at most 9.6 % off the true one, or 1 where that is 0 or 1."""
    exact = sorted(values)[max(1, ceil(share * len(values))) - 1]
    found = percentile(histogram(values), share)
    assert abs(found - exact) <= max(1.0 if exact <= 1 else 0.0, WITHIN * exact)


@given(VALUES, VALUES)
def test_merging_is_adding(one, other):
    """The histogram of all turns is the sum of those of its parts."""
    assert histogram(one + other) == histogram(one) + histogram(other)


@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_buckets_keep_order_and_are_few(one, other):
    """A greater value is in no earlier bucket, and 96 hold everything."""
    least, most = sorted((one, other))
    assert 0 <= bucket_of(least) <= bucket_of(most) <= 95


def test_an_empty_histogram_has_no_percentile():
    """Of nothing there is nothing to tell."""
    assert percentile({}, 0.5) is None


def test_what_stands_for_a_bucket_is_in_it():
    """Each bucket's own value falls into it, so that nothing drifts where it is added again."""
    buckets = list(range(20, 96))
    assert buckets == [bucket_of(ceil(value_of(bucket))) for bucket in buckets]
