"""Sign-ins of accounts under way, so that one begun on a node can be finished on another.

Law: a stage is left once, by whoever is first. What proves a sign-in is encrypted.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update

from longwire.core.nouns.access import Actor
from longwire.core.nouns.pending_sign_in import PendingSignIn
from longwire.core.nouns.secret import Secret
from longwire.store.database import Database
from longwire.store.rows import columns_of, value_of
from longwire.store.secrets import Vault
from longwire.store.tables import pending_sign_ins

_CHANGES: Final = frozenset({"node", "sealed", "expires_at", "stage", "error", "account_id"})


class PendingSignIns:
    """The sign-ins under way of all nodes that share a database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def count(self, stages: Collection[str], now: int) -> int:
        """Return how many are at one of these stages, and expire after `now`, as `sweep` has it."""
        query = (
            select(func.count())
            .select_from(pending_sign_ins)
            .where(pending_sign_ins.c.stage.in_(stages), pending_sign_ins.c.expires_at > now)
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def find(self, sign_in_id: str) -> PendingSignIn | None:
        """Return a sign-in, None where there is none by this id."""
        query = select(pending_sign_ins).where(pending_sign_ins.c.id == sign_in_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return self._value(row) if row else None

    async def add(self, sign_in: PendingSignIn) -> None:
        """Keep a new one. Raises `IntegrityError` for a channel that is not there."""
        async with self._database.write() as connection:
            await connection.execute(insert(pending_sign_ins).values(self._row(sign_in)))

    async def update(self, sign_in: PendingSignIn, *, was: str, at: str | None = None) -> bool:
        """Keep how it is now; False, with nothing changed, where its stage `was` another.

        So where its node is not the one it was `at`.
        """
        row = self._row(sign_in)
        changed = (
            update(pending_sign_ins)
            .where(pending_sign_ins.c.id == sign_in.id, pending_sign_ins.c.stage == was)
            .values({name: row[name] for name in _CHANGES})
        )
        if at is not None:
            changed = changed.where(pending_sign_ins.c.node == at)
        async with self._database.write() as connection:
            return (await connection.execute(changed)).rowcount == 1

    async def sweep(self, before: int) -> int:
        """Forget those that expired `before` a time in ms since 1970 UTC; say how many."""
        expired = delete(pending_sign_ins).where(pending_sign_ins.c.expires_at < before)
        async with self._database.write() as connection:
            return (await connection.execute(expired)).rowcount

    def _row(self, sign_in: PendingSignIn) -> dict[str, Any]:
        actor, proof = sign_in.actor, sign_in.proof.reveal().encode()
        return {
            **columns_of(sign_in, "actor", "proof"),
            "actor_id": actor.id,
            "actor_name": actor.name,
            "actor_address": actor.address,
            "sealed": self._vault.seal(proof, _place(sign_in.id)) if proof else b"",
        }

    def _value(self, row: Row[Any]) -> PendingSignIn:
        sealed = row.sealed
        proof = self._vault.open(sealed, _place(row.id)).decode() if sealed else ""
        actor = Actor(row.actor_id, row.actor_name, row.actor_address)
        return value_of(PendingSignIn, row, actor=actor, proof=Secret(proof))


def _place(sign_in_id: str) -> str:
    return f"pending_sign_ins.sealed:{sign_in_id}"
