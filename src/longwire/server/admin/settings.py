"""Settings and the audit log in the admin API, and what the configuration file says."""

from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Final

import strawberry
from strawberry.scalars import JSON

from longwire.core.nouns.access import Permission
from longwire.core.nouns.retention import Retention
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Info, admitted, require
from longwire.server.admin.inputs import changes, view_of
from longwire.server.admin.paging import Connection, connection
from longwire.server.admin.scalars import time_of
from longwire.store.audit import AuditRow, Noun

_NEW: Final = Retention()
_LONGEST: Final = 256
_FIELDS: Final = ("turn_days", "body_days")


@strawberry.type(name="Settings", description="What is changed while the gateway runs.")
class SettingsView:
    turn_days: int = strawberry.field(description="Days that turns stay in the log.")
    body_days: int = strawberry.field(description="Days that bodies stay with them.")
    revision: int
    file: str = strawberry.field(description="The configuration file; empty where there is none.")
    indexes_bodies: bool = strawberry.field(
        description="Whether kept bodies can be searched: `bodies.index` in that file."
    )


@strawberry.input(description="What is left out stays as it is; null sets the default.")
class SettingsInput:
    turn_days: int | None = strawberry.UNSET
    body_days: int | None = strawberry.UNSET


Draft = Annotated[SettingsInput, strawberry.argument(name="input")]


@strawberry.type(description="One change that somebody made.")
class AuditEntry:
    id: strawberry.ID
    at: datetime
    actor_id: strawberry.ID
    actor_name: str
    address: str
    action: str
    noun: str
    noun_id: strawberry.ID
    noun_name: str
    changes: JSON = strawberry.field(description="Fields with old and new value; secrets as ***.")


@strawberry.type(description="What the configuration file declares now.")
class Reloaded:
    file: str
    channels: int
    api_keys: int


def _shown(retention: Retention, administration: Administration) -> SettingsView:
    return view_of(
        SettingsView,
        retention,
        file=administration.file,
        indexes_bodies=administration.store.body_search.is_allowed,
    )


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=strawberry.ID(str(row.id)),
        at=time_of(row.at),
        actor_id=strawberry.ID(row.actor.id),
        actor_name=row.actor.name,
        address=row.actor.address,
        action=row.action,
        noun=row.noun.kind,
        noun_id=strawberry.ID(row.noun.id),
        noun_name=row.noun.name,
        changes=JSON(row.changes),
    )


async def _settings(info: Info) -> SettingsView:
    _, administration = admitted(info, Permission.SETTINGS_READ)
    retention = await administration.store.settings.retention()
    return _shown(retention, administration)


async def _version(info: Info) -> str:
    require(info, Permission.SETTINGS_READ)
    return version("longwire")


async def _audit(
    info: Info, first: int = 50, after: str | None = None, noun: str = ""
) -> Connection[AuditEntry]:
    require(info, Permission.AUDIT_READ)
    audit = info.context.administration.store.audit
    return connection(await audit.page(first=first, after=after, kind=noun), _entry)


async def _update(info: Info, revision: int, draft: Draft) -> SettingsView:
    viewer, administration = admitted(info, Permission.SETTINGS_WRITE)
    held = await administration.store.settings.retention()
    wanted = replace(held, revision=revision, **changes(draft, _NEW, _FIELDS, {}))
    saved = await administration.store.settings.keep(wanted, viewer.actor)
    await administration.refresh()
    return _shown(saved, administration)


async def _reload(info: Info) -> Reloaded:
    viewer, administration = admitted(info, Permission.SETTINGS_WRITE)
    await administration.reconciler.reload_file()
    noun = Noun("settings", "file", administration.file[-_LONGEST:])
    await administration.store.audit.note(viewer.actor, "reload", noun)
    return Reloaded(
        file=administration.file,
        channels=len(administration.declared_channels()),
        api_keys=len(administration.declared_keys()),
    )


@strawberry.type
class SettingsQueries:
    settings: SettingsView = strawberry.field(resolver=_settings)
    version: str = strawberry.field(resolver=_version)
    audit: Connection[AuditEntry] = strawberry.field(
        resolver=_audit,
        description="Changes, newest first, of one kind of `noun` (channel, api-key, …) or of all.",
    )


@strawberry.type
class SettingsMutations:
    update_settings: SettingsView = strawberry.field(resolver=_update)
    reload_file: Reloaded = strawberry.field(
        resolver=_reload,
        description="Reads the configuration file again; a bad one changes nothing and is told.",
    )
