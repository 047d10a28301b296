"""What members' keys may have at most."""

import pytest

from longwire.core.nouns.access import Budgets, Grant, Rates
from longwire.core.nouns.bounds import Bounds, bounded, check_bounds, check_within

BOUNDS = Bounds(
    ("gpt-5*", "o3"), ("ch_1", "ch_2"), Rates(requests_per_minute=60), Budgets(cost_per_day=10**9)
)


def test_what_is_left_out_is_as_the_bounds_are():
    """A key that says nothing of itself has all that it may, and no more."""
    grant = bounded(Grant(rates=Rates(concurrent_turns=2)), BOUNDS)
    assert (BOUNDS.models, BOUNDS.channels, BOUNDS.budgets) == (
        grant.models,
        grant.channels,
        grant.budgets,
    )
    assert Rates(60, None, 2) == grant.rates
    assert [] == [*check_within(grant, BOUNDS)]


@pytest.mark.parametrize("models", [("gpt-5",), ("gpt-5*",), ("o3", "gpt-5.5")])
def test_less_is_allowed(models):
    """Names that a bound matches, and the bounds' own patterns."""
    grant = bounded(Grant(models=models, channels=("ch_2",)), BOUNDS)
    assert [] == [*check_within(grant, BOUNDS)]


@pytest.mark.parametrize(
    ("grant", "field"),
    [
        (Grant(models=("*",)), "models"),
        (Grant(models=("gpt-5", "gpt-4")), "models"),
        (Grant(models=("gpt-[5]",)), "models"),
        (Grant(channels=("ch_3",)), "channels"),
        (Grant(rates=Rates(requests_per_minute=61)), "rates.requestsPerMinute"),
        (Grant(budgets=Budgets(cost_per_day=2 * 10**9)), "budgets.costPerDay"),
    ],
)
def test_more_is_refused_by_its_field(grant, field):
    """Whatever goes beyond the bounds is named, and nothing else."""
    found = [each.field for each in check_within(bounded(grant, BOUNDS), BOUNDS)]
    assert [field] == found


def test_without_bounds_all_is_allowed():
    """A project without bounds binds nothing."""
    grant = Grant(models=("*",), budgets=Budgets(tokens_per_day=5))
    assert grant == bounded(grant, Bounds())
    assert [] == [*check_within(grant, Bounds())]


def test_bounds_are_checked_themselves():
    """A bound of nothing would let a key be made that serves nobody."""
    wrong = Bounds(("",), rates=Rates(concurrent_turns=0))
    assert ["memberBounds.models", "memberBounds.rates.concurrentTurns"] == [
        each.field for each in check_bounds(wrong)
    ]
