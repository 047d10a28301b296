"""Laws of limits: never more than allowed, and never a longer wait than needed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.nouns.access import Budgets, Rates
from longwire.core.rules.limits import Meter, Spent, Subject, Window

NOON = datetime(2026, 10, 31, 12, tzinfo=UTC).timestamp()
STEPS = st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60)


def key(budgets=None, **rates):
    return Subject("key:1", "ci", Rates(**rates), budgets or Budgets())


@given(steps=STEPS, limit=st.integers(1, 8))
def test_no_minute_has_more_than_it_may(steps, limit):
    """However requests come, any sixty seconds admit at most the limit; and some are admitted."""
    meter, subject, now, admitted = Meter(), key(requests_per_minute=limit), NOON, []
    for step in steps:
        now += step
        if meter.refusal(subject, now) is None:
            meter.begin(now)
            meter.end(now, Spent())
            admitted.append(now)
    assert all(sum(begin <= each < begin + 60 for each in admitted) <= limit for begin in admitted)
    assert len(admitted) >= min(limit, len(steps))


@given(steps=STEPS, limit=st.integers(1, 8))
def test_waiting_as_told_is_enough_and_hardly_too_long(steps, limit):
    """Who waits `retry_after` gets in, and who waits two seconds less than that may not."""
    meter, subject, now = Meter(), key(requests_per_minute=limit), NOON
    for step in steps:
        now += step
        refusal = meter.refusal(subject, now)
        if refusal is None:
            meter.begin(now)
            meter.end(now, Spent())
        else:
            now += refusal.retry_after - 2
            assert meter.refusal(subject, now) is not None
            now += 2
            assert meter.refusal(subject, now) is None


@given(
    amounts=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50)), max_size=30),
)
def test_a_window_counts_a_minute(amounts):
    """It holds what came in the last sixty whole seconds, in bounded memory."""
    window, now, seen = Window(), NOON, []
    for step, amount in amounts:
        now += step
        window.add(now, amount)
        seen.append((int(now), amount))
        expected = sum(each for second, each in seen if second >= int(now) - 60)
        assert expected == window.used(now)
        assert len(window._sums) <= 61


def test_a_clock_that_goes_back_loses_nothing():
    """What was counted stays counted for its minute."""
    window = Window()
    window.add(NOON, 1)
    window.add(NOON - 30, 2)
    assert 3 == window.used(NOON)
    assert 0 == window.used(NOON + 61)


@pytest.mark.parametrize("back", [3_600, 86_400 * 30])
def test_a_clock_that_was_far_ahead_refuses_nobody_for_long(back):
    """What was counted then counts for a minute, as if it had been now."""
    meter, subject = Meter(), key(requests_per_minute=1)
    meter.begin(NOON)
    meter.end(NOON, Spent())
    now = NOON - back
    refusal = meter.refusal(subject, now)
    assert refusal is not None
    assert 60 <= refusal.retry_after <= 62
    assert meter.refusal(subject, now + refusal.retry_after) is None


def test_tokens_are_counted_when_they_are_known():
    """A turn is admitted while tokens are left; once they are used up, the next one waits."""
    meter, subject = Meter(), key(tokens_per_minute=100)
    for _ in range(2):
        assert meter.refusal(subject, NOON) is None
        meter.begin(NOON)
    meter.end(NOON, Spent(99))
    assert meter.refusal(subject, NOON) is None
    meter.end(NOON, Spent(500))
    refusal = meter.refusal(subject, NOON)
    assert ("rate_limit_exceeded", 61) == (refusal.code, refusal.retry_after)
    assert meter.refusal(subject, NOON + 61) is None


def test_turns_at_once():
    """A turn that ends makes room for the next."""
    meter, subject = Meter(), key(concurrent_turns=2)
    meter.begin(NOON)
    meter.begin(NOON)
    assert "2 turns at once" in str(meter.refusal(subject, NOON))
    meter.end(NOON, Spent())
    assert meter.refusal(subject, NOON) is None


@pytest.mark.parametrize(
    ("budgets", "spent", "seconds"),
    [
        (Budgets(tokens_per_day=10), Spent(tokens=10), 12 * 3600),
        (Budgets(cost_per_day=10), Spent(cost=10), 12 * 3600),
        (Budgets(tokens_per_month=10), Spent(tokens=10), 12 * 3600),
        (Budgets(cost_per_month=10, tokens_per_day=1), Spent(1, 10), 12 * 3600),
    ],
)
def test_a_budget_lasts_until_its_time_is_over(budgets, spent, seconds):
    """What is used up comes back with the next UTC day or month, here the same moment."""
    meter, subject = Meter(), key(budgets)
    meter.begin(NOON)
    meter.end(NOON, spent)
    refusal = meter.refusal(subject, NOON)
    assert ("insufficient_quota", seconds) == (refusal.code, refusal.retry_after)
    assert meter.refusal(subject, NOON + seconds - 1) is not None
    assert meter.refusal(subject, NOON + seconds) is None


def test_a_month_outlasts_its_days():
    """The budget of a month is not renewed by a new day."""
    meter, subject = Meter(), key(Budgets(tokens_per_month=10))
    monday = datetime(2026, 10, 5, 12, tzinfo=UTC).timestamp()
    meter.set_spent(monday, Spent(), Spent(tokens=10))
    assert meter.refusal(subject, monday + 86_400) is not None


def test_what_others_counted_is_taken_over():
    """Sums from elsewhere replace what this process knew."""
    meter, subject = Meter(), key(Budgets(tokens_per_day=10))
    meter.set_spent(NOON, Spent(tokens=9), Spent(tokens=9))
    assert meter.refusal(subject, NOON) is None
    meter.begin(NOON)
    meter.end(NOON, Spent(tokens=1))
    assert meter.refusal(subject, NOON) is not None


WAYS = {
    "a minute": ({"tokens_per_minute": 1_000}, None),
    "a day": ({}, Budgets(tokens_per_day=1_000)),
    "a month": ({}, Budgets(tokens_per_month=1_000)),
    "the cost of a day": ({}, Budgets(cost_per_day=1_000)),
    "the cost of a month": ({}, Budgets(cost_per_month=1_000)),
}


@pytest.mark.parametrize(("rates", "budgets"), WAYS.values(), ids=WAYS)
@given(expected=st.integers(1, 2_000), spent=st.integers(0, 2_000), before=st.integers(0, 999))
def test_turns_at_once_are_those_that_fit(rates, budgets, expected, spent, before):
    """Of any number at once, so many get in as come to the limit; then what they cost counts."""
    meter, subject, estimate = Meter(), key(budgets, **rates), Spent(expected, expected)
    meter.count(NOON, Spent(before, before))
    admitted = 0
    while meter.refusal(subject, NOON) is None:
        meter.begin(NOON, estimate)
        admitted += 1
    assert -(-(1_000 - before) // expected) == admitted
    refusal = meter.refusal(subject, NOON)
    assert ("rate_limit_exceeded", 1) == (refusal.code, refusal.retry_after)
    for _ in range(admitted):
        meter.end(NOON, Spent(spent, spent), estimate)
    is_used_up = before + admitted * spent >= 1_000
    assert is_used_up == (meter.refusal(subject, NOON) is not None)
    assert (0, 0, 0) == (meter.active, meter.reserved_tokens, meter.reserved_cost)


def test_a_single_turn_is_never_too_large():
    """What it is expected to cost keeps out others, and not itself."""
    meter, subject = Meter(), key(Budgets(tokens_per_day=10))
    assert meter.refusal(subject, NOON) is None
    meter.begin(NOON, Spent(1_000_000))
    assert "turns under way" in str(meter.refusal(subject, NOON))


def test_a_correction_counts_both_ways():
    """The day has what was really spent; the minute takes nothing off."""
    meter = Meter()
    meter.begin(NOON)
    meter.end(NOON, Spent(100, 1_000))
    meter.count(NOON, Spent(-40, 500))
    assert (Spent(60, 1_500), 100) == (meter.sums[0], meter.tokens.used(NOON))
    meter.count(NOON, Spent(30, 0))
    assert (Spent(90, 1_500), 130) == (meter.sums[0], meter.tokens.used(NOON))


def test_turns_that_are_not_written_yet_are_not_forgotten():
    """What somebody else counted is less than what is known here: the rest is on its way."""
    meter = Meter()
    meter.count(NOON, Spent(100, 10))
    meter.set_spent(NOON, Spent(40, 20), Spent(400, 5))
    assert (Spent(100, 20), Spent(400, 10)) == (meter.sums[0], meter.sums[1])


@given(known=st.integers(0, 99), since=st.integers(0, 99), spent=st.integers(0, 299))
def test_what_somebody_spent_can_become_less(known, since, spent):
    """Where all that was known is in the sums: what was counted since then stays, and no more."""
    meter = Meter()
    meter.count(NOON, Spent(known, known))
    before = tuple(meter.sums)
    meter.count(NOON, Spent(since, since))
    meter.set_spent(NOON, Spent(spent, spent), Spent(), before=before)
    day = max(spent, min(known + since, spent + since))
    assert (Spent(day, day), Spent(since, since)) == (meter.sums[0], meter.sums[1])


def test_a_count_of_yesterday_says_nothing_of_today():
    """It was begun just before midnight; but a clock that went back is believed."""
    meter, midnight = Meter(), datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    meter.count(midnight + 1, Spent(5))
    meter.set_spent(midnight - 1, Spent(900), Spent(900))
    assert Spent(5) == meter.sums[0]
    meter.set_spent(NOON, Spent(7), Spent(8))
    assert (Spent(7), Spent(8)) == (meter.sums[0], meter.sums[1])
