"""Whom budgets bind, and how what is spent of them is told."""

from dataclasses import replace

import pytest

from longwire.core.errors import LimitReached
from longwire.core.nouns.access import Grant
from longwire.core.nouns.budget import (
    Action,
    Budget,
    Period,
    SubjectKind,
    Unit,
    amount_text,
    check_budget,
)
from longwire.core.rules.calendar import Calendar
from longwire.core.rules.limits import Meter, PeriodLimit, Spent
from longwire.core.rules.spending import BudgetState, bound_by, subjects_of

ZONE = "Europe/Berlin"
NOON = 1_795_950_000.0  # 2026-11-29 12:00 in Berlin
USER = Budget("bud_1", SubjectKind.USER, "usr_1", Period.WEEK, Unit.DOLLARS, 5 * 10**9)
NAMES = {"user:usr_1": "ada@example.org"}


def test_of_several_budgets_of_a_period_the_least_counts():
    """The file's and the store's, say; another unit or period stands beside it."""
    others = (
        Budget("b", SubjectKind.USER, "usr_1", Period.WEEK, Unit.DOLLARS, 3 * 10**9),
        Budget("c", SubjectKind.USER, "usr_1", Period.DAY, Unit.TOKENS, 100),
    )
    (subject,) = subjects_of((USER, *others), NAMES, ZONE).values()
    assert (PeriodLimit(100), PeriodLimit(None, 3 * 10**9), PeriodLimit()) == subject.spending


def test_a_budget_that_only_warns_binds_nobody():
    """It is told of, and no turn waits for it."""
    warns = Budget("b", SubjectKind.USER, "usr_1", Period.DAY, Unit.TOKENS, 1, action=Action.WARN)
    assert {} == subjects_of((warns,), NAMES, ZONE)


def test_a_key_is_bound_by_its_own_budgets_its_users_and_its_projects():
    """And by nobody else's; a key of nobody is bound by no user's."""
    budgets = [
        Budget(kind.value, kind, f"{kind.value}_1", Period.DAY, Unit.TOKENS, 1)
        for kind in SubjectKind
    ]
    found = subjects_of(budgets, {}, "UTC")
    grant = Grant("key_1", "project_1", "user_1")
    names = [each.name for each in bound_by(found, grant)]
    assert ["the key 'key_1'", "the user 'user_1'", "the project 'project_1'"] == names
    assert [] == bound_by(found, Grant("key_2", "project_2"))


def test_a_refusal_names_the_budget_and_when_it_begins_anew():
    """Of a week that ends on Sunday at midnight, by its zone's clocks."""
    (subject,) = subjects_of((USER,), NAMES, ZONE).values()
    meter = Meter(calendar=subject.calendar)
    meter.count(NOON, Spent(10, 5 * 10**9))
    refusal = meter.refusal(subject, NOON)
    assert isinstance(refusal, LimitReached)
    ends = subject.calendar.span(Period.WEEK, NOON).ends
    assert (
        "The budget of the user 'ada@example.org', 5.00 US dollars a week, is used up until "
        f"{Calendar(ZONE).text(ends)}."
    ) == str(refusal)
    assert ("insufficient_quota", int(ends - NOON)) == (refusal.code, refusal.retry_after)
    assert meter.refusal(subject, ends) is None


def test_what_turns_under_way_may_use_up_is_told_apart():
    """It may be free again in a second."""
    (subject,) = subjects_of((USER,), NAMES, ZONE).values()
    meter = Meter(calendar=subject.calendar)
    meter.begin(NOON, Spent(10, 5 * 10**9))
    refusal = meter.refusal(subject, NOON)
    assert "The user 'ada@example.org' may have no more than the cost of the week" in str(refusal)
    assert 1 == refusal.retry_after


@pytest.mark.parametrize(
    ("spent", "share", "warned_at"),
    [(0, 0, None), (79, 0.79, None), (80, 0.8, 80), (99, 0.99, 80), (120, 1.2, 100)],
)
def test_the_greatest_share_that_is_reached_is_told(spent, share, warned_at):
    """To the token: neither before nor after."""
    budget = Budget("b", SubjectKind.KEY, "k", Period.DAY, Unit.TOKENS, 100, (50 + 30, 100))
    state = BudgetState(budget, "k", spent, ZONE, Calendar(ZONE).span(Period.DAY, NOON))
    assert (share, warned_at) == (state.share, state.warned_at)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 2**63}, "amount"),
        ({"warns_at": (0,)}, "warnsAt"),
        ({"warns_at": (101,)}, "warnsAt"),
        ({"subject_id": ""}, "subjectID"),
    ],
)
def test_bad_fields_are_named(change, field):
    """Each by its own name."""
    assert [field] == [each.field for each in check_budget(replace(USER, **change))]


@pytest.mark.parametrize(
    ("unit", "amount", "text"),
    [
        (Unit.TOKENS, 1_000, "1,000 tokens"),
        (Unit.DOLLARS, 2_500_000_000, "2.50 US dollars"),
        (Unit.DOLLARS, 1, "0.000000001 US dollars"),
        (Unit.DOLLARS, 100 * 10**9, "100.00 US dollars"),
    ],
)
def test_amounts_are_told_in_words(unit, amount, text):
    """Dollars with their cents, and with more places where there are some."""
    assert text == amount_text(unit, amount)
