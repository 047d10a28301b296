"""A budget: what a key, a user, a project or a channel may spend in a day, a week or a month.

Law: of one subject there is one budget for each period and unit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from longwire.core.errors import FieldProblem
from longwire.core.nouns.access import GREATEST, most_text

_MOST_WARNINGS: Final = 10
_WHOLE: Final = 100
_NANO: Final = 1_000_000_000


class SubjectKind(StrEnum):
    """Whose budget it is."""

    KEY = "key"
    USER = "user"
    PROJECT = "project"
    CHANNEL = "channel"


class Period(StrEnum):
    """For how long it lasts; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Unit(StrEnum):
    """What is counted: tokens in and out, or US dollars."""

    TOKENS = "tokens"
    DOLLARS = "dollars"


class Action(StrEnum):
    """What becomes of turns once it is spent: they are refused, or served all the same."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget as it is kept: an `amount` of tokens, or of billionths of a US dollar.

    It `warns_at` these shares of it, in percent. Times in ms since 1970 UTC.
    """

    id: str
    kind: SubjectKind
    subject_id: str
    period: Period
    unit: Unit
    amount: int
    warns_at: tuple[int, ...] = (80,)
    action: Action = Action.REFUSE
    created_at: int = 0
    revision: int = 0
    is_declared: bool = False

    @property
    def subject(self) -> str:
        """Whose it is, by kind and id."""
        return f"{self.kind}:{self.subject_id}"


class DeclaredBudget(NamedTuple):
    """A budget of the file, and the name of whose it is; `is_own` where the file declares these."""

    budget: Budget
    name: str
    is_own: bool


def check_budget(budget: Budget) -> Iterator[FieldProblem]:
    """Yield what is wrong, field by field."""
    if not budget.subject_id:
        yield FieldProblem("subjectID", f"name the {budget.kind.value} whose budget it is")
    if not 1 <= budget.amount <= GREATEST:
        most = most_text(is_money=budget.unit is Unit.DOLLARS)
        bound = "more than 0" if budget.amount < 1 else f"{most} at most"
        yield FieldProblem("amount", f"must be {bound}; delete the budget for no limit")
    shares = budget.warns_at
    if len(shares) > _MOST_WARNINGS or not all(1 <= each <= _WHOLE for each in shares):
        yield FieldProblem("warnsAt", f"write up to {_MOST_WARNINGS} shares of 1 to 100 percent")


def amount_text(unit: Unit, amount: int) -> str:
    """Return an amount in words, as `2.50 US dollars` or `1,000 tokens`."""
    if unit is Unit.TOKENS:
        return f"{amount:,} tokens"
    dollars = f"{amount / _NANO:,.9f}".rstrip("0")
    whole, _, cents = dollars.partition(".")
    return f"{whole}.{cents:0<2} US dollars"
