"""A new master key: everything sealed is opened once and sealed anew.

The key before it stays readable, second in the file, for what running gateways wrote meanwhile;
the next rotation seals that anew and drops it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Column, LargeBinary, Table, select, update

from longwire.core.nouns.secret import Secret
from longwire.store.alert_tables import alert_destinations
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.log_tables import turn_bodies
from longwire.store.overrides import reseal_overrides
from longwire.store.secrets import Vault, new_master_key, read_master_keys, write_master_keys
from longwire.store.tables import accounts, channel_keys, channels, keyring, pending_sign_ins

_SEALED: Final = (
    channels,
    channel_keys,
    accounts,
    keyring,
    pending_sign_ins,
    turn_bodies,
    alert_destinations,
)
_AT_ONCE: Final = 200


async def rotate_secret(database: Database, configured: Secret, path: Path) -> int:
    """Seal everything with the newest master key, and return how many values were sealed anew.

    A key that is `configured` is rotated there: a new one is written before the old, and
    this seals with it. One in the file at `path` is replaced. Raises `ConfigurationError` for a
    value that no key opens; then nothing has changed but the file, which holds both keys.
    """
    keys = read_master_keys(configured, path)
    if not configured:
        keys = (new_master_key(), *keys)
        write_master_keys(keys, path, replace=True)
    vault, number = Vault(keys), 0
    async with database.write() as connection:
        for table in _SEALED:
            number += await _reseal(connection, table, vault)
        number += await reseal_overrides(connection, vault)
    if not configured:
        write_master_keys(keys[:2], path, replace=True)
    return number


async def _reseal(connection: AsyncConnection, table: Table, vault: Vault) -> int:
    (key,) = table.primary_key.columns
    sealed = [column for column in table.columns if isinstance(column.type, LargeBinary)]
    last, number = None, 0
    while True:
        # Locked: tokens that a gateway renews meanwhile must not be replaced by those before.
        query = select(key, *sealed).order_by(key).limit(_AT_ONCE).with_for_update()
        rows = (await connection.execute(query if last is None else query.where(key > last))).all()
        for row in rows:
            values = dict(_anew(table, sealed, tuple(row), vault))
            number += len(values)
            if values:
                await connection.execute(update(table).where(key == row[0]).values(values))
        if len(rows) < _AT_ONCE:
            return number
        last = rows[-1][0]


def _anew(
    table: Table, columns: list[Column[bytes]], row: tuple[object, ...], vault: Vault
) -> Iterator[tuple[str, bytes]]:
    for column, value in zip(columns, row[1:], strict=True):
        if isinstance(value, bytes) and value and not vault.is_current(value):
            place = f"{table.name}.{column.name}:{row[0]}"
            yield column.name, vault.seal(vault.open(value, place), place)
