"""The commands of `longwire`, one file per noun.

Everything heavy is imported inside the command that needs it: `--help` answers at once.
"""

import typer

from longwire.cli import (
    accounts,
    alerts,
    budgets,
    channels,
    config,
    database,
    demo,
    doctor,
    emulator,
    fleet,
    keys,
    latency,
    login,
    models,
    nodes,
    projects,
    serve,
    sessions,
    setup,
    tables,
    turns,
    usage,
    users,
    version,
)
from longwire.cli.imports import commands as imports


def build() -> typer.Typer:
    """The whole command line."""
    commands = typer.Typer(
        name="longwire",
        help="Keep each agent's conversation alive on one upstream WebSocket.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    commands.callback()(tables.show_utc)
    commands.command()(serve.serve)
    commands.command()(demo.demo)
    commands.command()(emulator.emulator)
    commands.command()(nodes.nodes)
    commands.command()(usage.usage)
    commands.command()(latency.latency)
    commands.command()(database.migrate)
    commands.command()(database.backup)
    commands.command()(database.restore)
    commands.command()(version.version)
    commands.command()(doctor.doctor)
    commands.add_typer(channels.build(), name="channels")
    commands.add_typer(login.build(), name="login")
    commands.add_typer(accounts.build(), name="accounts")
    commands.add_typer(models.build(), name="models")
    commands.add_typer(keys.build(), name="keys")
    commands.add_typer(projects.build(), name="projects")
    commands.add_typer(users.build(), name="users")
    commands.add_typer(sessions.build(), name="sessions")
    commands.add_typer(budgets.build(), name="budgets")
    commands.add_typer(turns.build(), name="turns")
    commands.add_typer(alerts.build(), name="alerts")
    commands.add_typer(config.build(), name="config")
    commands.add_typer(fleet.build(), name="fleet")
    commands.add_typer(imports.build(), name="import")
    commands.add_typer(setup.build(), name="setup")
    return commands
