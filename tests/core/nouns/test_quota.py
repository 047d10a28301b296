"""Windows of a subscription: what is used, and until when nothing is served."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.nouns.quota import Quota, QuotaTracker, Window, quota_of

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


def test_a_refusal_says_itself_until_when():
    """Its word comes before all windows, and holds until then and no longer."""
    quota = Quota(primary=Window(100.0, 300, LATEST)).refused(LATER, NOW, "plus")
    assert (LATER, None, "plus") == (
        quota.blocked_until(NOW),
        quota.blocked_until(LATER),
        quota.plan,
    )


PERCENT = st.floats(0.0, 100.0)
AHEAD = st.floats(1.0, 1e6)
MINUTES = st.integers(1, 20_000)


@given(PERCENT, PERCENT, MINUTES, AHEAD)
def test_more_left_is_never_worth_less(one, other, minutes, ahead):
    """At the same reset, who has used less has at least as much headroom."""
    less, more = sorted((one, other))
    used = [Window(each, minutes, NOW + ahead).headroom(NOW) for each in (less, more)]
    assert used == sorted(used, reverse=True)


@given(PERCENT, MINUTES, AHEAD, AHEAD)
def test_an_earlier_reset_is_never_worth_less(percent, minutes, one, other):
    """With as much left, what resets sooner would be lost sooner: it is used first."""
    sooner, later = sorted((one, other))
    worth = [Window(percent, minutes, NOW + each).headroom(NOW) for each in (sooner, later)]
    assert worth == sorted(worth, reverse=True)


@given(PERCENT, PERCENT)
def test_the_tightest_window_decides(one, other):
    """What one limit leaves helps nothing where another one binds."""
    both = Quota(primary=Window(one), secondary=Window(other)).headroom(NOW)
    assert both == min(Window(one).headroom(NOW), Window(other).headroom(NOW))
    assert 1.0 == Quota().headroom(NOW)


@given(PERCENT, MINUTES, AHEAD)
def test_a_reset_forgets_the_use(percent, minutes, ahead):
    """After its reset a window is as good as new."""
    assert 1.0 == Window(percent, minutes, NOW).headroom(NOW + ahead)


def test_what_is_told_adds_to_what_was_known():
    """A message about one window takes nothing away from the other, and counts as news."""
    quota_tracker = QuotaTracker(Quota("plus", Window(1.0), Window(2.0), credits_left="5"))
    assert not quota_tracker.is_unsaved
    quota_tracker.observe(Quota(primary=Window(9.0), seen_at=NOW))
    expected = Quota("plus", Window(9.0), Window(2.0), credits_left="5", seen_at=NOW)
    assert (expected, True) == (quota_tracker.quota, quota_tracker.is_unsaved)


@pytest.mark.parametrize(
    ("before", "after", "is_news"),
    [
        (Quota(), Quota(seen_at=9.0, credits_left="5"), False),
        (Quota(primary=Window(10.0)), Quota(primary=Window(10.9)), False),
        (Quota(primary=Window(10.0)), Quota(primary=Window(11.0)), True),
        (Quota(primary=Window(90.0)), Quota(primary=Window(3.0)), True),
        (Quota(secondary=Window(10.0)), Quota(secondary=Window(12.0)), True),
        (Quota(), Quota(primary=Window(0.0)), True),
        (Quota(), Quota(limit_reached=True), True),
        (Quota("plus"), Quota("pro"), True),
    ],
)
def test_news_is_a_percent_or_another_answer(before, after, is_news):
    """What others need not know yet is not told."""
    assert is_news == after.is_news(before)


def test_what_was_told_is_what_news_are_measured_by():
    """Many small steps are told once they are a percent together."""
    heard = []
    tracker = QuotaTracker(tell=lambda quota: heard.append(quota.primary.used_percent))
    for percent in (10.0, 10.5, 10.9, 11.2, 11.9, 12.3):
        tracker.observe(Quota(primary=Window(percent)))
    assert [10.0, 11.2, 12.3] == heard
    tracker.take_over(Quota(primary=Window(20.0), seen_at=1.0))
    tracker.observe(Quota(primary=Window(20.5), seen_at=2.0))
    assert [10.0, 11.2, 12.3] == heard


def test_an_older_word_of_somebody_else_is_not_taken():
    """What was seen here since stands."""
    tracker = QuotaTracker(Quota("plus", seen_at=5.0))
    tracker.take_over(Quota("pro", seen_at=5.0))
    assert "plus" == tracker.quota.plan
    tracker.take_over(Quota("pro", seen_at=6.0))
    assert ("pro", False) == (tracker.quota.plan, tracker.is_unsaved)


def test_a_quota_is_read_from_its_values():
    """As a database and other nodes have them."""
    quota = Quota("plus", Window(1.0, 300, 5.0), None, limit_reached=True, refused_until=7.0)
    assert quota == quota_of(asdict(quota))


WINDOW = {"used_percent": 55, "minutes": 300, "resets_at": 2e9}


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        "quota",
        {"plan": 1},
        {"limit_reached": "no"},
        {"limit_reached": 1},
        {"credits_left": None},
        {"seen_at": "now"},
        {"seen_at": True},
        {"refused_until": "2026-01-01"},
        {"refused_until": float("nan")},
        {"refused_until": 1e300},
        {"primary": [55]},
        {"primary": {"minutes": 300}},
        {"primary": WINDOW | {"used_percent": "55%"}},
        {"primary": WINDOW | {"minutes": 10**400}},
        {"secondary": WINDOW | {"resets_at": "soon"}},
        {"secondary": WINDOW | {"resets_at": float("inf")}},
    ],
)
def test_what_is_no_quota_is_refused(values):
    """A turn could not compute with it."""
    with pytest.raises(ValueError, match=r"."):
        quota_of(values)


def test_what_another_version_adds_is_passed_over():
    """And what it leaves out is not known."""
    quota = quota_of({"plan": "plus", "tertiary": {}, "primary": WINDOW | {"kind": "weekly"}})
    assert Quota("plus", Window(55, 300, 2e9)) == quota
    assert Quota() == quota_of({})
