"""The keys of channels that have several, sealed; a channel's own stands in its row."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

from sqlalchemy import delete, insert, select

from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.secret import Secret
from longwire.store.engine import AsyncConnection
from longwire.store.rows import columns_of, value_of
from longwire.store.secrets import Vault
from longwire.store.tables import channel_keys

_PLACE: Final = "channel_keys.secret"


async def keys_by_channel(
    connection: AsyncConnection, vault: Vault, channel_ids: Iterable[str]
) -> Mapping[str, tuple[ChannelKey, ...]]:
    """Return the keys of some channels by the channels' ids, in their order."""
    query = (
        select(channel_keys)
        .where(channel_keys.c.channel_id.in_([*channel_ids]))
        .order_by(channel_keys.c.channel_id, channel_keys.c.position)
    )
    rows = (await connection.execute(query)).all()
    return {
        channel_id: tuple(
            value_of(ChannelKey, row, secret=_opened(vault, row.id, row.secret)) for row in group
        )
        for channel_id, group in groupby(rows, lambda row: row.channel_id)
    }


async def write_keys(connection: AsyncConnection, vault: Vault, spec: ChannelSpec) -> None:
    """Let a channel have the keys of `spec` and no others."""
    await connection.execute(delete(channel_keys).where(channel_keys.c.channel_id == spec.id))
    rows = [
        {
            **columns_of(key, "secret"),
            "channel_id": spec.id,
            "secret": vault.seal(key.secret.reveal().encode(), f"{_PLACE}:{key.id}"),
            "position": position,
        }
        for position, key in enumerate(spec.keys)
    ]
    if rows:
        await connection.execute(insert(channel_keys), rows)


def _opened(vault: Vault, key_id: str, sealed: bytes) -> Secret:
    return Secret(vault.open(sealed, f"{_PLACE}:{key_id}").decode())
