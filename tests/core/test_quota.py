"""Windows of a subscription: what is used, and until when nothing is served."""

import pytest

from longwire.core.quota import Quota, Window

NOW = 1_000.0
LATER, LATEST = 1_600.0, 9_000.0


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(40.0, 300, LATER), 40.0),
        (Window(40.0), 40.0),
        (Window(40.0, 300, NOW), 0.0),
        (Window(140.0, 300, LATER), 100.0),
        (Window(-3.0, 300, LATER), 0.0),
    ],
)
def test_a_window_counts_until_it_resets(window, expected):
    """And never as less than nothing or more than all."""
    assert expected == window.used(NOW)


def test_the_fullest_window_counts():
    """A weekly limit may bind while the hourly one is fresh."""
    assert Quota(primary=Window(10.0), secondary=Window(80.0)).used(NOW) == 80.0
    assert Quota().used(NOW) == 0.0


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        (Quota(), None),
        (Quota(primary=Window(99.0, 300, LATER)), None),
        (Quota(primary=Window(100.0, 300, LATER)), LATER),
        (Quota(primary=Window(100.0, 300, LATER), secondary=Window(100.0, 10, LATEST)), LATEST),
        (Quota(primary=Window(100.0, 300, LATER), secondary=Window(5.0, 10, LATEST)), LATER),
        (Quota(primary=Window(100.0, 300, NOW)), None),
        (Quota(primary=Window(90.0, 300, LATER), limit_reached=True), LATER),
        (Quota(primary=Window(90.0, 5, LATER), secondary=Window(1.0, 10, LATEST),
               limit_reached=True), LATER),
        (Quota(primary=Window(90.0, 300, NOW), limit_reached=True), None),
        (Quota(limit_reached=True), None),
    ],
)  # fmt: skip
def test_a_full_window_refuses_until_it_resets(quota, expected):
    """The last full one counts; without a full one the word of the provider does."""
    assert expected == quota.blocked_until(NOW)
