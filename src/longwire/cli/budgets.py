"""`longwire budgets`: what keys, users, projects and channels may spend, and what they did."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from longwire.cli import fields
from longwire.cli.fields import Reader, Sets
from longwire.cli.store import AsJson, Config, operator, with_store
from longwire.cli.tables import printable, say, shortened, show, show_json, show_table
from longwire.core.errors import Conflict, FieldProblem, InvalidFields, NotFound
from longwire.core.nouns.budget import Action, Budget, Period, SubjectKind, Unit, amount_text
from longwire.core.nouns.project import DEFAULT_PROJECT

if TYPE_CHECKING:
    from longwire.core.rules.spending import BudgetState
    from longwire.settings import Settings
    from longwire.store.store import Store

Kind = Annotated[SubjectKind, typer.Argument(help="Whose it is.")]
Subject = Annotated[str, typer.Argument(metavar="NAME", help="Their name or id; a user's email.")]
Which = Annotated[str, typer.Argument(metavar="BUDGET", help="The budget's id.")]
Zone = Annotated[str, typer.Argument(metavar="ZONE", help="As Europe/Berlin, or UTC.")]
_TITLES = ("whose", "budget", "spent", "share", "then", "begins anew", "id")
_DECLARED: Final = "file:"


def build() -> typer.Typer:
    """The commands below `longwire budgets`."""
    commands = typer.Typer(help="Bound what is spent, and see it.", no_args_is_help=True)
    for command in (create, list_, edit, delete, zone):
        commands.command(command.__name__.rstrip("_"))(command)
    return commands


def create(
    kind: Kind,
    subject: Subject,
    sets: Sets = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a budget of a key, a user, a project or a channel.

    Fields: period (day, week or month), tokens or dollars (one of them), warns_at (shares in
    percent, as 80,95), action (refuse or warn).
    """
    values = fields.read(sets or (), _NEW)
    if missing := [name for name in ("period",) if name not in values]:
        raise InvalidFields([FieldProblem(name, "is missing; write --set") for name in missing])
    if ("tokens" in values) is ("dollars" in values):
        raise InvalidFields([FieldProblem("amount", "write either tokens=… or dollars=…")])

    async def work(store: "Store") -> Budget:
        subject_id = await _subject_id(store, kind, subject, config)
        unit = Unit.DOLLARS if "dollars" in values else Unit.TOKENS
        draft = Budget("", kind, subject_id, values["period"], unit, 0)
        return await store.budgets.create(_changed(draft, values), operator())

    _show(with_store(config, work, creates=True), as_json)


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all budgets with what is spent; those that keys have by themselves, too."""
    from longwire.settings import load

    settings = load(config)
    states = with_store(config, lambda store: states_of(store, settings))
    if as_json:
        show_json(states)
        return
    show_table(_TITLES, map(_row, states), "no budgets yet; make one: longwire budgets create")
    for state in states:
        if state.unpriced:
            say(unpriced_text(state), err=True)


def edit(which: Which, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Change a budget's tokens or dollars, warns_at and action. What is not named stays."""
    values = fields.read(sets or (), _CHANGED)

    async def work(store: "Store") -> Budget:
        held = await _held(store, which)
        if held.unit.value not in values and {"tokens", "dollars"} & values.keys():
            mend = f"it is one of {held.unit.value}; make another one, or write {held.unit.value}=…"
            raise InvalidFields([FieldProblem("amount", mend)])
        return await store.budgets.update(_changed(held, values), operator())

    _show(with_store(config, work), as_json)


def delete(which: Which, config: Config = None) -> None:
    """Delete a budget: nothing is refused for it any more."""

    async def work(store: "Store") -> None:
        held = await _held(store, which)
        await store.budgets.delete(held.id, held.revision, operator())

    with_store(config, work)
    typer.echo(f"{which}: deleted")


def zone(name: Zone, config: Config = None) -> None:
    """Set in which zone days, weeks and months of budgets begin."""
    from longwire.settings import load

    if declared := load(config).calendar.time_zone:
        raise Conflict(f"The configuration file says {declared}; change [calendar] there.")
    with_store(config, lambda store: store.settings.set_time_zone(name, operator()))
    typer.echo(f"days, weeks and months of budgets begin in {name}")


