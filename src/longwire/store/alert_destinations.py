"""Where alerts are sent. URL, signing secret and password are sealed."""

import base64
from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from secrets import token_bytes
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from longwire.core.errors import refuse
from longwire.core.nouns.access import Actor
from longwire.core.nouns.destination import (
    SIGNING_PREFIX,
    AlertDestination,
    DestinationKind,
    Mail,
    MailSecurity,
    Webhook,
    WebhookFormat,
    check_destination,
)
from longwire.core.nouns.secret import Secret
from longwire.store.alert_tables import alert_destinations
from longwire.store.changes import ChangeLog, check_revision, unique
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.rows import columns_of, held_row, value_of
from longwire.store.secrets import Vault, new_id

_NOUN: Final = "alert destination"
_SECRET_SIZE: Final = 32


def signed(destination: AlertDestination) -> tuple[AlertDestination, Secret | None]:
    """Return a destination whose messages are signed where programs read them.

    The secret is returned, too, where one had to be made: it is shown this once.
    """
    webhook = destination.webhook
    is_read = destination.kind is DestinationKind.WEBHOOK
    is_read = is_read and webhook.format is WebhookFormat.GENERIC
    if webhook.secret or not is_read:
        return destination, None
    secret = Secret(SIGNING_PREFIX + base64.b64encode(token_bytes(_SECRET_SIZE)).decode())
    return replace(destination, webhook=replace(webhook, secret=secret)), secret


class AlertDestinations:
    """The destinations of one database."""

    def __init__(self, database: Database, vault: Vault, clock: Callable[[], int]) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._changes: ChangeLog[AlertDestination] = ChangeLog(
            "alert-destination", clock, attrgetter("name"), reloads=False
        )

    async def all(self) -> tuple[AlertDestination, ...]:
        """Return every destination, by name."""
        query = select(alert_destinations).order_by(alert_destinations.c.name)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(self._destination(row) for row in rows)

    async def get(self, destination_id: str) -> AlertDestination:
        """Return a destination. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await self._held(connection, destination_id)

    async def create(self, destination: AlertDestination, actor: Actor) -> AlertDestination:
        """Add a destination and return it with its id.

        Raises `InvalidFields`, and `Conflict` for a name that is taken.
        """
        refuse(check_destination(destination))
        created = replace(destination, id=new_id("ald"), created_at=self._clock(), revision=1)
        with unique(_NOUN, created.name):
            async with self._database.write() as connection:
                await connection.execute(insert(alert_destinations).values(self._columns(created)))
                await self._changes.note(connection, actor, "create", (None, created))
        return created

    async def update(self, destination: AlertDestination, actor: Actor) -> AlertDestination:
        """Replace a destination, whose revision is the one seen.

        Raises `InvalidFields`, `NotFound` and `Conflict`; then nothing has changed.
        """
        refuse(check_destination(destination))
        mine = alert_destinations.c.id == destination.id
        with unique(_NOUN, destination.name):
            async with self._database.write() as connection:
                held = await self._held(connection, destination.id)
                check_revision(_NOUN, held.name, held.revision, destination.revision)
                changed = replace(
                    destination, created_at=held.created_at, revision=held.revision + 1
                )
                values = self._columns(changed)
                await connection.execute(update(alert_destinations).where(mine).values(values))
                await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def delete(self, destination_id: str, revision: int, actor: Actor) -> None:
        """Delete a destination; what waits to be sent there is given up.

        Raises `NotFound` and `Conflict`.
        """
        mine = alert_destinations.c.id == destination_id
        async with self._database.write() as connection:
            held = await self._held(connection, destination_id)
            check_revision(_NOUN, held.name, held.revision, revision)
            await connection.execute(delete(alert_destinations).where(mine))
            await self._changes.note(connection, actor, "delete", (held, None))

    async def _held(self, connection: AsyncConnection, destination_id: str) -> AlertDestination:
        row = await held_row(connection, alert_destinations, _NOUN, destination_id)
        return self._destination(row)

    def _columns(self, destination: AlertDestination) -> dict[str, Any]:
        webhook, mail = destination.webhook, destination.mail
        sealed = {"url": webhook.url, "secret": webhook.secret, "password": mail.password}
        return {
            **columns_of(destination, "webhook", "mail", "is_declared"),
            **columns_of(webhook, "url", "secret"),
            **columns_of(mail, "password"),
            **{name: self._seal(destination.id, name, text) for name, text in sealed.items()},
        }

    def _destination(self, row: Row[Any]) -> AlertDestination:
        url, secret, password = (self._open(row, each) for each in ("url", "secret", "password"))
        mail = value_of(
            Mail,
            row,
            security=MailSecurity(row.security),
            password=password,
            recipients=tuple(row.recipients),
        )
        return value_of(
            AlertDestination,
            row,
            kind=DestinationKind(row.kind),
            webhook=Webhook(url, secret, WebhookFormat(row.format)),
            mail=mail,
            is_declared=False,
        )

    def _seal(self, destination_id: str, column: str, text: Secret) -> bytes:
        place = f"alert_destinations.{column}:{destination_id}"
        return self._vault.seal(text.reveal().encode(), place) if text else b""

    def _open(self, row: Row[Any], column: str) -> Secret:
        sealed = getattr(row, column)
        place = f"alert_destinations.{column}:{row.id}"
        return Secret(self._vault.open(sealed, place).decode() if sealed else "")
