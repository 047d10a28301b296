"""Budgets in the admin API, with how much of each is spent and when it begins anew.

Law: who sees the usage of some keys, users and projects sees their budgets, and no others.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import strawberry

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.access import PERMISSIONS, Permission, Role
from longwire.core.nouns.budget import Action, Budget, Period, SubjectKind, Unit
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.price import price_finder
from longwire.core.nouns.renames import renamer
from longwire.core.rules.spending import BudgetState
from longwire.relay.channels.budgets import found_budgets
from longwire.server.admin.administration import Administration
from longwire.server.admin.channels import ManagedBy
from longwire.server.admin.context import Info, Viewer, admitted
from longwire.server.admin.inputs import Reader, changes, view_of
from longwire.server.admin.paging import Id
from longwire.server.admin.scalars import dollars_of, nano_of, time_of
from longwire.server.admin.sight import joined_projects, sight_of
from longwire.store.spending import budget_states, with_unpriced
from longwire.store.store import now_ms

strawberry.enum(SubjectKind, name="BudgetSubject", description="Whose budget it is.")
strawberry.enum(Period, name="BudgetPeriod", description="For how long; weeks begin on Monday.")
strawberry.enum(Unit, name="BudgetUnit", description="Tokens in and out, or US dollars.")
strawberry.enum(Action, name="BudgetAction", description="What becomes of turns once it is spent.")
_CHANGED: Final = ("amount", "warns_at", "action")
_WHOSE: Final = ("kind", "subject_id", "period", "unit")
_NEW: Final = Budget("", SubjectKind.PROJECT, "", Period.MONTH, Unit.DOLLARS, 0)


@strawberry.type(name="Budget", description="What a key, a user, a project or a channel may spend.")
class BudgetView:
    id: strawberry.ID
    kind: SubjectKind
    subject_id: strawberry.ID
    subject_name: str = strawberry.field(description="Empty for one that is gone.")
    period: Period
    unit: Unit
    amount: float = strawberry.field(description="Tokens, or US dollars.")
    warns_at: list[int] = strawberry.field(description="Shares of it, in percent.")
    action: Action
    managed_by: ManagedBy
    is_of_key: bool = strawberry.field(
        description="Whether it stands at its key, where it is changed; it is by UTC periods then."
    )
    spent: float
    share: float = strawberry.field(description="How much of it is spent: 1 for all.")
    warned_at: int | None = strawberry.field(
        description="The greatest of the shares that is reached, in percent."
    )
    begins_at: datetime
    resets_at: datetime
    time_zone: str = strawberry.field(description="The zone that its period is one of.")
    unpriced_models: list[str] = strawberry.field(
        description="Models that it covers whose cost nobody knows: they cost nothing here."
    )
    revision: int


@strawberry.type(description="Where days, weeks and months of budgets begin.")
class BudgetCalendar:
    time_zone: str
    is_declared: bool = strawberry.field(description="Whether the file says so.")


@strawberry.input(description="Left out stays as it is; null sets the default.")
class BudgetInput:
    amount: float | None = strawberry.UNSET
    warns_at: list[int] | None = strawberry.UNSET
    action: Action | None = strawberry.UNSET


@strawberry.input(description="Whose it is, its period and its unit stay as they are for good.")
class NewBudgetInput:
    amount: float | None = strawberry.UNSET
    warns_at: list[int] | None = strawberry.UNSET
    action: Action | None = strawberry.UNSET
    kind: SubjectKind | None = strawberry.UNSET
    subject_id: strawberry.ID | None = strawberry.UNSET
    period: Period | None = strawberry.UNSET
    unit: Unit | None = strawberry.UNSET


Draft = Annotated[BudgetInput, strawberry.argument(name="input")]
NewDraft = Annotated[NewBudgetInput, strawberry.argument(name="input")]


def shown(state: BudgetState) -> BudgetView:
    """Return a budget as it is shown, its amounts in tokens or dollars."""
    budget = state.budget

    def amount(value: int) -> float:
        return dollars_of(value) if budget.unit is Unit.DOLLARS else float(value)

    return view_of(
        BudgetView,
        budget,
        subject_name=state.name,
        amount=amount(budget.amount),
        warns_at=list(budget.warns_at),
        managed_by=ManagedBy.FILE if budget.is_declared else ManagedBy.DATABASE,
        is_of_key=not budget.is_declared and budget.created_at == 0,
        spent=amount(state.spent),
        share=state.share,
        warned_at=state.warned_at,
        begins_at=time_of(round(state.span.begins * 1_000)),
        resets_at=time_of(round(state.span.ends * 1_000)),
        time_zone=state.zone,
        unpriced_models=list(state.unpriced),
    )


async def all_states(
    administration: Administration, key_ids: tuple[str, ...] | None = None
) -> tuple[BudgetState, ...]:
    """Return all budgets with what is spent, and the models without price that keys used."""
    store, now = administration.store, now_ms()
    declared = await found_budgets(store, administration.reconciler.declared.budgets)
    calendar = await _calendar_of(administration)
    states = await budget_states(store, declared, calendar.time_zone, now)
    specs = (*administration.declared_channels(), *await store.channels.all())

    def has_price(spec: ChannelSpec, model: str) -> bool:
        names = renamer(spec.renames)(model), model
        return administration.quote(names, price_finder(spec.prices)) is not None

    return await with_unpriced(store, states, specs, has_price, key_ids)


async def _budgets(info: Info) -> list[BudgetView]:
    viewer, administration = admitted(info, Permission.USAGE_READ)
    sight = await sight_of(administration, viewer)
    states = await all_states(administration, sight.key_ids)
    seen = await _seen(administration, viewer, states)
    return [shown(each) for each in seen]


async def _seen(
    administration: Administration, viewer: Viewer, states: tuple[BudgetState, ...]
) -> tuple[BudgetState, ...]:
    """Return the budgets that bind what somebody sees."""
    if Permission.KEYS_WRITE in PERMISSIONS[viewer.role]:
        return states
    projects = await joined_projects(administration, viewer) or ()
    keys = await administration.store.keys.of_user(viewer.user.id)
    if viewer.role is Role.VIEWER:
        all_keys = await administration.store.keys.all()
        keys = tuple(each.id for each in all_keys if each.grant.project_id in projects)
    visible = {f"user:{viewer.user.id}"}
    visible |= {f"key:{each}" for each in keys} | {f"project:{each}" for each in projects}
    return tuple(each for each in states if each.budget.subject in visible)


async def _calendar_of(administration: Administration) -> BudgetCalendar:
    declared = administration.reconciler.declared.time_zone
    zone = declared or await administration.store.settings.time_zone()
    return BudgetCalendar(time_zone=zone, is_declared=declared != "")


async def _calendar(info: Info) -> BudgetCalendar:
    _, administration = admitted(info, Permission.USAGE_READ)
    return await _calendar_of(administration)


async def _taken_over(administration: Administration, budget_id: str) -> BudgetView:
    """Let a changed budget count at once, and return it as it stands now."""
    await administration.refresh()
    await administration.recount()
    states = await all_states(administration)
    return shown(next(each for each in states if each.budget.id == budget_id))


async def _create(info: Info, draft: NewDraft) -> BudgetView:
    viewer, administration = admitted(info, Permission.BUDGETS_WRITE)
    whose = replace(_NEW, **changes(draft, _NEW, _WHOSE, {}))
    budget = _applied(whose, draft)
    _check_declared(administration, budget)
    created = await administration.store.budgets.create(budget, viewer.actor)
    return await _taken_over(administration, created.id)


async def _update(info: Info, budget_id: Id, revision: int, draft: Draft) -> BudgetView:
    viewer, administration = admitted(info, Permission.BUDGETS_WRITE)
    _refuse_declared(administration, budget_id)
    held = await administration.store.budgets.get(budget_id)
    changed = replace(_applied(held, draft), revision=revision)
    await administration.store.budgets.update(changed, viewer.actor)
    return await _taken_over(administration, budget_id)


async def _delete(info: Info, budget_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.BUDGETS_WRITE)
    _refuse_declared(administration, budget_id)
    await administration.store.budgets.delete(budget_id, revision, viewer.actor)
    await administration.refresh()
    return True


async def _set_zone(
    info: Info, zone: Annotated[str, strawberry.argument(name="timeZone")]
) -> BudgetCalendar:
    viewer, administration = admitted(info, Permission.BUDGETS_WRITE)
    if administration.reconciler.declared.time_zone:
        raise administration.refusal("time zone of budgets", zone, "timeZone")
    await administration.store.settings.set_time_zone(zone, viewer.actor)
    await administration.refresh()
    await administration.recount()
    return await _calendar_of(administration)


def _applied(budget: Budget, draft: BudgetInput | NewBudgetInput) -> Budget:
    """Return a budget with the draft put in, whose amount is of the budget's unit."""
    is_money = budget.unit is Unit.DOLLARS
    read: dict[str, Reader] = {"amount": nano_of if is_money else _tokens, "warns_at": tuple}
    return replace(budget, **changes(draft, _NEW, _CHANGED, read))