async def states_of(store: "Store", settings: "Settings") -> tuple["BudgetState", ...]:
    """Return all budgets with what is spent, and which of their models have no price."""
    from longwire.core.nouns.price import price_finder
    from longwire.core.nouns.renames import renamer
    from longwire.relay.channels.budgets import found_budgets
    from longwire.relay.records.pricing import Prices
    from longwire.settings.declared import budgets_of, channel_of
    from longwire.store.spending import budget_states, with_unpriced
    from longwire.store.store import now_ms

    declared = await found_budgets(store, budgets_of(settings))
    time_zone = settings.calendar.time_zone or await store.settings.time_zone()
    states = await budget_states(store, declared, time_zone, now_ms())
    specs = (*map(channel_of, settings.channels), *await store.channels.all())
    prices = Prices(now_ms)
    return await with_unpriced(
        store,
        states,
        specs,
        lambda spec, model: (
            prices.quote((renamer(spec.renames)(model), model), price_finder(spec.prices))
            is not None
        ),
    )


def unpriced_text(state: "BudgetState") -> str:
    """Say which models cost nothing in a budget of dollars, and the mend."""
    models = ", ".join(map(shortened, map(printable, state.unpriced)))
    whose = f"{state.budget.kind.value} {state.name or state.budget.subject_id}"
    return (
        f"the budget of {whose} cannot count {models}: nobody knows their price; "
        "set `prices` at their channels"
    )


async def _subject_id(store: "Store", kind: SubjectKind, name: str, config: Config) -> str:
    """Return the id of whom a name or an id is of."""
    from longwire.settings import load

    settings = load(config)
    declared = {
        SubjectKind.CHANNEL: [each.name for each in settings.channels],
        SubjectKind.KEY: [each.name for each in settings.api_keys],
    }
    if name in declared.get(kind, ()):
        return f"{_DECLARED}{name}"
    if name.startswith(_DECLARED) and name.removeprefix(_DECLARED) in declared.get(kind, ()):
        return name
    if name.startswith(_DECLARED):
        raise InvalidFields([FieldProblem("subjectID", f"the file declares no such {kind.value}")])
    if kind is SubjectKind.PROJECT and not name:
        return DEFAULT_PROJECT
    return await store.budgets.find_subject(kind, name) or name


async def _held(store: "Store", which: str) -> Budget:
    if which.startswith(_DECLARED):
        raise Conflict(f"The budget '{which}' stands in the configuration file; change it there.")
    try:
        return await store.budgets.get(which)
    except NotFound:
        if ":" in which:
            key = which.partition(":")[0]
            raise Conflict(
                f"It is one of its key; change it by: longwire keys edit {key}"
            ) from None
        raise


def _changed(budget: Budget, values: Mapping[str, Any]) -> Budget:
    amount = values.get(budget.unit.value, budget.amount)
    return replace(
        budget,
        amount=amount or 0,
        warns_at=values.get("warns_at", budget.warns_at),
        action=values.get("action", budget.action),
    )


def _shares(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word.removesuffix("%")) for word in fields.words(text))
    except ValueError as error:
        raise ValueError("write shares in percent, as 80,95") from error


_CHANGED: Final[Mapping[str, Reader]] = {
    "tokens": fields.limit,
    "dollars": fields.cost,
    "warns_at": _shares,
    "action": Action,
}
_NEW: Final[Mapping[str, Reader]] = {"period": Period, **_CHANGED}


def _show(budget: Budget, as_json: bool) -> None:
    amount = f"{amount_text(budget.unit, budget.amount)} a {budget.period.value}"
    show(budget, f"{budget.subject}: {amount}, {budget.id}", as_json=as_json)


def _row(state: "BudgetState") -> tuple[str, ...]:
    from longwire.core.rules.calendar import Calendar

    budget = state.budget
    return (
        f"{budget.kind.value} {state.name or 'that is gone'}",
        f"{amount_text(budget.unit, budget.amount)} a {budget.period.value}",
        amount_text(budget.unit, state.spent),
        f"{state.share:.0%}",
        budget.action.value,
        Calendar(state.zone).text(state.span.ends),
        budget.id,
    )
