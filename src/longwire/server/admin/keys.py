"""API keys in the admin API. A key itself is shown once, in the answer to its creation.

Law: a viewer sees the keys of their own projects alone, a member their own keys, which they also
make; the file's keys are the default project's.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import strawberry

from longwire.core.errors import NotFound
from longwire.core.nouns.access import ApiKey, Grant, IssuedKey, KeyStatus, Permission, Role
from longwire.core.nouns.page import Page
from longwire.core.nouns.project import DEFAULT_PROJECT
from longwire.server.admin.administration import Administration
from longwire.server.admin.budget_limits import BudgetLimits, BudgetsInput, shown_budgets
from longwire.server.admin.channel_inputs import RatesInput
from longwire.server.admin.channels import ManagedBy, RateLimits
from longwire.server.admin.context import Info, Viewer, admitted
from longwire.server.admin.inputs import Reader, changes, view_of
from longwire.server.admin.own_keys import as_allowed
from longwire.server.admin.paging import Connection, Id, connection, with_declared
from longwire.server.admin.projects import own_projects
from longwire.server.admin.scalars import milliseconds_of, time_or_none
from longwire.server.admin.sight import sight_of
from longwire.store.turn_filter import TurnFilter

strawberry.enum(KeyStatus, name="APIKeyStatus", description="Whether an API key is accepted.")


async def _last_used(info: Info, root: strawberry.Parent["Key"]) -> datetime | None:
    """Return when it was used last; nothing is written of a key that stands in the file."""
    if root.managed_by is ManagedBy.DATABASE:
        return time_or_none(root.used_at)
    wanted = TurnFilter(key_id=root.id)
    newest = await info.context.administration.store.turns.page(wanted, first=1)
    return time_or_none(max((turn.started_at for _, turn in newest.edges), default=None))


@strawberry.type(name="APIKey", description="A key of the data plane, without the key itself.")
class Key:
    id: strawberry.ID
    name: str
    prefix: str = strawberry.field(description="How the key begins, to tell keys apart.")
    project_id: strawberry.ID
    user_id: strawberry.ID | None = strawberry.field(
        name="userID",
        description="Whose it is; without them, or while they are disabled, it stops.",
    )
    user_email: str = strawberry.field(description="Of whose it is; empty for nobody.")
    models: list[str] = strawberry.field(description="Names or patterns; none means all.")
    channels: list[strawberry.ID] = strawberry.field(description="Ids; none means all.")
    rates: RateLimits
    budgets: BudgetLimits
    keeps_bodies: bool = strawberry.field(description="Whether the log keeps bodies of its turns.")
    shows_reasoning: bool = strawberry.field(
        description="Whether Chat Completions shows the model's reasoning unasked."
    )
    status: KeyStatus
    managed_by: ManagedBy
    expires_at: datetime | None
    previous_until: datetime | None = strawberry.field(
        description="Until when the key before the last rotation is accepted."
    )
    created_at: datetime | None
    last_used_at: datetime | None = strawberry.field(
        resolver=_last_used, description="Of a key of the file, as the turn log has it."
    )
    used_at: strawberry.Private[int | None]
    revision: int


@strawberry.type(name="IssuedAPIKey", description="A key and, this once, its secret.")
class Issued:
    api_key: Key
    secret: str


@strawberry.input(name="APIKeyInput", description="Left out stays as it is; null sets the default.")
class KeyInput:
    name: str | None = strawberry.UNSET
    project_id: strawberry.ID | None = strawberry.UNSET
    user_id: strawberry.ID | None = strawberry.field(
        name="userID",
        default=strawberry.UNSET,
        description="Whose it is, null for nobody; a new one is that of who makes it.",
    )
    models: list[str] | None = strawberry.UNSET
    channels: list[strawberry.ID] | None = strawberry.UNSET
    rates: RatesInput | None = strawberry.UNSET
    budgets: BudgetsInput | None = strawberry.UNSET
    keeps_bodies: bool | None = strawberry.UNSET
    shows_reasoning: bool | None = strawberry.UNSET
    status: KeyStatus | None = strawberry.UNSET
    expires_at: datetime | None = strawberry.UNSET


Draft = Annotated[KeyInput, strawberry.argument(name="input")]
_SECOND: Final = 1_000
_NEW: Final = ApiKey("", "", "", b"", Grant(project_id=DEFAULT_PROJECT))
_OWN: Final = ("name", "status", "expires_at")
_SWITCHES: Final = ("keeps_bodies", "shows_reasoning")
_NAMED: Final = ("project_id", "user_id", "models", "channels")
_GRANTED: Final = (*_NAMED, "rates", "budgets", *_SWITCHES)
_READ: Final[dict[str, Reader]] = {
    "models": tuple,
    "channels": tuple,
    "rates": RatesInput.rates,
    "budgets": BudgetsInput.budgets,
    "expires_at": milliseconds_of,
}


def shown(key: ApiKey, emails: Mapping[str, str]) -> Key:
    """Return a key as everybody may see it who may see it at all."""
    grant = key.grant
    return view_of(
        Key,
        key,
        **{name: getattr(grant, name) for name in (*_NAMED, *_SWITCHES)},
        rates=view_of(RateLimits, grant.rates),
        budgets=shown_budgets(grant.budgets),
        user_email=emails.get(grant.user_id or "", ""),
        managed_by=ManagedBy.FILE if key.is_declared else ManagedBy.DATABASE,
        expires_at=time_or_none(key.expires_at),
        previous_until=time_or_none(key.previous_until),
        created_at=time_or_none(key.created_at or None),
        used_at=key.last_used_at,
    )


async def _issued(administration: Administration, issued: IssuedKey) -> Issued:
    key = await _shown(administration, issued.key)
    return Issued(api_key=key, secret=issued.secret.reveal())


async def _shown(administration: Administration, key: ApiKey) -> Key:
    return shown(key, await administration.store.users.emails() if key.grant.user_id else {})


def applied(key: ApiKey, draft: KeyInput) -> ApiKey:
    """Return a key with the draft put in."""
    grant = replace(key.grant, **changes(draft, _NEW.grant, _GRANTED, _READ))
    return replace(key, grant=grant, **changes(draft, _NEW, _OWN, _READ))


async def _page(
    info: Info,
    first: int = 50,
    after: str | None = None,
    search: str = "",
    user_id: Annotated[strawberry.ID | None, strawberry.argument(name="userID")] = None,
) -> Connection[Key]:
    viewer, administration = admitted(info, Permission.KEYS_READ)
    owner = user_id or (viewer.user.id if viewer.role is Role.MEMBER else "")
    is_own = viewer.role is Role.MEMBER and owner == viewer.user.id
    own = None if is_own else await own_projects(administration, viewer)
    declared = {
        key.id: key
        for key in administration.declared_keys()
        if not owner
        and (own is None or key.grant.project_id in own)
        and search.lower() in key.name.lower()
    }

    async def stored(first: int, after: str | None) -> Page[ApiKey]:
        keys = administration.store.keys
        return await keys.page(first=first, after=after, projects=own, user_id=owner, search=search)

    page = await with_declared(declared, stored, first, after)
    emails = await administration.store.users.emails()
    return connection(page, lambda key: shown(key, emails))


async def _one(info: Info, key_id: Id) -> Key:
    viewer, administration = admitted(info, Permission.KEYS_READ)
    key = await administration.key(key_id)
    sight = await sight_of(administration, viewer)
    if not sight.shows(key.grant.project_id, key.id):
        raise NotFound("API key", key_id)
    return await _shown(administration, key)


async def _to_change(
    administration: Administration, viewer: Viewer, key_id: str, revision: int
) -> ApiKey:
    """Return a key as seen at a revision. Raises `Conflict` for a declared one."""
    key = await administration.key(key_id)
    if viewer.role is Role.MEMBER and key.grant.user_id != viewer.user.id:
        raise NotFound("API key", key_id)
    if key.is_declared:
        raise administration.refusal("API key", key.name)
    return replace(key, revision=revision)


async def _create(info: Info, draft: Draft) -> Issued:
    viewer, administration = admitted(info, Permission.KEYS_OWN)
    new = replace(_NEW, grant=replace(_NEW.grant, user_id=viewer.user.id))
    key = await as_allowed(administration, viewer, (None, applied(new, draft)))
    issued = await administration.store.keys.create(key, viewer.actor)
    await administration.refresh()
    return await _issued(administration, issued)


async def _update(info: Info, key_id: Id, revision: int, draft: Draft) -> Key:
    viewer, administration = admitted(info, Permission.KEYS_OWN)
    seen = await _to_change(administration, viewer, key_id, revision)
    changed = await as_allowed(administration, viewer, (seen, applied(seen, draft)))
    saved = await administration.store.keys.update(changed, viewer.actor)
    await administration.refresh()
    return await _shown(administration, saved)


async def _set_status(info: Info, key_id: Id, revision: int, status: KeyStatus) -> Key:
    return await _update(info, key_id, revision, KeyInput(status=status))


async def _rotate(info: Info, key_id: Id, revision: int, overlap: int = 0) -> Issued:
    viewer, administration = admitted(info, Permission.KEYS_OWN)
    await _to_change(administration, viewer, key_id, revision)
    keys = administration.store.keys
    issued = await keys.rotate(key_id, revision, overlap * _SECOND, viewer.actor)
    await administration.refresh()
    return await _issued(administration, issued)


async def _revoke(info: Info, key_id: Id, revision: int) -> Key:
    viewer, administration = admitted(info, Permission.KEYS_OWN)
    await _to_change(administration, viewer, key_id, revision)
    revoked = await administration.store.keys.revoke(key_id, revision, viewer.actor)
    await administration.refresh()
    return await _shown(administration, revoked)


async def _delete(info: Info, key_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.KEYS_WRITE)
    await _to_change(administration, viewer, key_id, revision)
    await administration.store.keys.delete(key_id, revision, viewer.actor)
    await administration.refresh()
    return True


@strawberry.type
class KeyQueries:
    api_keys: Connection[Key] = strawberry.field(
        resolver=_page,
        description="Keys, those of the file first, then the newest; `search` in name and prefix.",
    )
    api_key: Key = strawberry.field(resolver=_one)


@strawberry.type
class KeyMutations:
    create_api_key: Issued = strawberry.field(resolver=_create)
    update_api_key: Key = strawberry.field(
        resolver=_update,
        description="`revision` is the one seen; CONFLICT tells the one that holds now.",
    )
    update_api_key_status: Key = strawberry.field(resolver=_set_status)
    rotate_api_key: Issued = strawberry.field(
        resolver=_rotate,
        description="Makes a new secret; the one before is accepted for `overlap` seconds more.",
    )
    revoke_api_key: Key = strawberry.field(
        resolver=_revoke, name="revokeAPIKey", description="Accepts a key never again."
    )
    delete_api_key: bool = strawberry.field(
        resolver=_delete,
        description="Deletes a key that was revoked; its turns stay in the log.",
    )
