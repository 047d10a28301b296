"""Money in the JSON of commands."""

import pytest

from longwire.cli.money import in_dollars
from longwire.core.nouns.access import Budgets
from longwire.core.nouns.budget import Budget, Period, SubjectKind, Unit
from longwire.core.nouns.price import ModelPrice, PriceTier
from longwire.core.nouns.secret import Secret
from longwire.core.rules.calendar import Span
from longwire.core.rules.spending import BudgetState


@pytest.mark.parametrize(
    ("unit", "amount", "spent"), [(Unit.DOLLARS, 2.5, 0.000000001), (Unit.TOKENS, 2_500_000_000, 1)]
)
def test_a_budget_is_in_its_unit(unit, amount, spent):
    """Dollars for dollars, and tokens as they are."""
    budget = Budget("b", SubjectKind.KEY, "key_1", Period.DAY, unit, 2_500_000_000)
    shown = in_dollars(BudgetState(budget, "dev", 1, Span(0, 1), "UTC"))
    assert (amount, spent) == (shown["budget"]["amount"], shown["spent"])


def test_prices_and_limits_are_in_dollars():
    """Of their tiers, too; a number of tokens stays, and what is not said is null."""
    price = ModelPrice("m", 1_250_000_000, 10**10, tiers=(PriceTier(200_000, 1, 2),))
    shown = in_dollars({"prices": [price], "budgets": Budgets(tokens_per_day=5, cost_per_day=5)})
    assert {
        "prices": [
            {
                "model": "m",
                "input": 1.25,
                "output": 10.0,
                "cached": None,
                "cache_write": None,
                "tiers": [
                    {
                        "above": 200_000,
                        "input": 1e-9,
                        "output": 2e-9,
                        "cached": None,
                        "cache_write": None,
                    }
                ],
            }
        ],
        "budgets": {
            "tokens_per_day": 5,
            "tokens_per_month": None,
            "cost_per_day": 5e-9,
            "cost_per_month": None,
        },
    } == shown


def test_a_cost_says_its_unit():
    """At any depth; what nobody knows stays null, and secrets stay secrets."""
    secret = Secret("sk")
    assert {"spent": [{"cost_usd": 0.5}, {"cost_usd": None}], "key": secret} == in_dollars(
        {"spent": [{"cost": 500_000_000}, {"cost": None}], "key": secret}
    )
