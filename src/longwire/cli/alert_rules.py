"""`longwire alerts rules`: what is watched, and who is informed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from longwire.cli import fields
from longwire.cli.fields import Sets
from longwire.cli.store import AsJson, Config, operator, to_change, with_settings
from longwire.cli.tables import show, show_json, show_table
from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.alert import AlertRule, Unit, Watched, new_rule

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the rule is called.")]
Which = Annotated[str, typer.Argument(metavar="RULE", help="The rule's name or id.")]
_TITLES = ("rule", "watches", "at", "window", "lasts", "repeat", "informs", "state", "id")


def _seconds(text: str) -> int:
    from longwire.settings.quantities import parse_wait

    return round(parse_wait(text))


_FIELDS: Final[Mapping[str, fields.Reader]] = {
    "name": str,
    "watched": Watched,
    "threshold": fields.number,
    "window": _seconds,
    "lasts": _seconds,
    "least_turns": fields.whole,
    "repeat_after": _seconds,
    "destinations": fields.words,
    "enabled": fields.boolean,
}


def build() -> typer.Typer:
    """The commands below `longwire alerts rules`."""
    commands = typer.Typer(help="List rules, make and change them.", no_args_is_help=True)
    for command in (list_, create, edit, delete):
        commands.command(command.__name__.rstrip("_"))(command)
    return commands


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all rules, those of the configuration file, too."""
    rules = with_settings(config, _all)
    if as_json:
        show_json(rules)
        return
    show_table(_TITLES, map(_row, rules), "no rules; make one: longwire alerts rules create NAME")


async def _all(store: "Store", settings: "Settings") -> list[AlertRule]:
    from longwire.settings.alerts import rule_of

    return [*map(rule_of, settings.alert_rules), *await store.alert_rules.all()]


def create(name: Name, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Make a rule.

    Fields: watched, threshold, window, lasts, least_turns, repeat_after, destinations, enabled.
    Spans are durations such as 15m; destinations are names, none means all.
    """
    values = fields.read(sets or (), _FIELDS)
    if "watched" not in values:
        problem = FieldProblem("watched", f"is missing; --set watched={'|'.join(Watched)}")
        raise InvalidFields([problem])

    async def work(store: "Store", settings: "Settings") -> AlertRule:
        await _resolve(store, settings, values)
        rule = replace(new_rule(name, values["watched"]), **values)
        return await store.alert_rules.create(rule, operator())

    _show(with_settings(config, work, creates=True), as_json)


def edit(which: Which, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Change fields of a rule; see `create` for them, and name. What is not named stays."""
    values = fields.read(sets or (), _FIELDS)

    async def work(store: "Store", settings: "Settings") -> AlertRule:
        rule = await _find(store, settings, which)
        await _resolve(store, settings, values)
        return await store.alert_rules.update(replace(rule, **values), operator())

    _show(with_settings(config, work), as_json)


def delete(which: Which, config: Config = None) -> None:
    """Delete a rule; what it alerted stays in the history."""

    async def work(store: "Store", settings: "Settings") -> AlertRule:
        rule = await _find(store, settings, which)
        await store.alert_rules.delete(rule.id, rule.revision, operator())
        return rule

    typer.echo(f"{with_settings(config, work).name}: deleted")


async def _find(store: "Store", settings: "Settings", which: str) -> AlertRule:
    return to_change("alert rule", which, await _all(store, settings), settings)


async def _resolve(store: "Store", settings: "Settings", values: dict[str, Any]) -> None:
    """Write ids in place of the names of destinations. Raises `InvalidFields` for unknown ones."""
    if "destinations" not in values:
        return
    ids = {each.name: f"file:{each.name}" for each in settings.alert_destinations}
    ids |= {each.name: each.id for each in await store.alert_destinations.all()}
    if unknown := [name for name in values["destinations"] if name not in ids]:
        mend = f"no destination is named {', '.join(unknown)}; known: {', '.join(ids) or 'none'}"
        raise InvalidFields([FieldProblem("destinations", mend)])
    values["destinations"] = tuple(ids[name] for name in values["destinations"])


def _show(rule: AlertRule, as_json: bool) -> None:
    state = "enabled" if rule.enabled else "disabled"
    show(rule, f"{rule.name}: {rule.watched.value}, {state}, {rule.id}", as_json=as_json)


def _row(rule: AlertRule) -> tuple[str, ...]:
    from longwire.settings.quantities import format_duration

    kind = rule.kind
    threshold = (
        "–" if kind.unit is Unit.STATE else f"{'≤' if kind.falls else '≥'} {rule.threshold:g}"
    )
    repeat = format_duration(rule.repeat_after) if rule.repeat_after else "never"
    return (
        rule.name,
        rule.watched.value,
        threshold,
        format_duration(rule.window) if kind.has_window else "–",
        format_duration(rule.lasts) if rule.lasts else "at once",
        repeat,
        ", ".join(rule.destinations) or "all",
        "enabled" if rule.enabled else "disabled",
        "file" if rule.is_declared else rule.id,
    )
