"""How long turns and their bodies are kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from longwire.core.errors import FieldProblem

MOST_DAYS: Final = 3650


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that turns stay in the log, and bodies with them; sums by day are never deleted."""

    turn_days: int = 30
    body_days: int = 3
    revision: int = 0


def check_retention(retention: Retention) -> Iterator[FieldProblem]:
    """Yield what is wrong, field by field."""
    for name, days in (("turnDays", retention.turn_days), ("bodyDays", retention.body_days)):
        if not 1 <= days <= MOST_DAYS:
            yield FieldProblem(name, f"must be 1 to {MOST_DAYS} days")
    if retention.body_days > retention.turn_days:
        yield FieldProblem("bodyDays", "bodies cannot stay longer than their turns")
