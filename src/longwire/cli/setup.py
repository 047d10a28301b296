"""`longwire setup`: what points clients at this gateway, printed or written into their files."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from longwire.cli import codex
from longwire.cli.client_file import (
    ClientFile,
    EnvKey,
    Url,
    Write,
    checked_url,
    checked_variable,
)
from longwire.cli.clients import CLIENTS, Client, Gateway

Model = Annotated[str, typer.Option(help="The model that answers.")]
File = Annotated[Path | None, typer.Option("--config", help="The file, if not the usual one.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show what would change in the file.")]


def build() -> typer.Typer:
    """The commands below `longwire setup`."""
    commands = typer.Typer(help="Point clients at this gateway.", no_args_is_help=True)
    commands.command()(codex.codex)
    for client in CLIENTS:
        commands.command(client.name, help=client.help)(_command(client))
    return commands


def _command(client: Client) -> Callable[..., None]:
    """Return the command of one client."""

    def command(  # one parameter per flag
        url: Url = None,
        model: Model = "gpt-5.2",
        env_key: EnvKey = "LONGWIRE_KEY",
        config: File = None,
        write: Write = 0,
        diff: Diff = False,
    ) -> None:
        gateway = Gateway(checked_url(url), _checked_model(model), checked_variable(env_key))
        if not write and not diff:
            typer.echo(client.printed(gateway), nl=False)
            return
        file = _file(client, gateway, config)
        if diff:
            before = file.read()
            typer.echo(file.difference(before, file.merged(before)), nl=False)
        elif file.update(asks=write == 1):
            typer.echo(f"Wrote {file.path}. {client.next_step.format(env_key=env_key)}")

    return command


def _checked_model(model: str) -> str:
    if not model.strip() or not model.isprintable():
        raise typer.BadParameter(f"--model {model!r} is no name of a model, as gpt-5.2 is one")
    return model


def _file(client: Client, gateway: Gateway, config: Path | None) -> ClientFile:
    """Return the file with what is to stand in it; some clients have none."""
    place, secret = client.file, ""
    path = config or (place.default() if place else Path())
    if place is None:
        mend = "run the command without --write and --diff, and follow what it prints"
        ClientFile(client.name, path, str, str).refuse(f"{client.no_file}; {mend}")
    if place.holds_key:
        secret = os.environ.get(gateway.env_key, "")
        gateway = gateway.with_key(secret)
    merge = place.merge(gateway)
    file = ClientFile(client.name, path, place.form.check, merge, secret)
    if place.holds_key and not secret:
        file.refuse(
            f"the key has to stand in {path}, and {gateway.env_key} is not set; "
            f"export {gateway.env_key}=… first. Nothing was written"
        )
    return file
