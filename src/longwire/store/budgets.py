"""Budgets of keys, users, projects and channels."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from longwire.core.errors import FieldProblem, InvalidFields, refuse
from longwire.core.nouns.access import Actor
from longwire.core.nouns.budget import Action, Budget, Period, SubjectKind, Unit, check_budget
from longwire.store.changes import ChangeLog, check_revision, unique
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.rows import columns_of, held_row, value_of
from longwire.store.secrets import new_id
from longwire.store.tables import api_keys, budgets, channels, projects, users

_DECLARED: Final = "file:"
_NAMES: Final = {
    SubjectKind.KEY: (api_keys.c.id, api_keys.c.name),
    SubjectKind.USER: (users.c.id, users.c.email),
    SubjectKind.PROJECT: (projects.c.id, projects.c.name),
    SubjectKind.CHANNEL: (channels.c.id, channels.c.name),
}
_ENUMS: Final = {"kind": SubjectKind, "period": Period, "unit": Unit, "action": Action}


class StoredBudgets:
    """The budgets of one database; `clock` gives ms since 1970 UTC."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._changes: ChangeLog[Budget] = ChangeLog("budget", clock, _name)

    async def all(self) -> tuple[Budget, ...]:
        """Return every budget, the oldest first: a gateway has few."""
        query = select(budgets).order_by(budgets.c.created_at, budgets.c.id)
        async with self._database.read() as connection:
            return tuple(_budget(row) for row in (await connection.execute(query)).all())

    async def names(self, of: Iterable[Budget]) -> dict[str, str]:
        """Return what people call those whose budgets they are, by kind and id."""
        wanted: dict[SubjectKind, set[str]] = {}
        found = {}
        for each in of:
            wanted.setdefault(each.kind, set()).add(each.subject_id)
            if each.subject_id.startswith(_DECLARED):
                found[each.subject] = each.subject_id.removeprefix(_DECLARED)
        async with self._database.read() as connection:
            for kind, ids in wanted.items():
                id_, name = _NAMES[kind]
                rows = await connection.execute(select(id_, name).where(id_.in_(ids)))
                found |= {f"{kind}:{row[0]}": row[1] for row in rows}
        return found

    async def find_subject(self, kind: SubjectKind, name: str) -> str | None:
        """Return the id of whom people call by a name, None where there is none or several."""
        id_, column = _NAMES[kind]
        async with self._database.read() as connection:
            found = (await connection.scalars(select(id_).where(column == name).limit(2))).all()
        return str(found[0]) if len(found) == 1 else None

    async def get(self, budget_id: str) -> Budget:
        """Return a budget. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await _held(connection, budget_id)

    async def create(self, budget: Budget, actor: Actor) -> Budget:
        """Add a budget and return it with its id.

        Raises `InvalidFields`, and `Conflict` where there is one for the same period and unit.
        """
        refuse(check_budget(budget))
        created = replace(budget, id=new_id("bud"), created_at=self._clock(), revision=1)
        named = (await self.names([created])).get(created.subject, created.subject_id)
        words = f"{created.kind.value} {named} has a budget in {created.unit.value}"
        taken = f"The {words} a {created.period.value} already; change that one."
        with unique("budget", _name(created), "kind", taken):
            async with self._database.write() as connection:
                await _check_subject(connection, created)
                await connection.execute(insert(budgets).values(_row(created)))
                await self._changes.note(connection, actor, "create", (None, created))
        return created

    async def update(self, budget: Budget, actor: Actor) -> Budget:
        """Change a budget's amount, warnings and action; `budget.revision` is the one seen.

        Whose it is, its period and its unit stay. Raises `InvalidFields`, `NotFound`, `Conflict`.
        """
        refuse(check_budget(budget))
        async with self._database.write() as connection:
            held = await _held(connection, budget.id)
            check_revision("budget", _name(held), held.revision, budget.revision)
            changed = replace(
                held,
                amount=budget.amount,
                warns_at=budget.warns_at,
                action=budget.action,
                revision=held.revision + 1,
            )
            mine = budgets.c.id == held.id
            await connection.execute(update(budgets).where(mine).values(_row(changed)))
            await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def delete(self, budget_id: str, revision: int, actor: Actor) -> None:
        """Delete a budget. Raises `NotFound` and `Conflict`."""
        async with self._database.write() as connection:
            held = await _held(connection, budget_id)
            check_revision("budget", _name(held), held.revision, revision)
            await connection.execute(delete(budgets).where(budgets.c.id == budget_id))
            await self._changes.note(connection, actor, "delete", (held, None))


async def delete_budgets_of(
    connection: AsyncConnection,
    subject: tuple[SubjectKind, str],
    actor: Actor,
    clock: Callable[[], int],
) -> None:
    """Delete the budgets of who or what is deleted, in the same transaction."""
    kind, subject_id = subject
    theirs = (budgets.c.kind == kind) & (budgets.c.subject_id == subject_id)
    held = (await connection.execute(select(budgets).where(theirs))).all()
    await connection.execute(delete(budgets).where(theirs))
    changes: ChangeLog[Budget] = ChangeLog("budget", clock, _name)
    for row in held:
        await changes.note(connection, actor, "delete", (_budget(row), None))


def _name(budget: Budget) -> str:
    return f"{budget.subject} {budget.unit.value} a {budget.period.value}"


async def _check_subject(connection: AsyncConnection, budget: Budget) -> None:
    """Raise `InvalidFields` for a budget of nobody."""
    id_, _ = _NAMES[budget.kind]
    may_be = budget.kind in (SubjectKind.KEY, SubjectKind.CHANNEL)
    is_declared = may_be and budget.subject_id.startswith(_DECLARED)
    if not is_declared and not await connection.scalar(select(id_).where(id_ == budget.subject_id)):
        mend = f"there is no such {budget.kind.value}"
        raise InvalidFields([FieldProblem("subjectID", mend)])


async def _held(connection: AsyncConnection, budget_id: str) -> Budget:
    return _budget(await held_row(connection, budgets, "budget", budget_id))


def _budget(row: Row[Any]) -> Budget:
    words = {name: kind(getattr(row, name)) for name, kind in _ENUMS.items()}
    return value_of(Budget, row, **words, warns_at=tuple(row.warns_at), is_declared=False)


def _row(budget: Budget) -> dict[str, Any]:
    return {**columns_of(budget, "warns_at", "is_declared"), "warns_at": list(budget.warns_at)}
