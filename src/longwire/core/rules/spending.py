"""Whose turns budgets bind, and until when.

Law: of several budgets for one period and unit the least counts; those that only warn bind nobody.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from longwire.core.nouns.access import Grant, Rates
from longwire.core.nouns.budget import Action, Budget, Period, Unit
from longwire.core.rules.calendar import Calendar, Span
from longwire.core.rules.limits import PeriodLimit, Spent, Subject

_PERIODS = tuple(Period)


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget, whose it is by name, "" for one that is gone, and how much of it is spent.

    `unpriced` are models that it covers whose cost nobody knows, where it is one of dollars.
    """

    budget: Budget
    name: str
    spent: int
    zone: str
    span: Span
    unpriced: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """How much of it is spent: 1 for all, and more where turns under way went beyond."""
        return self.spent / self.budget.amount

    @property
    def warned_at(self) -> int | None:
        """The greatest of its shares, in percent, that is reached; None for none yet."""
        percent = 100 * self.spent
        reached = (each for each in self.budget.warns_at if percent >= each * self.budget.amount)
        return max(reached, default=None)


def subjects_of(
    budgets: Iterable[Budget], names: Mapping[str, str], zone: str
) -> dict[str, Subject]:
    """Return who may spend what, by kind and id; `names` are what people call them by."""
    of_subject: defaultdict[str, list[Budget]] = defaultdict(list)
    for budget in budgets:
        if budget.action is Action.REFUSE:
            of_subject[budget.subject].append(budget)
    return {
        name: Subject(
            f"budget:{zone}:{name}",
            f"the {own[0].kind.value} '{names.get(name, own[0].subject_id)}'",
            Rates(),
            calendar=Calendar(zone, _PERIODS),
            spending=tuple(_limit(own, period) for period in _PERIODS),
        )
        for name, own in of_subject.items()
    }


def bound_by(budgets: Mapping[str, Subject], grant: Grant) -> list[Subject]:
    """Return the subjects with budgets whose turns are those of a key: itself, user, project."""
    names = (f"key:{grant.key_id}", f"user:{grant.user_id}", f"project:{grant.project_id}")
    return [budgets[name] for name in names if name in budgets]


def spent_of(budget: Budget, spent: Spent) -> int:
    """Return what of a sum counts against a budget."""
    return spent.tokens if budget.unit is Unit.TOKENS else spent.cost


def _limit(budgets: Iterable[Budget], period: Period) -> PeriodLimit:
    amounts: defaultdict[Unit, list[int]] = defaultdict(list)
    for budget in budgets:
        if budget.period is period:
            amounts[budget.unit].append(budget.amount)
    tokens, dollars = amounts[Unit.TOKENS], amounts[Unit.DOLLARS]
    return PeriodLimit(min(tokens, default=None), min(dollars, default=None))
