"""API keys. Of a key itself there is only an HMAC digest: it is shown once, when it is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import (
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from longwire.core.errors import Conflict, FieldProblem, InvalidFields, refuse
from longwire.core.nouns.access import (
    Actor,
    ApiKey,
    Budgets,
    Grant,
    IssuedKey,
    KeyDigest,
    KeyStatus,
    Rates,
)
from longwire.core.nouns.budget import SubjectKind
from longwire.core.nouns.key_rules import check_key
from longwire.core.nouns.page import Page
from longwire.core.nouns.people import UserStatus
from longwire.core.nouns.project import ProjectStatus
from longwire.core.nouns.secret import Secret
from longwire.store.budgets import delete_budgets_of
from longwire.store.changes import ChangeLog, check_revision
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.named_channels import check_channels
from longwire.store.paging import Order, Window
from longwire.store.projects import bound_channels
from longwire.store.rows import columns_of, held_row, value_of
from longwire.store.secrets import new_api_key, new_id, prefix_of
from longwire.store.tables import api_keys, projects, users

_ORDER: Final = Order((api_keys.c.created_at, api_keys.c.id), is_descending=True)


class ApiKeys:
    """The API keys of one database."""

    def __init__(self, database: Database, digest: KeyDigest, clock: Callable[[], int]) -> None:
        self._database = database
        self._digest = digest
        self._clock = clock
        self._changes: ChangeLog[ApiKey] = ChangeLog("api-key", clock, attrgetter("name"))

    async def all(self) -> tuple[ApiKey, ...]:
        """Return the keys that may be accepted: not revoked, of active projects and people."""
        query = (
            select(api_keys)
            .join(projects, projects.c.id == api_keys.c.project_id)
            .outerjoin(users, users.c.id == api_keys.c.user_id)
            .where(or_(api_keys.c.user_id.is_(None), users.c.status == UserStatus.ACTIVE))
            .where(projects.c.status == ProjectStatus.ACTIVE)
            .where(api_keys.c.status != KeyStatus.REVOKED)
        )
        return await self._keys(query)

    async def page(
        self,
        *,
        first: int = 50,
        after: str | None = None,
        projects: Sequence[str] | None = None,
        user_id: str = "",
        search: str = "",
    ) -> Page[ApiKey]:
        """Return keys, newest first: of all `projects` or of these, with `search` in their name.

        With a `user_id` they are those of that user alone.

        Raises `InvalidFields` for a cursor that is none.
        """
        query = select(api_keys)
        if projects is not None:
            query = query.where(api_keys.c.project_id.in_(projects))
        if user_id:
            query = query.where(api_keys.c.user_id == user_id)
        if search:
            places = (api_keys.c.name, api_keys.c.prefix)
            query = query.where(or_(*(p.icontains(search, autoescape=True) for p in places)))
        return await _ORDER.read(self._database, query, Window(first, after), _key)

    async def of_user(self, user_id: str) -> tuple[str, ...]:
        """Return the ids of all keys of a user, revoked ones included."""
        query = select(api_keys.c.id).where(api_keys.c.user_id == user_id).order_by(api_keys.c.id)
        async with self._database.read() as connection:
            return tuple((await connection.scalars(query)).all())

    async def owners(self) -> dict[str, str]:
        """Return the ids of users by those of their keys."""
        query = select(api_keys.c.id, api_keys.c.user_id).where(api_keys.c.user_id.is_not(None))
        async with self._database.read() as connection:
            return {row.id: row.user_id for row in await connection.execute(query)}

    async def get(self, key_id: str) -> ApiKey:
        """Return a key. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await _held(connection, key_id)

    async def named(self, name: str, *, are_revoked: bool = False) -> tuple[ApiKey, ...]:
        """Return the keys of a name, those in use or the revoked ones; names need not differ."""
        is_revoked = api_keys.c.status == KeyStatus.REVOKED
        query = select(api_keys).where(api_keys.c.name == name)
        return await self._keys(query.where(is_revoked if are_revoked else not_(is_revoked)))

    async def of_secret(self, secret: str) -> tuple[ApiKey, ...]:
        """Return the key that a secret is of, or was until its last rotation; by its digest."""
        digest = self._digest(secret)
        columns = (api_keys.c.digest, api_keys.c.previous_digest)
        return await self._keys(select(api_keys).where(or_(*(each == digest for each in columns))))

    async def create(self, draft: ApiKey, actor: Actor, secret: Secret | None = None) -> IssuedKey:
        """Make a key from a draft's name, grant, status and expiry, and show it this once.

        A `secret` is one that callers have already. Raises `InvalidFields`.
        """
        _check_status(draft.status)
        now, secret = self._clock(), secret or new_api_key()
        key = replace(
            draft,
            id=new_id("key"),
            prefix=prefix_of(secret.reveal()),
            digest=self._digest(secret.reveal()),
            created_at=now,
            revision=1,
        )
        key = replace(key, grant=replace(key.grant, key_id=key.id))
        async with self._database.write() as connection:
            await _check(connection, key, now, Grant())
            await connection.execute(insert(api_keys).values(_row(key)))
            await self._changes.note(connection, actor, "create", (None, key))
        return IssuedKey(key, secret)

    async def update(self, key: ApiKey, actor: Actor) -> ApiKey:
        """Change a key's name, grant, status and expiry; `key.revision` is the one seen.

        Raises `InvalidFields`, `NotFound` and `Conflict`; then nothing has changed.
        """
        _check_status(key.status)
        now = self._clock()
        async with self._database.write() as connection:
            held = await self._seen(connection, key.id, key.revision)
            changed = replace(
                held,
                name=key.name,
                grant=replace(key.grant, key_id=held.id),
                status=key.status,
                expires_at=key.expires_at,
                revision=held.revision + 1,
            )
            had_expired = changed.expires_at == held.expires_at
            await _check(connection, changed, 0 if had_expired else now, held.grant)
            await self._write(connection, changed)
            await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def rotate(self, key_id: str, revision: int, overlap_ms: int, actor: Actor) -> IssuedKey:
        """Give a key a new secret; the one before is accepted for `overlap_ms` more.

        Raises `InvalidFields`, `NotFound` and `Conflict`.
        """
        if overlap_ms < 0:
            raise InvalidFields([FieldProblem("overlap", "must be 0 or more")])
        secret = new_api_key()
        async with self._database.write() as connection:
            held = await self._seen(connection, key_id, revision)
            rotated = replace(
                held,
                prefix=prefix_of(secret.reveal()),
                digest=self._digest(secret.reveal()),
                previous_digest=held.digest if overlap_ms else None,
                previous_until=self._clock() + overlap_ms if overlap_ms else None,
                revision=held.revision + 1,
            )
            await self._write(connection, rotated)
            await self._changes.note(connection, actor, "rotate", (held, rotated))
        return IssuedKey(rotated, secret)

    async def revoke(self, key_id: str, revision: int, actor: Actor) -> ApiKey:
        """Accept a key never again; its row stays, for the turns that name it.

        Raises `NotFound` and `Conflict`.
        """
        async with self._database.write() as connection:
            held = await self._seen(connection, key_id, revision)
            revoked = replace(
                held,
                status=KeyStatus.REVOKED,
                previous_digest=None,
                previous_until=None,
                revision=held.revision + 1,
            )
            await self._write(connection, revoked)
            await self._changes.note(connection, actor, "revoke", (held, revoked))
        return revoked

    async def delete(self, key_id: str, revision: int, actor: Actor) -> None:
        """Delete a key that was revoked; its turns stay in the log.

        Raises `NotFound`, and `Conflict` for one that is not revoked.
        """
        async with self._database.write() as connection:
            held = await _held(connection, key_id)
            check_revision("API key", held.name, held.revision, revision)
            if held.status is not KeyStatus.REVOKED:
                raise Conflict(f"The API key '{held.name}' is in use; revoke it first.")
            await connection.execute(delete(api_keys).where(api_keys.c.id == key_id))
            theirs = (SubjectKind.KEY, key_id)
            await delete_budgets_of(connection, theirs, actor, self._clock)
            await self._changes.note(connection, actor, "delete", (held, None))

    async def used(self, times: Mapping[str, int]) -> None:
        """Note when keys, by id, were last used; a time never goes back."""
        if not times:
            return
        statement = (
            update(api_keys)
            .where(api_keys.c.id == bindparam("key"))
            .where(func.coalesce(api_keys.c.last_used_at, 0) < bindparam("at"))
            .values(last_used_at=bindparam("at"))
        )
        rows = [{"key": key_id, "at": at} for key_id, at in sorted(times.items())]
        async with self._database.write() as connection:
            await connection.execute(statement, rows)

    async def _keys(self, query: Select[Any]) -> tuple[ApiKey, ...]:
        async with self._database.read() as connection:
            return tuple(_key(row) for row in (await connection.execute(query)).all())

    async def _seen(self, connection: AsyncConnection, key_id: str, revision: int) -> ApiKey:
        """Return a key to be changed, as it is held."""
        held = await _held(connection, key_id)
        check_revision("API key", held.name, held.revision, revision)
        if held.status is KeyStatus.REVOKED:
            raise Conflict(f"The API key '{held.name}' is revoked; make a new one.")
        return held

    async def _write(self, connection: AsyncConnection, key: ApiKey) -> None:
        await connection.execute(update(api_keys).where(api_keys.c.id == key.id).values(_row(key)))


