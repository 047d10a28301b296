"""Budgets by UTC day and month, as keys have them and as bounds of projects."""

import strawberry

from longwire.core.nouns.access import Budgets
from longwire.server.admin.inputs import view_of
from longwire.server.admin.scalars import Int64, dollars_or_none, nano_or_none


@strawberry.type(name="Budgets", description="Most tokens and US dollars by UTC day and month.")
class BudgetLimits:
    tokens_per_day: Int64 | None
    tokens_per_month: Int64 | None
    cost_per_day: float | None
    cost_per_month: float | None


@strawberry.input(description="Costs in US dollars; null is no limit, left out is null.")
class BudgetsInput:
    tokens_per_day: Int64 | None = None
    tokens_per_month: Int64 | None = None
    cost_per_day: float | None = None
    cost_per_month: float | None = None

    def budgets(self) -> Budgets:
        """Return them as the core has them."""
        return Budgets(
            self.tokens_per_day,
            self.tokens_per_month,
            nano_or_none(self.cost_per_day),
            nano_or_none(self.cost_per_month),
        )


def shown_budgets(budgets: Budgets) -> BudgetLimits:
    """Return budgets with their costs in dollars."""
    return view_of(
        BudgetLimits,
        budgets,
        cost_per_day=dollars_or_none(budgets.cost_per_day),
        cost_per_month=dollars_or_none(budgets.cost_per_month),
    )
