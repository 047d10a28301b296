"""Accounts of channels and their tokens, encrypted; one process at a time renews them.

Law: tokens are replaced only by those that come after them (`tokens_revision`). A lease is a row
with an end by the database's clock, never a transaction: nobody waits for the database while an
issuer answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, delete, insert, select, update

from longwire.core.errors import FieldProblem, InvalidFields, NotFound
from longwire.core.nouns.access import Actor
from longwire.core.nouns.account import Account, AccountStatus, Login, Owner, Tokens
from longwire.core.nouns.channel import CHANNEL_TYPES
from longwire.core.nouns.quota import Quota, quota_of
from longwire.core.nouns.secret import Secret
from longwire.store.audit import Noun, record
from longwire.store.changes import ChangeLog, bump_configuration, check_revision
from longwire.store.clock import database_now
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.rows import columns_of, value_of
from longwire.store.secrets import Vault, new_id
from longwire.store.tables import accounts, channels

_SEALED: Final = ("access_token", "refresh_token", "identity_token")


class Accounts:
    """The accounts of one database."""

    def __init__(self, database: Database, vault: Vault, clock: Callable[[], int]) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._changes: ChangeLog[Account] = ChangeLog(
            "account", clock, attrgetter("label"), shown=_audited
        )

    async def all(self, channel_id: str | None = None) -> tuple[Account, ...]:
        """Return the accounts of a channel, or of all, the oldest first."""
        query = select(accounts).order_by(accounts.c.created_at, accounts.c.id)
        if channel_id is not None:
            query = query.where(accounts.c.channel_id == channel_id)
        async with self._database.read() as connection:
            return tuple(map(self._value, (await connection.execute(query)).all()))

    async def get(self, account_id: str) -> Account:
        """Return an account by its id. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await self._one(connection, account_id)

    async def sign_in(self, channel_id: str, login: Login, actor: Actor) -> Account:
        """Add what somebody signed in with; an account that is there gets the new tokens.

        Raises `NotFound` for the channel, `InvalidFields` for one that has no accounts.
        """
        async with self._database.write() as connection:
            await _check_channel(connection, channel_id)
            held = await self._same(connection, channel_id, login)
            now = self._clock()
            account = Account(
                id=held.id if held else new_id("acc"),
                channel_id=channel_id,
                tokens=login.tokens,
                owner=login.owner,
                quota=held.quota if held else Quota(plan=login.owner.plan),
                refreshed_at=login.refreshed_at or now,
                created_at=held.created_at if held else now,
                tokens_revision=held.tokens_revision + 1 if held else 1,
                revision=held.revision + 1 if held else 1,
            )
            if held:
                await _write(connection, _is(account.id), self._row(account))
            else:
                await connection.execute(insert(accounts).values(self._row(account)))
            await self._changes.note(connection, actor, "sign_in", (held, account))
        return account

    async def set_status(
        self, account_id: str, revision: int, status: AccountStatus, actor: Actor
    ) -> Account:
        """Let an account take turns, or none.

        Raises `NotFound`, `Conflict`, and `InvalidFields` for one that must be signed in again.
        """
        async with self._database.write() as connection:
            held = await self._held(connection, account_id, revision)
            _check_status(held, status)
            changed = replace(held, status=status, revision=held.revision + 1)
            values = {"status": changed.status.value, "revision": changed.revision}
            await _write(connection, _is(account_id), values)
            await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def remove(self, account_id: str, revision: int, actor: Actor) -> None:
        """Forget an account and its tokens. Raises `NotFound` and `Conflict`."""
        async with self._database.write() as connection:
            held = await self._held(connection, account_id, revision)
            await connection.execute(delete(accounts).where(_is(account_id)))
            await self._changes.note(connection, actor, "delete", (held, None))

    async def claim(self, account: Account, holder: str, milliseconds: int) -> bool:
        """Take the lease on an account's tokens; False where another has it, or they are newer."""
        now = database_now(self._database)
        is_free = and_(_is_at(account), accounts.c.lease_until <= now)
        values = {"lease": holder, "lease_until": now + milliseconds}
        return await self._change(is_free, values)

    async def release(self, account: Account, holder: str) -> None:
        """Give a lease back."""
        mine = and_(_is(account.id), accounts.c.lease == holder)
        await self._change(mine, {"lease": "", "lease_until": 0})

    async def renew(self, account: Account, login: Login) -> Account:
        """Keep the tokens that came for those of `account`, and end the lease.

        Returns the account as it is now: where others were faster, with their tokens.
        """
        renewed = replace(account, tokens=login.tokens, owner=login.owner)
        row = self._row(renewed)
        values = {name: row[name] for name in (*_SEALED, "email", "account_id", "plan")}
        values |= {
            "expires_at": login.tokens.expires_at,
            "refreshed_at": login.refreshed_at,
            "tokens_revision": account.tokens_revision + 1,
            "lease": "",
            "lease_until": 0,
        }
        await self._change(_is_at(account), values)
        return await self.get(account.id)

    async def end(self, account: Account, problem: str) -> Account:
        """Note that these tokens are worth nothing any more, and why; end the lease.

        Returns the account as it is now: with newer tokens, where there are some, it lives on.
        """
        values = {
            "status": AccountStatus.SIGN_IN_NEEDED.value,
            "problem": problem,
            "revision": accounts.c.revision + 1,
            "lease": "",
            "lease_until": 0,
        }
        async with self._database.write() as connection:
            if await _write(connection, _is_at(account), values):
                noun = Noun("account", account.id, account.label)
                change = {"problem": ["", problem]}
                gateway = Actor("", "gateway")
                await record(connection, self._clock(), gateway, "sign_out", noun, change)
                await bump_configuration(connection)
        return await self.get(account.id)

    async def check_channel(self, channel_id: str) -> None:
        """Raise `NotFound` or `InvalidFields` for a channel that takes no accounts."""
        async with self._database.read() as connection:
            await _check_channel(connection, channel_id)

    async def note_refresh(self, account: Account, actor: Actor) -> None:
        """Record that somebody had new tokens fetched."""
        noun = Noun("account", account.id, account.label)
        async with self._database.write() as connection:
            await record(connection, self._clock(), actor, "refresh", noun, {})

    async def save_quota(self, account_id: str, quota: Quota) -> None:
        """Keep what is known of an account's quota."""
        await self._change(_is(account_id), {"quota": asdict(quota)})

    async def _change(self, condition: ColumnElement[bool], values: Mapping[str, Any]) -> bool:
        async with self._database.write() as connection:
            return await _write(connection, condition, values)

    async def _same(
        self, connection: AsyncConnection, channel_id: str, login: Login
    ) -> Account | None:
        """Return the account of a channel that belongs to the same person, if there is one."""
        owner = login.owner
        query = select(accounts).where(
            accounts.c.channel_id == channel_id,
            accounts.c.account_id == owner.account_id,
            accounts.c.email == owner.email,
        )
        if not owner.account_id and not owner.email:
            return None
        row = (await connection.execute(query.with_for_update())).first()
        return self._value(row) if row else None

    async def _held(self, connection: AsyncConnection, account_id: str, seen: int) -> Account:
        lock = select(accounts.c.revision).where(_is(account_id)).with_for_update()
        await connection.execute(lock)
        held = await self._one(connection, account_id)
        check_revision("account", held.label, held.revision, seen)
        return held

    async def _one(self, connection: AsyncConnection, account_id: str) -> Account:
        row = (await connection.execute(select(accounts).where(_is(account_id)))).first()
        if row is None:
            raise NotFound("account", account_id)
        return self._value(row)

    def _value(self, row: Row[Any]) -> Account:
        access, refresh, identity = (self._open(row, column) for column in _SEALED)
        return value_of(
            Account,
            row,
            tokens=Tokens(access, refresh, identity, row.expires_at),
            owner=value_of(Owner, row),
            status=AccountStatus(row.status),
            quota=_known(row.quota),
        )

    def _row(self, account: Account) -> dict[str, Any]:
        tokens, owner = account.tokens, account.owner
        texts = (tokens.access, tokens.refresh, tokens.identity)
        sealed = zip(_SEALED, texts, strict=True)
        return {
            **columns_of(account, "tokens", "owner", "quota"),
            **columns_of(owner),
            **{column: self._seal(account.id, column, text) for column, text in sealed},
            "expires_at": tokens.expires_at,
            "lease": "",
            "lease_until": 0,
            "quota": asdict(account.quota),
        }

    def _seal(self, account_id: str, column: str, text: Secret) -> bytes:
        place = f"accounts.{column}:{account_id}"
        return self._vault.seal(text.reveal().encode(), place) if text else b""

    def _open(self, row: Row[Any], column: str) -> Secret:
        sealed = getattr(row, column)
        place = f"accounts.{column}:{row.id}"
        return Secret(self._vault.open(sealed, place).decode() if sealed else "")


