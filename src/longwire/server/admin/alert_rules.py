"""Alert rules in the admin API."""

from dataclasses import replace
from typing import Annotated, Final

import strawberry

from longwire.core.errors import FieldProblem, refuse
from longwire.core.nouns.access import Permission
from longwire.core.nouns.alert import (
    KINDS,
    AlertRule,
    Unit,
    Watched,
    check_alert_rule,
    new_rule,
    settled,
)
from longwire.server.admin.administration import Administration
from longwire.server.admin.channels import ManagedBy
from longwire.server.admin.context import Info, admitted, require
from longwire.server.admin.inputs import Reader, changes, view_of
from longwire.server.admin.paging import Id

strawberry.enum(
    Unit, name="AlertUnit", description="A share from 0 to 1, a number, or that something is so."
)


@strawberry.type(description="How something that a rule can watch is watched.")
class AlertKind:
    watched: Watched
    unit: Unit
    threshold: float = strawberry.field(description="The usual one.")
    falls: bool = strawberry.field(description="Whether it alerts at the threshold and below.")
    has_window: bool
    counts_turns: bool = strawberry.field(description="Whether it needs a least number of turns.")


@strawberry.type(name="AlertRule", description="What is watched, and who is informed.")
class RuleView:
    id: strawberry.ID
    name: str
    watched: Watched
    threshold: float
    window: int = strawberry.field(description="In seconds.")
    lasts: int = strawberry.field(description="Seconds that it must be so before it alerts.")
    least_turns: int
    repeat_after: int = strawberry.field(description="Seconds to the next reminder; 0 is never.")
    destinations: list[strawberry.ID] = strawberry.field(description="Ids; none means all.")
    enabled: bool
    managed_by: ManagedBy
    revision: int


@strawberry.input(name="AlertRuleInput", description="Left out stays; null sets the default.")
class RuleInput:
    name: str | None = strawberry.UNSET
    watched: Watched | None = strawberry.UNSET
    threshold: float | None = strawberry.UNSET
    window: int | None = strawberry.UNSET
    lasts: int | None = strawberry.UNSET
    least_turns: int | None = strawberry.UNSET
    repeat_after: int | None = strawberry.UNSET
    destinations: list[strawberry.ID] | None = strawberry.UNSET
    enabled: bool | None = strawberry.UNSET


Draft = Annotated[RuleInput, strawberry.argument(name="input")]
_FIELDS: Final = (
    *("name", "watched", "threshold", "window", "lasts", "least_turns", "repeat_after"),
    *("destinations", "enabled"),
)
_READ: Final[dict[str, Reader]] = {"destinations": tuple}


def shown(rule: AlertRule) -> RuleView:
    """Return a rule as it is shown."""
    managed_by = ManagedBy.FILE if rule.is_declared else ManagedBy.DATABASE
    destinations = [strawberry.ID(each) for each in rule.destinations]
    return view_of(RuleView, rule, managed_by=managed_by, destinations=destinations)


def _applied(rule: AlertRule, draft: RuleInput) -> AlertRule:
    watched = draft.watched or rule.watched
    return replace(rule, **changes(draft, new_rule("", watched), _FIELDS, _READ))


async def _all(info: Info) -> list[RuleView]:
    _, administration = admitted(info, Permission.ALERTS_READ)
    return [shown(rule) for rule in await administration.alerting.rules()]


async def _kinds(info: Info) -> list[AlertKind]:
    require(info, Permission.ALERTS_READ)
    return [view_of(AlertKind, kind, watched=watched) for watched, kind in KINDS.items()]


async def _seen(administration: Administration, rule_id: str, revision: int) -> AlertRule:
    """Return a rule as seen at a revision. Raises `Conflict` for a declared one."""
    for rule in administration.reconciler.declared.alert_rules:
        if rule.id == rule_id:
            raise administration.refusal("alert rule", rule.name)
    return replace(await administration.store.alert_rules.get(rule_id), revision=revision)


async def _refuse_strangers(
    administration: Administration, rule: AlertRule, held: AlertRule
) -> None:
    """Raise `InvalidFields` for what is wrong, and for destinations that nobody knows.

    One that the rule has already may be gone by now: other fields can be changed all the same.
    """
    known = {each.id for each in await administration.alerting.destinations()}
    strangers = [each for each in rule.destinations if each not in known | {*held.destinations}]
    mend = f"there is no destination {', '.join(strangers)}; alertDestinations lists their ids"
    problems = [FieldProblem("destinations", mend)] if strangers else []
    refuse([*check_alert_rule(settled(rule)), *problems])


async def _create(info: Info, draft: Draft) -> RuleView:
    viewer, administration = admitted(info, Permission.ALERTS_WRITE)
    blank = new_rule("", draft.watched or Watched.CHANNEL_RESTING)
    rule = _applied(blank, draft)
    await _refuse_strangers(administration, rule, blank)
    return shown(await administration.store.alert_rules.create(rule, viewer.actor))


async def _update(info: Info, rule_id: Id, revision: int, draft: Draft) -> RuleView:
    viewer, administration = admitted(info, Permission.ALERTS_WRITE)
    held = await _seen(administration, rule_id, revision)
    rule = _applied(held, draft)
    await _refuse_strangers(administration, rule, held)
    return shown(await administration.store.alert_rules.update(rule, viewer.actor))


async def _delete(info: Info, rule_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.ALERTS_WRITE)
    await _seen(administration, rule_id, revision)
    await administration.store.alert_rules.delete(rule_id, revision, viewer.actor)
    return True


@strawberry.type
class AlertRuleQueries:
    alert_rules: list[RuleView] = strawberry.field(
        resolver=_all, description="All rules: those of the file, then the others by name."
    )
    alert_kinds: list[AlertKind] = strawberry.field(
        resolver=_kinds, description="What rules can watch."
    )


@strawberry.type
class AlertRuleMutations:
    create_alert_rule: RuleView = strawberry.field(resolver=_create)
    update_alert_rule: RuleView = strawberry.field(resolver=_update)
    delete_alert_rule: bool = strawberry.field(
        resolver=_delete, description="Its open alerts end, and nobody is told."
    )
