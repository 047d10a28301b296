"""The overrides in a channel's row: readable JSON, in which the values of headers are sealed.

What was written before they were sealed is read as it stands, and sealed with the next write. The
audit log, which is only ever added to, keeps it, and is read without the values.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select, update

from longwire.core.nouns.override import Override
from longwire.core.nouns.secret import Secret
from longwire.store.engine import AsyncConnection
from longwire.store.rows import columns_of
from longwire.store.secrets import HIDDEN, Vault
from longwire.store.tables import channels

_SEALED: Final = "sealed"


def override_rows(
    overrides: Sequence[Override], channel_id: str, vault: Vault
) -> list[dict[str, Any]]:
    """Return the overrides of a channel as they are kept."""
    return [_row(each, channel_id, vault) for each in overrides]


def overrides_in(
    rows: Sequence[Mapping[str, Any]], channel_id: str, vault: Vault
) -> tuple[Override, ...]:
    """Return the overrides of a channel as they are used."""
    return tuple(_override(row, channel_id, vault) for row in rows)


def without_header_values(rows: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Return overrides of the audit log with what is in clear of headers hidden."""
    return None if rows is None else [_hidden(row) for row in rows]


def _hidden(row: Mapping[str, Any]) -> dict[str, Any]:
    stars = {"value": "", "header_value": HIDDEN} if _is_clear(row) else {}
    return {**row, **stars}


async def reseal_overrides(connection: AsyncConnection, vault: Vault) -> int:
    """Seal all values of headers with the newest master key, and return how many there were."""
    query = select(channels.c.id, channels.c.overrides).with_for_update()
    number = 0
    for id_, rows in (await connection.execute(query)).all():
        if stale := sum(_is_stale(row, vault) for row in rows):
            anew = override_rows(overrides_in(rows, id_, vault), id_, vault)
            await connection.execute(
                update(channels).where(channels.c.id == id_).values(overrides=anew)
            )
            number += stale
    return number


def _row(override: Override, channel_id: str, vault: Vault) -> dict[str, Any]:
    row = columns_of(override, "header_value")
    if override.header_value:
        text = override.header_value.reveal().encode()
        row[_SEALED] = base64.b64encode(vault.seal(text, _place(channel_id))).decode()
    return row


def _override(row: Mapping[str, Any], channel_id: str, vault: Vault) -> Override:
    values = {**row, "models": (*row["models"],), "apis": (*row["apis"],)}
    if sealed := values.pop(_SEALED, ""):
        text = vault.open(base64.b64decode(sealed), _place(channel_id)).decode()
        return Override(**values, header_value=Secret(text))
    if row["header"]:
        return Override(**{**values, "value": ""}, header_value=Secret(row["value"]))
    return Override(**values)


def _is_stale(row: Mapping[str, Any], vault: Vault) -> bool:
    if sealed := row.get(_SEALED):
        return not vault.is_current(base64.b64decode(sealed))
    return _is_clear(row)


def _is_clear(row: Mapping[str, Any]) -> bool:
    """Whether the value of a header stands in it, as it was written before it was sealed."""
    return bool(row["header"] and row["value"])


def _place(channel_id: str) -> str:
    return f"channels.overrides:{channel_id}"
