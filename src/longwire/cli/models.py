"""`longwire models`: public names in the database; a running gateway takes changes over."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from longwire.cli import fields
from longwire.cli.fields import Reader, Sets, boolean, words
from longwire.cli.store import (
    AsJson,
    Config,
    every,
    operator,
    refuse_declared,
    with_settings,
    with_store,
)
from longwire.cli.tables import show, show_json, show_table
from longwire.core.errors import FieldProblem, InvalidFields, NotFound, refuse
from longwire.core.nouns.model import Condition, KnownNames, Model, Target, check_names

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model's public name.")]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="TARGET",
        help="Who serves it, as 'channel=main model=gpt-5.2 weight=2 order=0'; may be repeated.",
    ),
]

_FIELDS: Final[Mapping[str, Reader]] = {
    "name": str,
    "description": str,
    "enabled": boolean,
    "projects": words,
    "fallbacks": words,
}
_CONDITION: Final[Mapping[str, Reader]] = {
    "apis": words,
    "streams": boolean,
    "has_tools": boolean,
    "min_tokens": fields.whole,
    "max_tokens": fields.whole,
    "keys": words,
    "projects": words,
}
_TARGET: Final[Mapping[str, Reader]] = {
    "channel": str,
    "tag": str,
    "model": str,
    "weight": fields.number,
    "order": fields.whole,
    **_CONDITION,
}
_TITLES = ("model", "targets", "fallbacks", "enabled", "id")


def build() -> typer.Typer:
    """The commands below `longwire models`."""
    from longwire.cli.routes import why

    commands = typer.Typer(help="Give models names of your own.", no_args_is_help=True)
    for command in (list_, show_, create, edit, delete):
        commands.command(command.__name__.rstrip("_"))(command)
    commands.command("why")(why)
    return commands


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all models, those of the configuration file, too."""
    models = [*_declared(config), *with_store(config, lambda store: every(store.models.page))]
    if as_json:
        show_json(models)
        return
    empty = "no models yet; add one: longwire models create NAME --target channel=CHANNEL"
    show_table(_TITLES, map(_row, models), empty)


def show_(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Show a model with its targets."""
    declared = {each.name: each for each in _declared(config)}

    async def work(store: "Store") -> Model:
        return declared.get(name) or await store.models.find(name)

    model = with_store(config, work)
    show(model, _text(model), as_json=as_json)


def create(
    name: Name,
    targets: Targets = None,
    sets: Sets = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Add a model.

    Fields: description, enabled, projects (ids), fallbacks. A target has channel or tag, and may
    have model, weight, order, and what it asks of a turn: apis, streams, has_tools, min_tokens,
    max_tokens, keys, projects, as in 'tag=cheap order=1 apis=responses,messages has_tools=no'.
    """
    refuse_declared(config, "model", name)
    values = _read(sets, targets)
    model = _changed(Model("", name), values)

    async def work(store: "Store", settings: "Settings") -> Model:
        refuse(await _unknown(store, settings, model))
        return await store.models.create(model, operator())

    _tell(with_settings(config, work, creates=True), as_json)


def edit(
    name: Name,
    targets: Targets = None,
    sets: Sets = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Change a model; see `create`. Targets replace all that it has; what is not named stays."""
    values = _read(sets, targets)
    if values.get("name", name) != name:
        refuse_declared(config, "model", values["name"])

    async def work(store: "Store", settings: "Settings") -> Model:
        model = _changed(await _found(store, name, config), values)
        unknown = await _unknown(store, settings, model)
        refuse([each for each in unknown if each.field.partition(".")[0] in values])
        return await store.models.update(model, operator())

    _tell(with_settings(config, work), as_json)


def delete(name: Name, config: Config = None) -> None:
    """Delete a model for good; its turns stay in the log."""

    async def work(store: "Store") -> None:
        model = await _found(store, name, config)
        await store.models.delete(model.id, model.revision, operator())

    with_store(config, work)
    typer.echo(f"deleted {name}")


def _declared(config: Config) -> tuple[Model, ...]:
    from longwire.settings import load

    return tuple(each.spec for each in load(config).models)


async def _found(store: "Store", name: str, config: Config) -> Model:
    """Return a model to be changed: one of the database."""
    try:
        return await store.models.find(name)
    except NotFound:
        refuse_declared(config, "model", name)
        raise


def _read(sets: list[str] | None, targets: list[str] | None) -> dict[str, Any]:
    """Return the fields that were set. Raises `InvalidFields`."""
    values = fields.read(sets or (), _FIELDS)
    if targets:
        values["targets"] = tuple(_target(at, text) for at, text in enumerate(targets))
    return values


def _target(number: int, text: str) -> Target:
    try:
        values = fields.read(text.split(), _TARGET)
    except InvalidFields as error:
        problems = [(f"targets.{number}.{each.field}", each.message) for each in error.problems]
        raise InvalidFields([FieldProblem(*each) for each in problems]) from None
    own = fields.taken_out(values, _CONDITION)
    return Target(**values, condition=Condition(**own))


async def _unknown(store: "Store", settings: "Settings", model: Model) -> list[FieldProblem]:
    """Return what a model names that neither the database nor the file has."""
    channels = (name for each in settings.channels for name in (each.name, f"file:{each.name}"))
    keys = (f"file:{each.name}" for each in settings.api_keys)
    declared = KnownNames(frozenset(channels), frozenset(keys))
    return [*check_names(model, (await store.models.known_names(model)).plus(declared))]


def _changed(model: Model, values: dict[str, Any]) -> Model:
    changes = dict(values)
    if "enabled" in changes:
        changes["is_enabled"] = changes.pop("enabled")
    return replace(model, **changes)


def _tell(model: Model, as_json: bool) -> None:
    show(model, f"{model.name}: {_summary(model)}, {model.id}", as_json=as_json)


def _row(model: Model) -> tuple[str, ...]:
    place = "file" if model.is_declared else model.id
    is_enabled = "yes" if model.is_enabled else "no"
    return (model.name, _summary(model), ", ".join(model.fallbacks), is_enabled, place)


def _summary(model: Model) -> str:
    return ", ".join(_place(each) for each in sorted(model.targets, key=lambda each: each.order))


def _place(target: Target) -> str:
    place = target.channel or f"tag {target.tag}"
    return f"{place}:{target.model}" if target.model else place


def _text(model: Model) -> str:
    state = "enabled" if model.is_enabled else "disabled"
    lines = [f"{model.name}: {state}" + (f", {model.description}" if model.description else "")]
    if model.projects:
        lines.append(f"  for projects {', '.join(model.projects)}")
    for target in sorted(model.targets, key=lambda each: each.order):
        asks = _asks(target.condition)
        line = f"  {target.order}  {_place(target)}  weight {target.weight:g}"
        lines.append(f"{line}  if {asks}" if asks else line)
    lines += [f"  else {name}" for name in model.fallbacks]
    return "\n".join(lines)


def _asks(condition: Condition) -> str:
    """Return a condition as a target on the command line writes it."""
    found = {name: getattr(condition, name) for name in _CONDITION}
    return " ".join(
        f"{name}={_word(value)}" for name, value in found.items() if value not in ((), None)
    )


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, tuple) else str(value)
