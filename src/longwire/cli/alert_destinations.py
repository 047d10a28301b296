"""`longwire alerts destinations`: where alerts are sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from longwire.cli import fields
from longwire.cli.fields import Sets
from longwire.cli.store import AsJson, Config, operator, to_change, with_settings
from longwire.cli.tables import show, show_json, show_table
from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.destination import (
    AlertDestination,
    DestinationKind,
    MailSecurity,
    WebhookFormat,
)
from longwire.core.nouns.secret import Secret

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the destination is called.")]
Which = Annotated[str, typer.Argument(metavar="DESTINATION", help="Its name or id.")]
_TITLES = ("destination", "kind", "goes to", "signed", "state", "id")
_WEBHOOK: Final = ("url", "secret", "format")
_MAIL: Final = ("host", "port", "security", "user", "password", "sender", "recipients")


_FIELDS: Final[Mapping[str, fields.Reader]] = {
    "name": str,
    "kind": DestinationKind,
    "url": Secret,
    "secret": Secret,
    "format": WebhookFormat,
    "host": str,
    "port": fields.whole,
    "security": MailSecurity,
    "user": str,
    "password": Secret,
    "sender": str,
    "recipients": fields.words,
    "enabled": fields.boolean,
}


def build() -> typer.Typer:
    """The commands below `longwire alerts destinations`."""
    commands = typer.Typer(help="List destinations, make and change them.", no_args_is_help=True)
    for command in (list_, create, edit, delete):
        commands.command(command.__name__.rstrip("_"))(command)
    return commands


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all destinations, those of the configuration file, too."""
    found = with_settings(config, _all)
    if as_json:
        show_json(found)
        return
    empty = "no destinations; make one: longwire alerts destinations create NAME --set kind=webhook"
    show_table(_TITLES, map(_row, found), empty)


async def _all(store: "Store", settings: "Settings") -> list[AlertDestination]:
    from longwire.settings.alerts import destination_of

    declared = map(destination_of, settings.alert_destinations)
    return [*declared, *await store.alert_destinations.all()]


def create(name: Name, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Make a destination.

    Fields: kind (webhook or mail), enabled; of a webhook url, secret, format (generic, slack,
    discord); of mail host, port, security (starttls, tls, none), user, password, sender,
    recipients. Write secrets as ${NAME}. A generic webhook without a secret gets one, printed
    this once.
    """
    values = fields.read(sets or (), _FIELDS)
    if "kind" not in values:
        raise InvalidFields([FieldProblem("kind", "is missing; --set kind=webhook|mail")])

    async def work(store: "Store", _: "Settings") -> tuple[AlertDestination, Secret | None]:
        from longwire.store.alert_destinations import signed

        wanted, secret = signed(_changed(AlertDestination("", name, values["kind"]), values))
        return await store.alert_destinations.create(wanted, operator()), secret

    created, secret = with_settings(config, work, creates=True)
    _show(created, as_json)
    if secret is not None:
        typer.echo("what it is signed with is shown this once:", err=True)
        typer.echo(secret.reveal(), err=as_json)


def edit(which: Which, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Change fields of a destination; see `create` for them, and name."""
    values = fields.read(sets or (), _FIELDS)

    async def work(store: "Store", settings: "Settings") -> AlertDestination:
        found = await _find(store, settings, which)
        return await store.alert_destinations.update(_changed(found, values), operator())

    _show(with_settings(config, work), as_json)


def delete(which: Which, config: Config = None) -> None:
    """Delete a destination; what waits to be sent there is given up."""

    async def work(store: "Store", settings: "Settings") -> AlertDestination:
        found = await _find(store, settings, which)
        await store.alert_destinations.delete(found.id, found.revision, operator())
        return found

    typer.echo(f"{with_settings(config, work).name}: deleted")


async def _find(store: "Store", settings: "Settings", which: str) -> AlertDestination:
    return to_change("alert destination", which, await _all(store, settings), settings)


def _changed(destination: AlertDestination, changes: Mapping[str, Any]) -> AlertDestination:
    values = dict(changes)
    webhook = replace(destination.webhook, **fields.taken_out(values, _WEBHOOK))
    mail = replace(destination.mail, **fields.taken_out(values, _MAIL))
    return replace(destination, webhook=webhook, mail=mail, **values)


def _show(destination: AlertDestination, as_json: bool) -> None:
    line = f"{destination.name}: {destination.kind.value} to {destination.address}, "
    show(destination, line + destination.id, as_json=as_json)


def _row(destination: AlertDestination) -> tuple[str, ...]:
    is_webhook = destination.kind is DestinationKind.WEBHOOK
    signed = ("yes" if destination.webhook.secret else "no") if is_webhook else "–"
    return (
        destination.name,
        destination.kind.value,
        destination.address,
        signed,
        "enabled" if destination.enabled else "disabled",
        "file" if destination.is_declared else destination.id,
    )
