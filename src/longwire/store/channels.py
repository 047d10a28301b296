"""Channels. Credential, proxy and values of headers are sealed; all else is readable there."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Text, cast, delete, insert, or_, select, update

from longwire.core.errors import NotFound, refuse
from longwire.core.nouns.access import Actor, Rates
from longwire.core.nouns.budget import SubjectKind
from longwire.core.nouns.channel import ChannelSpec, EndpointSpec, Status
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.page import Page
from longwire.core.nouns.price import ModelPrice, PriceTier
from longwire.core.nouns.secret import Secret
from longwire.dialects.profiles.channels import check_channel
from longwire.store.budgets import delete_budgets_of
from longwire.store.changes import ChangeLog, check_revision, unique
from longwire.store.channel_keys import keys_by_channel, write_keys
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.overrides import override_rows, overrides_in
from longwire.store.paging import Order, Window
from longwire.store.rows import columns_of, value_of
from longwire.store.secrets import Vault, new_id
from longwire.store.tables import channels, endpoints

_ORDER: Final = Order((channels.c.name, channels.c.id))
_LISTED: Final = (Status.ENABLED, Status.DISABLED)


class Channels:
    """The channels of one database, with their endpoints and secrets."""

    def __init__(self, database: Database, vault: Vault, clock: Callable[[], int]) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._changes: ChangeLog[ChannelSpec] = ChangeLog("channel", clock, attrgetter("name"))

    async def all(self) -> tuple[ChannelSpec, ...]:
        """Return every channel that is not archived, by name."""
        async with self._database.read() as connection:
            return await self._specs(connection, channels.c.status != Status.ARCHIVED)

    async def page(
        self,
        *,
        first: int = 50,
        after: str | None = None,
        search: str = "",
        statuses: Sequence[Status] = _LISTED,
    ) -> Page[ChannelSpec]:
        """Return channels by name: those with `search` in their name, URL or tags.

        Raises `InvalidFields` for a cursor that is none.
        """
        window = Window(first, after)
        query = select(channels.c.name, channels.c.id).where(channels.c.status.in_(statuses))
        if search:
            places = (channels.c.name, channels.c.base_url, cast(channels.c.tags, Text))
            query = query.where(or_(*(p.icontains(search, autoescape=True) for p in places)))
        async with self._database.read() as connection:
            rows = (await connection.execute(_ORDER.select(query, window))).all()
            ids = [row.id for row in rows]
            found = {s.id: s for s in await self._specs(connection, channels.c.id.in_(ids))}
        return _ORDER.page(rows, window, lambda row: found[row.id])

    async def get(self, channel_id: str) -> ChannelSpec:
        """Return a channel by its id. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await self._one(connection, channels.c.id == channel_id, channel_id)

    async def find(self, name: str) -> ChannelSpec:
        """Return a channel by its name, archived or not. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await self._one(connection, channels.c.name == name, name)

    async def create(self, spec: ChannelSpec, actor: Actor) -> ChannelSpec:
        """Add a channel and return it with its id.

        Raises `InvalidFields`, and `Conflict` for a name that is taken.
        """
        refuse(check_channel(spec))
        now = self._clock()
        created = replace(spec, id=new_id("ch"), created_at=now, updated_at=now, revision=1)
        with unique("channel", spec.name):
            async with self._database.write() as connection:
                await connection.execute(insert(channels).values(self._row(created)))
                await _write_endpoints(connection, created)
                await write_keys(connection, self._vault, created)
                await self._changes.note(connection, actor, "create", (None, created))
        return created

    async def update(self, spec: ChannelSpec, actor: Actor) -> ChannelSpec:
        """Replace a channel by `spec`, whose revision is the one seen.

        Raises `InvalidFields`, `NotFound` and `Conflict`; then nothing has changed.
        """
        refuse(check_channel(spec))
        with unique("channel", spec.name):
            async with self._database.write() as connection:
                held = await self._held(connection, spec.id, spec.revision)
                changed = replace(
                    spec,
                    created_at=held.created_at,
                    updated_at=self._clock(),
                    revision=held.revision + 1,
                )
                mine = channels.c.id == spec.id
                await connection.execute(update(channels).where(mine).values(self._row(changed)))
                await connection.execute(delete(endpoints).where(endpoints.c.channel_id == spec.id))
                await _write_endpoints(connection, changed)
                if changed.keys != held.keys:
                    await write_keys(connection, self._vault, changed)
                await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def delete(self, channel_id: str, revision: int, actor: Actor) -> None:
        """Delete a channel for good; its turns stay in the log.

        Raises `NotFound` and `Conflict`.
        """
        async with self._database.write() as connection:
            held = await self._held(connection, channel_id, revision)
            await connection.execute(delete(channels).where(channels.c.id == channel_id))
            theirs = (SubjectKind.CHANNEL, channel_id)
            await delete_budgets_of(connection, theirs, actor, self._clock)
            await self._changes.note(connection, actor, "delete", (held, None))

    async def _held(self, connection: AsyncConnection, id_: str, seen: int) -> ChannelSpec:
        lock = select(channels.c.revision).where(channels.c.id == id_).with_for_update()
        await connection.execute(lock)
        held = await self._one(connection, channels.c.id == id_, id_)
        check_revision("channel", held.name, held.revision, seen)
        return held

    async def _one(
        self, connection: AsyncConnection, condition: ColumnElement[bool], name: str
    ) -> ChannelSpec:
        for spec in await self._specs(connection, condition):
            return spec
        raise NotFound("channel", name)

    async def _specs(
        self, connection: AsyncConnection, condition: ColumnElement[bool]
    ) -> tuple[ChannelSpec, ...]:
        rows = (
            await connection.execute(select(channels).where(condition).order_by(channels.c.name))
        ).all()
        query = (
            select(endpoints)
            .where(endpoints.c.channel_id.in_([row.id for row in rows]))
            .order_by(endpoints.c.channel_id, endpoints.c.position)
        )
        own = {
            channel_id: tuple(_endpoint(row) for row in group)
            for channel_id, group in groupby(
                (await connection.execute(query)).all(), lambda row: row.channel_id
            )
        }
        keys = await keys_by_channel(connection, self._vault, (row.id for row in rows))
        return tuple(self._spec(row, own.get(row.id, ()), keys.get(row.id, ())) for row in rows)

    def _spec(
        self, row: Row[Any], own: tuple[EndpointSpec, ...], keys: tuple[ChannelKey, ...]
    ) -> ChannelSpec:
        return value_of(
            ChannelSpec,
            row,
            credential=self._open(row, "credential"),
            proxy=self._open(row, "proxy"),
            headers=_headers(self._open(row, "headers")),
            models=tuple(row.models),
            renames=tuple((model, sent) for model, sent in row.renames),
            tags=tuple(row.tags),
            native_items=None if row.native_items is None else tuple(row.native_items),
            apis=None if row.apis is None else tuple(row.apis),
            quirks=tuple((name, value) for name, value in row.quirks),
            prices=tuple(_price(each) for each in row.prices),
            status=Status(row.status),
            rates=value_of(Rates, row),
            endpoints=own,
            keys=keys,
            overrides=overrides_in(row.overrides, row.id, self._vault),
            is_declared=False,
        )

    def _row(self, spec: ChannelSpec) -> dict[str, Any]:
        headers = json.dumps([(name, value.reveal()) for name, value in spec.headers])
        sealed = {
            "credential": spec.credential.reveal(),
            "proxy": spec.proxy.reveal(),
            "headers": headers if spec.headers else "",
        }
        return {
            **columns_of(
                spec, *sealed, "rates", "endpoints", "keys", "prices", "overrides", "is_declared"
            ),
            "overrides": override_rows(spec.overrides, spec.id, self._vault),
            "prices": [_price_row(price) for price in spec.prices],
            **columns_of(spec.rates),
            **{column: self._seal(spec, column, text) for column, text in sealed.items()},
        }

    def _seal(self, spec: ChannelSpec, column: str, text: str) -> bytes:
        place = f"channels.{column}:{spec.id}"
        return self._vault.seal(text.encode(), place) if text else b""

    def _open(self, row: Row[Any], column: str) -> Secret:
        sealed = getattr(row, column)
        place = f"channels.{column}:{row.id}"
        return Secret(self._vault.open(sealed, place).decode() if sealed else "")


def _headers(text: Secret) -> tuple[tuple[str, Secret], ...]:
    pairs: Iterable[tuple[str, str]] = json.loads(text.reveal()) if text else ()
    return tuple((name, Secret(value)) for name, value in pairs)


def _endpoint(row: Row[Any]) -> EndpointSpec:
    return EndpointSpec(row.api, row.path, row.base_url, row.transport)


async def _write_endpoints(connection: AsyncConnection, spec: ChannelSpec) -> None:
    rows = [
        {
            "channel_id": spec.id,
            "api": each.api,
            "path": each.path,
            "base_url": each.base_url,
            "transport": each.transport,
            "position": position,
        }
        for position, each in enumerate(spec.endpoints)
    ]
    if rows:
        await connection.execute(insert(endpoints), rows)


def _price(row: list[Any]) -> ModelPrice:
    """Return a price of a row, which has its tiers last, if it has any."""
    amounts, tiers = (row[:-1], row[-1]) if isinstance(row[-1], list) else (row, [])
    return replace(ModelPrice(*amounts), tiers=tuple(PriceTier(*each) for each in tiers))


def _price_row(price: ModelPrice) -> tuple[Any, ...]:
    """Return a price as a row: one without tiers is what older gateways read, too."""
    *amounts, tiers = astuple(price)
    return (*amounts, tiers) if tiers else tuple(amounts)
