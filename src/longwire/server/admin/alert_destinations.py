"""Where alerts are sent, in the admin API. What is secret of a destination is never shown.

A signing secret that the gateway made is shown once, in the answer to the creation.
"""

from dataclasses import replace
from typing import Annotated, Any, Final

import strawberry

from longwire.core.errors import NotFound
from longwire.core.nouns.access import Permission
from longwire.core.nouns.destination import (
    AlertDestination,
    DestinationKind,
    MailSecurity,
    WebhookFormat,
)
from longwire.core.nouns.secret import Secret
from longwire.server.admin.administration import Administration
from longwire.server.admin.alerts import DeliveryView, delivery_shown
from longwire.server.admin.channels import ManagedBy
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.inputs import Reader, changes, view_of
from longwire.server.admin.paging import Id
from longwire.store.alert_destinations import signed
from longwire.store.audit import Noun

strawberry.enum(DestinationKind, name="AlertDestinationKind", description="How it is reached.")
strawberry.enum(WebhookFormat, description="What is posted: JSON, or a text for a chat.")
strawberry.enum(MailSecurity, description="How the way to the mail server is encrypted.")


@strawberry.type(name="AlertDestination", description="Where alerts are sent.")
class DestinationView:
    id: strawberry.ID
    name: str
    kind: DestinationKind
    address: str = strawberry.field(description="Where it goes, without what is secret of it.")
    is_signed: bool
    format: WebhookFormat
    host: str
    port: int
    security: MailSecurity
    user: str
    has_password: bool
    sender: str
    recipients: list[str]
    enabled: bool
    managed_by: ManagedBy
    revision: int


@strawberry.type(description="A destination and, this once, the secret that was made for it.")
class CreatedAlertDestination:
    destination: DestinationView
    secret: str | None = strawberry.field(description="Null where none was made.")


@strawberry.input(
    name="AlertDestinationInput", description="Left out stays as it is; null sets the default."
)
class DestinationInput:
    name: str | None = strawberry.UNSET
    kind: DestinationKind | None = strawberry.UNSET
    url: str | None = strawberry.UNSET
    secret: str | None = strawberry.UNSET
    format: WebhookFormat | None = strawberry.UNSET
    host: str | None = strawberry.UNSET
    port: int | None = strawberry.UNSET
    security: MailSecurity | None = strawberry.UNSET
    user: str | None = strawberry.UNSET
    password: str | None = strawberry.UNSET
    sender: str | None = strawberry.UNSET
    recipients: list[str] | None = strawberry.UNSET
    enabled: bool | None = strawberry.UNSET


Draft = Annotated[DestinationInput, strawberry.argument(name="input")]
_NEW: Final = AlertDestination("", "", DestinationKind.WEBHOOK)
_OWN: Final = ("name", "kind", "enabled")
_WEBHOOK: Final = ("url", "secret", "format")
_MAIL: Final = ("host", "port", "security", "user", "password", "sender", "recipients")
_READ: Final[dict[str, Reader]] = {
    "url": Secret,
    "secret": Secret,
    "password": Secret,
    "recipients": tuple,
}


def shown(destination: AlertDestination) -> DestinationView:
    """Return a destination as it is shown."""
    webhook, mail = destination.webhook, destination.mail
    parts: dict[str, Any] = {
        name: getattr(mail, name) for name in ("host", "port", "security", "user", "sender")
    }
    return view_of(
        DestinationView,
        destination,
        is_signed=bool(webhook.secret),
        format=webhook.format,
        has_password=bool(mail.password),
        recipients=list(mail.recipients),
        managed_by=ManagedBy.FILE if destination.is_declared else ManagedBy.DATABASE,
        **parts,
    )


def _applied(destination: AlertDestination, draft: DestinationInput) -> AlertDestination:
    webhook = replace(destination.webhook, **changes(draft, _NEW.webhook, _WEBHOOK, _READ))
    mail = replace(destination.mail, **changes(draft, _NEW.mail, _MAIL, _READ))
    own = changes(draft, _NEW, _OWN, _READ)
    return replace(destination, webhook=webhook, mail=mail, **own)


async def _all(info: Info) -> list[DestinationView]:
    _, administration = admitted(info, Permission.ALERTS_READ)
    return [shown(each) for each in await administration.alerting.destinations()]


async def _find(administration: Administration, destination_id: str) -> AlertDestination:
    for each in await administration.alerting.destinations():
        if each.id == destination_id:
            return each
    raise NotFound("alert destination", destination_id)


async def _seen(
    administration: Administration, destination_id: str, revision: int
) -> AlertDestination:
    """Return a destination as seen at a revision. Raises `Conflict` for a declared one."""
    found = await _find(administration, destination_id)
    if found.is_declared:
        raise administration.refusal("alert destination", found.name)
    return replace(found, revision=revision)


async def _create(info: Info, draft: Draft) -> CreatedAlertDestination:
    viewer, administration = admitted(info, Permission.ALERTS_WRITE)
    wanted, secret = signed(_applied(_NEW, draft))
    created = await administration.store.alert_destinations.create(wanted, viewer.actor)
    return CreatedAlertDestination(
        destination=shown(created), secret=secret.reveal() if secret else None
    )


async def _update(info: Info, destination_id: Id, revision: int, draft: Draft) -> DestinationView:
    viewer, administration = admitted(info, Permission.ALERTS_WRITE)
    wanted = _applied(await _seen(administration, destination_id, revision), draft)
    return shown(await administration.store.alert_destinations.update(wanted, viewer.actor))


async def _delete(info: Info, destination_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.ALERTS_WRITE)
    await _seen(administration, destination_id, revision)
    destinations = administration.store.alert_destinations
    await destinations.delete(destination_id, revision, viewer.actor)
    return True


async def _test(info: Info, destination_id: Id) -> DeliveryView:
    viewer, administration = admitted(info, Permission.ALERTS_WRITE)
    destination = await _find(administration, destination_id)
    delivery = await administration.alerting.deliveries.test(destination)
    noun = Noun("alert-destination", destination.id, destination.name)
    await administration.store.audit.note(viewer.actor, "test", noun)
    return delivery_shown(delivery)


@strawberry.type
class AlertDestinationQueries:
    alert_destinations: list[DestinationView] = strawberry.field(
        resolver=_all, description="Those of the file, then the others by name."
    )


@strawberry.type
class AlertDestinationMutations:
    create_alert_destination: CreatedAlertDestination = strawberry.field(
        resolver=_create, description="A generic webhook without a secret gets one, shown once."
    )
    update_alert_destination: DestinationView = strawberry.field(resolver=_update)
    delete_alert_destination: bool = strawberry.field(
        resolver=_delete, description="What waits to be sent there is given up."
    )
    test_alert_destination: DeliveryView = strawberry.field(
        resolver=_test, description="Sends a test once, and tells what came back."
    )