def _check_status(status: KeyStatus) -> None:
    """Raise `InvalidFields` for one that only `revoke` gives."""
    if status is KeyStatus.REVOKED:
        raise InvalidFields([FieldProblem("status", "enable or disable it; revoke apart")])


async def _held(connection: AsyncConnection, key_id: str) -> ApiKey:
    return _key(await held_row(connection, api_keys, "API key", key_id))


async def _check(connection: AsyncConnection, key: ApiKey, now: int, before: Grant) -> None:
    """Raise `InvalidFields`; what a key was bound to `before` may be gone, and it be disabled.

    So may what its project is bound to: a bound to nothing stays one.
    """
    problems = list(check_key(key, now))
    is_active = select(func.count()).where(
        projects.c.id == key.grant.project_id, projects.c.status == ProjectStatus.ACTIVE
    )
    is_moved = key.grant.project_id != before.project_id
    if is_moved and not await connection.scalar(is_active):
        problems.append(FieldProblem("projectID", "there is no such active project"))
    is_user = select(func.count()).where(
        users.c.id == key.grant.user_id, users.c.status == UserStatus.ACTIVE
    )
    has_user = key.grant.user_id not in (None, before.user_id)
    if has_user and not await connection.scalar(is_user):
        problems.append(FieldProblem("userID", "there is no such active user"))
    new = set(key.grant.channels) - set(before.channels)
    if new:
        new -= await bound_channels(connection, key.grant.project_id)
    problems += await check_channels(connection, new, "channels")
    refuse(problems)


def _key(row: Row[Any]) -> ApiKey:
    grant = value_of(
        Grant,
        row,
        key_id=row.id,
        models=tuple(row.models),
        channels=tuple(row.channels),
        rates=value_of(Rates, row),
        budgets=value_of(Budgets, row),
    )
    return value_of(ApiKey, row, grant=grant, status=KeyStatus(row.status), is_declared=False)


def _row(key: ApiKey) -> dict[str, Any]:
    grant = key.grant
    return {
        **columns_of(key, "grant", "is_declared"),
        **columns_of(grant, "key_id", "rates", "budgets"),
        **columns_of(grant.rates),
        **columns_of(grant.budgets),
    }