def _tokens(amount: float) -> int:
    if amount != round(amount):
        raise InvalidFields([FieldProblem("amount", "write a whole number of tokens")])
    return round(amount)


def _check_declared(administration: Administration, budget: Budget) -> None:
    """Raise `InvalidFields` for a budget of what the file does not declare."""
    declared = {
        SubjectKind.CHANNEL: {each.id for each in administration.declared_channels()},
        SubjectKind.KEY: {each.id for each in administration.declared_keys()},
    }
    is_of_file = budget.subject_id.startswith("file:")
    if is_of_file and budget.subject_id not in declared.get(budget.kind, ()):
        mend = f"the file declares no such {budget.kind.value}"
        raise InvalidFields([FieldProblem("subjectID", mend)])


def _refuse_declared(administration: Administration, budget_id: str) -> None:
    declared = administration.reconciler.declared.budgets
    if any(each.budget.id == budget_id for each in declared):
        raise administration.refusal("budget", budget_id)


@strawberry.type
class BudgetQueries:
    budgets: list[BudgetView] = strawberry.field(
        resolver=_budgets, description="All that bind what one sees: the file's, then by age."
    )
    budget_calendar: BudgetCalendar = strawberry.field(resolver=_calendar)


@strawberry.type
class BudgetMutations:
    create_budget: BudgetView = strawberry.field(resolver=_create)
    update_budget: BudgetView = strawberry.field(resolver=_update)
    delete_budget: bool = strawberry.field(resolver=_delete)
    set_budget_time_zone: BudgetCalendar = strawberry.field(
        resolver=_set_zone,
        description="Periods that run begin and end by the new zone at once.",
    )
