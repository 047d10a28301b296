"""API keys in the admin API. A key itself is shown once, in the answer to its creation.

Law: a viewer sees the keys of their own projects alone; the file's keys are the default project's.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import strawberry

from longwire.core.errors import NotFound
from longwire.core.nouns.access import ApiKey, Budgets, Grant, IssuedKey, KeyStatus, Permission
from longwire.core.nouns.page import Page
from longwire.core.nouns.project import DEFAULT_PROJECT
from longwire.server.admin.administration import Administration
from longwire.server.admin.channel_inputs import RatesInput
from longwire.server.admin.channels import ManagedBy, RateLimits
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.inputs import Reader, changes, view_of
from longwire.server.admin.paging import Connection, Id, connection, with_declared
from longwire.server.admin.projects import own_projects
from longwire.server.admin.scalars import (
    Int64,
    dollars_or_none,
    milliseconds_of,
    nano_or_none,
    time_or_none,
)
from longwire.store.turns import TurnFilter

strawberry.enum(KeyStatus, name="APIKeyStatus", description="Whether an API key is accepted.")


@strawberry.type(name="Budgets", description="Most tokens and US dollars by UTC day and month.")
class BudgetLimits:
    tokens_per_day: Int64 | None
    tokens_per_month: Int64 | None
    cost_per_day: float | None
    cost_per_month: float | None


@strawberry.input(description="Costs in US dollars; null is no limit, left out is null.")
class BudgetsInput:
    tokens_per_day: Int64 | None = None
    tokens_per_month: Int64 | None = None
    cost_per_day: float | None = None
    cost_per_month: float | None = None

    def budgets(self) -> Budgets:
        """Return them as the core has them."""
        return Budgets(
            self.tokens_per_day,
            self.tokens_per_month,
            nano_or_none(self.cost_per_day),
            nano_or_none(self.cost_per_month),
        )


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
_NAMED: Final = ("project_id", "models", "channels")
_GRANTED: Final = (*_NAMED, "rates", "budgets", *_SWITCHES)
_READ: Final[dict[str, Reader]] = {
    "models": tuple,
    "channels": tuple,
    "rates": RatesInput.rates,
    "budgets": BudgetsInput.budgets,
    "expires_at": milliseconds_of,
}


def shown(key: ApiKey) -> Key:
    """Return a key as everybody may see it who may see it at all."""
    grant, budgets = key.grant, key.grant.budgets
    return view_of(
        Key,
        key,
        **{name: getattr(grant, name) for name in (*_NAMED, *_SWITCHES)},
        rates=view_of(RateLimits, grant.rates),
        budgets=view_of(
            BudgetLimits,
            budgets,
            cost_per_day=dollars_or_none(budgets.cost_per_day),
            cost_per_month=dollars_or_none(budgets.cost_per_month),
        ),
        managed_by=ManagedBy.FILE if key.is_declared else ManagedBy.DATABASE,
        expires_at=time_or_none(key.expires_at),
        previous_until=time_or_none(key.previous_until),
        created_at=time_or_none(key.created_at or None),
        used_at=key.last_used_at,
    )


def _issued(issued: IssuedKey) -> Issued:
    return Issued(api_key=shown(issued.key), secret=issued.secret.reveal())


def applied(key: ApiKey, draft: KeyInput) -> ApiKey:
    """Return a key with the draft put in."""
    grant = replace(key.grant, **changes(draft, _NEW.grant, _GRANTED, _READ))
    return replace(key, grant=grant, **changes(draft, _NEW, _OWN, _READ))


async def _page(
    info: Info, first: int = 50, after: str | None = None, search: str = ""
) -> Connection[Key]:
    viewer, administration = admitted(info, Permission.KEYS_READ)
    own = await own_projects(administration, viewer)
    declared = {
        key.id: key
        for key in administration.declared_keys()
        if (own is None or key.grant.project_id in own) and search.lower() in key.name.lower()
    }

    async def stored(first: int, after: str | None) -> Page[ApiKey]:
        keys = administration.store.keys
        return await keys.page(first=first, after=after, projects=own, search=search)

    return connection(await with_declared(declared, stored, first, after), shown)


async def _one(info: Info, key_id: Id) -> Key:
    viewer, administration = admitted(info, Permission.KEYS_READ)
    key = await _find(administration, key_id)
    own = await own_projects(administration, viewer)
    if own is not None and key.grant.project_id not in own:
        raise NotFound("API key", key_id)
    return shown(key)


async def _find(administration: Administration, key_id: str) -> ApiKey:
    for key in administration.declared_keys():
        if key.id == key_id:
            return key
    return await administration.store.keys.get(key_id)


async def _to_change(administration: Administration, key_id: str, revision: int) -> ApiKey:
    """Return a key as seen at a revision. Raises `Conflict` for a declared one."""
    key = await _find(administration, key_id)
    if key.is_declared:
        raise administration.refusal("API key", key.name)
    return replace(key, revision=revision)


async def _create(info: Info, draft: Draft) -> Issued:
    viewer, administration = admitted(info, Permission.KEYS_WRITE)
    issued = await administration.store.keys.create(applied(_NEW, draft), viewer.actor)
    await administration.refresh()
    return _issued(issued)


async def _update(info: Info, key_id: Id, revision: int, draft: Draft) -> Key:
    viewer, administration = admitted(info, Permission.KEYS_WRITE)
    seen = await _to_change(administration, key_id, revision)
    saved = await administration.store.keys.update(applied(seen, draft), viewer.actor)
    await administration.refresh()
    return shown(saved)


async def _set_status(info: Info, key_id: Id, revision: int, status: KeyStatus) -> Key:
    return await _update(info, key_id, revision, KeyInput(status=status))


async def _rotate(info: Info, key_id: Id, revision: int, overlap: int = 0) -> Issued:
    viewer, administration = admitted(info, Permission.KEYS_WRITE)
    await _to_change(administration, key_id, revision)
    keys = administration.store.keys
    issued = await keys.rotate(key_id, revision, overlap * _SECOND, viewer.actor)
    await administration.refresh()
    return _issued(issued)


async def _revoke(info: Info, key_id: Id, revision: int) -> Key:
    viewer, administration = admitted(info, Permission.KEYS_WRITE)
    await _to_change(administration, key_id, revision)
    revoked = await administration.store.keys.revoke(key_id, revision, viewer.actor)
    await administration.refresh()
    return shown(revoked)


async def _delete(info: Info, key_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.KEYS_WRITE)
    await _to_change(administration, key_id, revision)
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