def _known(values: object) -> Quota:
    """Return a quota as it was written; where that cannot be read, nothing is known of it."""
    try:
        return quota_of(values)
    except ValueError:
        return Quota()


def _is(account_id: str) -> ColumnElement[bool]:
    return accounts.c.id == account_id


def _is_at(account: Account) -> ColumnElement[bool]:
    """Return the condition that nobody has replaced an account's tokens since."""
    return and_(_is(account.id), accounts.c.tokens_revision == account.tokens_revision)


async def _write(
    connection: AsyncConnection, condition: ColumnElement[bool], values: Mapping[str, Any]
) -> bool:
    """Change a row; False where none is so."""
    changed = await connection.execute(update(accounts).where(condition).values(**values))
    return changed.rowcount == 1


async def _check_channel(connection: AsyncConnection, channel_id: str) -> None:
    query = select(channels.c.type).where(channels.c.id == channel_id)
    kind = await connection.scalar(query)
    if kind is None:
        raise NotFound("channel", channel_id)
    if not CHANNEL_TYPES[kind].takes_accounts:
        able = " or ".join(name for name, each in CHANNEL_TYPES.items() if each.takes_accounts)
        message = f"is of type {kind}, which has no accounts; choose one of type {able}"
        raise InvalidFields([FieldProblem("channelID", message)])


def _check_status(held: Account, status: AccountStatus) -> None:
    if status is AccountStatus.SIGN_IN_NEEDED:
        message = "must be active or disabled; an account ends up so by itself"
        raise InvalidFields([FieldProblem("status", message)])
    if held.problem and status is AccountStatus.ACTIVE:
        message = f"cannot be active: {held.problem} Sign in again."
        raise InvalidFields([FieldProblem("status", message)])


def _audited(account: Account) -> dict[str, object]:
    """Return what the audit log says of an account."""
    tokens = Secret(f"{account.tokens_revision}")
    status = {"status": account.status, "problem": account.problem}
    return {**asdict(account.owner), **status, "tokens": tokens}
