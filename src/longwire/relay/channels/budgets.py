"""Budgets as they run: those of the store and of the file, in the zone that is set."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from longwire.core.nouns.budget import Budget, DeclaredBudget, SubjectKind
from longwire.core.rules.limits import Subject
from longwire.core.rules.spending import subjects_of
from longwire.logger import structlog

if TYPE_CHECKING:
    from longwire.store.store import Store

_log = structlog.get_logger()
NO_BUDGETS: Final[Mapping[str, Subject]] = MappingProxyType({})


async def running_budgets(
    store: "Store", declared: Iterable[DeclaredBudget], time_zone: str
) -> Mapping[str, Subject]:
    """Return who may spend what, by kind and id."""
    found = (*await found_budgets(store, declared), *await store.budgets.all())
    if not found:
        return NO_BUDGETS
    zone = time_zone or await store.settings.time_zone()
    return subjects_of(found, await store.budgets.names(found), zone)


async def found_budgets(store: "Store", declared: Iterable[DeclaredBudget]) -> tuple[Budget, ...]:
    """Return the budgets of the file whose keys, users, projects and channels there are.

    A budget of nobody is said in the log.
    """
    found = []
    for budget, name, is_own in declared:
        id_ = f"file:{name}" if is_own else await store.budgets.find_subject(budget.kind, name)
        if id_ is None:
            mend = "call it by its email" if budget.kind is SubjectKind.USER else "call it by name"
            _log.warning("budget_of_nobody", kind=budget.kind.value, name=name, mend=mend)
            continue
        found.append(replace(budget, subject_id=id_))
    return tuple(found)
