"""`longwire import`: what another gateway is configured with, as a file or into the database."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.store import AsJson, Config, operator, with_store
from longwire.core.errors import ConfigurationError

if TYPE_CHECKING:
    from longwire.cli.imports.plan import Plan

Yaml = Annotated[Path, typer.Argument(metavar="FILE", help="LiteLLM's config.yaml.")]
Json = Annotated[Path, typer.Argument(metavar="FILE", help="A backup of AxonHub's.")]
_PRIVATE = 0o600
To = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the configuration there, secrets and all."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Write over a file that is there; with --apply ask nothing.")
]
Apply = Annotated[
    bool,
    typer.Option(
        "--apply/--dry-run", help="Put it into the database once you agree, or change nothing."
    ),
]


def build() -> typer.Typer:
    """The commands below `longwire import`."""
    commands = typer.Typer(help="Come from another gateway.", no_args_is_help=True)
    commands.command()(litellm)
    commands.command()(axonhub)
    return commands


def litellm(
    file: Yaml,
    to: To = None,
    force: Force = False,
    apply: Apply = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take over the config.yaml of LiteLLM's proxy.

    Without --to and --apply the configuration is printed, with variables for the secrets in it.
    What was taken over, changed or left is said on stderr.
    """
    from longwire.cli.imports.litellm import plan_of

    plan = plan_of(file)
    _show(plan, to, force, is_quiet=apply, as_json=as_json)
    if apply:
        _apply(plan, force, config)


def axonhub(
    file: Json,
    to: To = None,
    force: Force = False,
    apply: Apply = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take over a backup of AxonHub's.

    Without --to and --apply the configuration is printed, with variables for the secrets in it.
    What was taken over, changed or left is said on stderr.
    """
    from longwire.cli.imports.axonhub import plan_of

    plan = plan_of(file)
    _show(plan, to, force, is_quiet=apply, as_json=as_json)
    if apply:
        _apply(plan, force, config)


def _show(plan: "Plan", to: Path | None, force: bool, *, is_quiet: bool, as_json: bool) -> None:
    """Leave out what would not do, write the file where one is named, and say what became of it."""
    from dataclasses import asdict

    from longwire.cli.imports.fitting import fit
    from longwire.cli.imports.plan import toml_of

    fit(plan)
    if to is not None:
        _write(to, toml_of(plan, shows_secrets=True), force)
    shown = toml_of(plan, shows_secrets=False)
    if as_json:
        notes = [asdict(note) for note in plan.notes]
        typer.echo(json.dumps({"notes": notes, "configuration": shown}, ensure_ascii=False))
        return
    if to is None and not is_quiet:
        typer.echo(shown, nl=False)
    for note in plan.notes:
        typer.echo(f"{note.outcome:<8}{note.where}: {note.text}", err=True)
    if to is None and plan.variables():
        names = ", ".join(plan.variables())
        typer.echo(f"secrets are not shown; set {names}, or write them with --to FILE", err=True)


def _write(to: Path, text: str, force: bool) -> None:
    """Write a file that nobody else may read."""
    if to.exists() and not force:
        raise ConfigurationError(f"{to} is there already; name another one, or say --force")
    beside = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "w"
        ) as file:
            file.write(text)
        beside.replace(to)
    except OSError as error:
        raise ConfigurationError(f"{to}: cannot be written: {error.strerror}") from None
    typer.echo(f"written: {to}; check it: longwire config check {to}", err=True)


def _apply(plan: "Plan", force: bool, config: Path | None) -> None:
    """Put a plan into the database once somebody agrees. Exit code 1 where a part was refused."""
    from longwire.cli.imports.applying import Applying
    from longwire.cli.imports.plan import toml_of
    from longwire.cli.imports.reading import loaded

    settings = loaded(toml_of(plan, shows_secrets=True))
    counted = ", ".join(f"{len(tables)} {kind}" for kind, tables in plan.sections())
    if not force:
        typer.confirm(f"Put {counted} into the database?", abort=True, err=True)
    work = Applying(plan, settings, operator())
    if not with_store(config, work.apply, creates=True):
        raise typer.Exit(1)
