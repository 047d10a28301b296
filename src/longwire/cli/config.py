"""`longwire config`: check a file before it is used; print the reference of all keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.channel_page import called

if TYPE_CHECKING:
    from rich.table import Table

    from longwire.settings import Settings

File = Annotated[Path, typer.Argument(metavar="FILE", help="The TOML file to check.")]


def build() -> typer.Typer:
    """The commands below `longwire config`."""
    commands = typer.Typer(help="Check a configuration, or look up its keys.", no_args_is_help=True)
    commands.command()(check)
    commands.command()(reference)
    return commands


def check(file: File) -> None:
    """Check FILE with the environment as it is, and show what would be used."""
    from rich.console import Console

    from longwire.settings import load

    settings = load(file)
    console = Console(markup=False, highlight=False)
    console.print(f"OK {file}", style="green", soft_wrap=True)
    console.print(_summary(settings))
    console.print(_channels(settings) if settings.channels else "no channels yet")
    for line in (*_undeclared(settings), *_unbound(settings)):
        console.print(f"warning: {line}", style="yellow", soft_wrap=True)


def reference() -> None:
    """Print the reference of every key as Markdown."""
    from longwire.settings.reference import reference_page

    typer.echo(reference_page(), nl=False)


def _undeclared(settings: "Settings") -> Iterator[str]:
    """Yield what models name that the file does not declare: the database may have it."""
    channels = {name for each in settings.channels for name in (each.name, f"file:{each.name}")}
    keys = {f"file:{each.name}" for each in settings.api_keys}
    for model in settings.models:
        for number, target in enumerate(model.targets):
            place = f"models: {model.name}: targets[{number}]"
            if target.channel and target.channel not in channels:
                yield (
                    f"{place}.channel: no [[channels]] is named {target.channel!r}; "
                    "unless the database has it, nothing is sent there"
                )
            unknown = [key for key in target.keys if key.startswith("file:") and key not in keys]
            if unknown:
                names = ", ".join(unknown)
                yield f"{place}.keys: no [[api_keys]] has the id {names}, which is file: and a name"


def _unbound(settings: "Settings") -> Iterator[str]:
    """Yield what budgets are of that the file does not declare: the database may have it."""
    declared = {
        "channel": ("[[channels]]", {each.name for each in settings.channels}),
        "key": ("[[api_keys]]", {each.name for each in settings.api_keys}),
    }
    for number, budget in enumerate(settings.budgets):
        section, names = declared.get(budget.of, ("", {budget.name}))
        if budget.name not in names:
            yield (
                f"budgets[{number}].name: no {section} is named {budget.name!r}; "
                "unless the database has it, nothing is bounded"
            )


def _summary(settings: "Settings") -> "Table":
    from rich.table import Table

    server, sessions = settings.server, settings.sessions
    keys = ", ".join(key.name for key in settings.api_keys)
    callers = "anyone" if server.allow_anonymous else (keys or "nobody yet: declare [[api_keys]]")
    table = Table(show_header=False, box=None)
    table.add_row("listens on", f"{server.host}:{server.port}")
    table.add_row("database", settings.database.url.get_secret_value().partition(":")[0])
    table.add_row("callers", callers)
    table.add_row(
        "connections",
        f"{sessions.max_connections}, {sessions.max_connections_per_session} a session",
    )
    return table


def _channels(settings: "Settings") -> "Table":
    from rich.table import Table

    from longwire.dialects.profiles.channels import profile_for
    from longwire.settings.declared import channel_of

    titles = ("channel", "type", "profile", "transport", "base URL", "models", "used")
    table = Table(*titles)
    for channel in settings.channels:
        used = "yes" if channel.enabled else "no: enabled = false"
        models = ", ".join((*channel.models, *map(" → ".join, channel.renames.items())))
        spec = channel_of(channel)
        profile = profile_for(spec).name if "chat_completions" in spec.offered else ""
        place = (channel.transport, channel.base_url)
        table.add_row(channel.name, channel.type, profile, *place, models, used)
        for api, transport, url in called(spec):
            table.add_row(f"  {api}", "", "", transport, url)
    return table
