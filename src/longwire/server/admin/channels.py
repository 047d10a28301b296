"""Channels in the admin API. Credentials, passwords of proxies and values of headers never leave.

Law: a channel of the configuration file is shown like any other; it is changed in the file alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import strawberry

from longwire.core.errors import ConfigurationError, refuse
from longwire.core.nouns.access import Permission
from longwire.core.nouns.channel import (
    ALL_APIS,
    DEFAULT_VERSIONS,
    TYPES,
    ChannelSpec,
    EndpointSpec,
    Status,
    check_base_url,
)
from longwire.core.nouns.override import Override as CoreOverride
from longwire.core.nouns.page import Page
from longwire.server.admin.accounts import Account, accounts_of
from longwire.server.admin.administration import Administration
from longwire.server.admin.channel_checks import drafted
from longwire.server.admin.channel_health import ChannelErrors, ChannelHealth, errors_of, health_of
from longwire.server.admin.channel_inputs import ChannelInput, EndpointInput
from longwire.server.admin.context import Info, admitted, require
from longwire.server.admin.inputs import view_of
from longwire.server.admin.paging import Connection, Id, connection, with_declared
from longwire.server.admin.prices import ModelCost, Price, costs_of, shown_price
from longwire.server.admin.profiles import Profile, shown_profile
from longwire.server.admin.scalars import Int64, time_or_none
from longwire.server.admin.shown_keys import ChannelKey, keys_of
from longwire.upstream.net.urls import Scheme, endpoint_url

_SCHEMES: Final[dict[str, tuple[Scheme, ...]]] = {
    "auto": ("ws", "http"),
    "websocket": ("ws",),
    "http": ("http",),
}
Draft = Annotated[ChannelInput, strawberry.argument(name="input")]


@strawberry.enum(description="Where something is configured, and so where it is changed.")
class ManagedBy(Enum):
    FILE = "file"
    DATABASE = "database"


@strawberry.type(description="One API of a channel, with the place and the way to call it.")
class Endpoint:
    api_format: str
    path: str
    base_url: str
    transport: str
    dials: list[str] = strawberry.field(
        description="The URLs that are called, the preferred one first."
    )


@strawberry.type(description="A model that is sent upstream by another name.")
class Rename:
    requested: str = strawberry.field(name="from")
    sent: str = strawberry.field(name="to")


@strawberry.type(description="A setting of the profile with another value, which is JSON.")
class Quirk:
    setting: str
    value: str


@strawberry.type(description="What is set, defaulted or removed in requests, in this order.")
class Override:
    action: str
    member: str = strawberry.field(description="Its dotted path; empty for a header.")
    header: str
    value: str | None = strawberry.field(
        description="JSON of a member. Null where a header is put in: its value is never shown."
    )
    models: list[str] = strawberry.field(description="Empty for all.")
    apis: list[str] = strawberry.field(description="Empty for those of conversations.")


@strawberry.type(name="Rates", description="Most requests and tokens a minute, turns at once.")
class RateLimits:
    requests_per_minute: Int64 | None
    tokens_per_minute: Int64 | None
    concurrent_turns: Int64 | None


def _profile_in_force(root: strawberry.Parent[Any]) -> Profile | None:
    # A stored channel may name a profile that this version has no more.
    try:
        return shown_profile(root.spec)
    except ConfigurationError:
        return None


async def _accounts(root: strawberry.Parent[Any], info: Info) -> list[Account]:
    return await accounts_of(info, root.id)


async def _health(info: Info, root: strawberry.Parent["Channel"]) -> ChannelHealth:
    return await health_of(info, root.id)


@strawberry.type(description="A configured upstream.")
class Channel:
    id: strawberry.ID
    name: str
    type: str
    base_url: str
    transport: str
    models: list[str]
    renames: list[Rename]
    tags: list[str]
    weight: float
    status: Status
    organization: str
    project: str
    has_credential: bool
    proxy: str = strawberry.field(description="Without user and password.")
    tls_ca: str
    tls_verify: bool
    header_names: list[str] = strawberry.field(description="Headers added upstream.")
    rates: RateLimits
    handshake_rate: float
    handshake_burst: int
    native_items: list[str] | None = strawberry.field(
        description="Items of an input that the upstream takes; null is the default of the type."
    )
    apis: list[str] | None = strawberry.field(
        description="The APIs that the upstream offers; null is the default of the type."
    )
    offered: list[str] = strawberry.field(
        description="The APIs of conversations among them, with the default put in."
    )
    passed: list[str] = strawberry.field(
        description="The other ones, which are passed on as they are, likewise."
    )
    profile: str = strawberry.field(
        description="What its vendor does differently, by name; empty goes by the host."
    )
    quirks: list[Quirk]
    profile_in_force: Profile | None = strawberry.field(
        resolver=_profile_in_force,
        description="The profile that holds, with the quirks put in; null where there is none.",
    )
    unsupported: str = strawberry.field(
        description="Whether members without equivalent that change the answer `refuse` or `drop`."
    )
    threads: bool = strawberry.field(
        description="Whether an upstream of the Messages API goes on from its last message."
    )
    prices: list[Price] = strawberry.field(description="Those that go before the bundled ones.")
    endpoints: list[Endpoint] = strawberry.field(
        description="Where APIs differ from the default; an empty text is inherited."
    )
    default_endpoints: list[Endpoint] = strawberry.field(
        description="Each API on offer as it is called, everything inherited filled in."
    )
    overrides: list[Override]
    health: ChannelHealth = strawberry.field(resolver=_health)
    errors: list[ChannelErrors] = strawberry.field(
        resolver=errors_of,
        description="By code, the most frequent first, among its newest 20,000 turns.",
    )
    managed_by: ManagedBy
    created_at: datetime | None
    updated_at: datetime | None
    revision: int
    costs: list[ModelCost] = strawberry.field(
        resolver=costs_of, description="What the models that it names cost, and who says so."
    )
    spec: strawberry.Private[ChannelSpec]
    keys: list[ChannelKey] = strawberry.field(
        resolver=keys_of,
        description="Its keys, where it has several: the one in the channel itself first.",
    )
    accounts: list[Account] = strawberry.field(
        resolver=_accounts, description="The accounts it speaks for, the oldest first."
    )


def shown(spec: ChannelSpec) -> Channel:
    """Return a channel as everybody may see it who may see channels."""
    return view_of(
        Channel,
        spec,
        spec=spec,
        renames=[Rename(requested=requested, sent=sent) for requested, sent in spec.renames],
        has_credential=bool(spec.credential),
        proxy=_without_password(spec.proxy.reveal()),
        header_names=[name for name, _ in spec.headers],
        rates=view_of(RateLimits, spec.rates),
        quirks=[Quirk(setting=setting, value=value) for setting, value in spec.quirks],
        prices=[shown_price(each) for each in spec.prices],
        endpoints=[_endpoint(each, spec) for each in spec.endpoints],
        overrides=[_override(each) for each in spec.overrides],
        default_endpoints=shown_endpoints(spec),
        managed_by=ManagedBy.FILE if spec.is_declared else ManagedBy.DATABASE,
        created_at=time_or_none(spec.created_at or None),
        updated_at=time_or_none(spec.updated_at or None),
    )


def _override(each: CoreOverride) -> Override:
    return Override(
        action=each.action,
        member=each.member,
        header=each.header,
        value=None if each.header_value else each.value,
        models=[*each.models],
        apis=[*each.apis],
    )


def shown_endpoints(spec: ChannelSpec) -> list[Endpoint]:
    """Return each API on offer as it is called; none of a channel that has no type."""
    offered = (*spec.offered, *spec.passed) if spec.type in TYPES else ()
    return [_endpoint(spec.endpoint(api), spec) for api in ALL_APIS if api in offered]


def _endpoint(own: EndpointSpec, spec: ChannelSpec) -> Endpoint:
    return Endpoint(
        api_format=own.api,
        path=own.path,
        base_url=own.base_url,
        transport=own.transport,
        dials=_dials(spec.endpoint(own.api)),
    )


def _dials(full: EndpointSpec) -> list[str]:
    """Return the URLs of an endpoint, none for what is no URL."""
    if check_base_url(full.base_url) is not None:
        return []
    schemes = _SCHEMES.get(full.transport, ())
    version = DEFAULT_VERSIONS[full.api]
    return [endpoint_url(full.base_url, full.path, scheme, version) for scheme in schemes]


def _without_password(url: str) -> str:
    """Return a proxy's address alone; who may use it is as secret as their password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}" if place else ""


_LISTED = (Status.ENABLED, Status.DISABLED)


async def _page(
    info: Info,
    first: int = 50,
    after: str | None = None,
    search: str = "",
    statuses: Sequence[Status] = _LISTED,
) -> Connection[Channel]:
    _, administration = admitted(info, Permission.CHANNELS_READ)
    declared = {
        spec.id: spec
        for spec in administration.declared_channels()
        if search.lower() in f"{spec.name} {spec.base_url}".lower() and spec.status in statuses
    }

    async def stored(first: int, after: str | None) -> Page[ChannelSpec]:
        channels = administration.store.channels
        return await channels.page(first=first, after=after, search=search, statuses=statuses)

    return connection(await with_declared(declared, stored, first, after), shown)


async def _one(info: Info, channel_id: Id) -> Channel:
    require(info, Permission.CHANNELS_READ)
    return shown(await find(info.context.administration, channel_id))


async def find(administration: Administration, channel_id: str) -> ChannelSpec:
    """Return a channel, declared or stored. Raises `NotFound`."""
    for spec in administration.declared_channels():
        if spec.id == channel_id:
            return spec
    return await administration.store.channels.get(channel_id)


async def to_change(administration: Administration, channel_id: str, revision: int) -> ChannelSpec:
    """Return a channel as seen at a revision. Raises `Conflict` for a declared one."""
    spec = await find(administration, channel_id)
    if spec.is_declared:
        raise administration.refusal("channel", spec.name)
    return replace(spec, revision=revision)


def _check_name(administration: Administration, spec: ChannelSpec) -> None:
    """Raise `Conflict` for a name that the configuration file gives."""
    if any(each.name == spec.name for each in administration.declared_channels()):
        raise administration.refusal("channel", spec.name, param="name")


async def _create(info: Info, draft: Draft) -> Channel:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    spec, problems = await drafted(ChannelSpec("", ""), draft)
    _check_name(administration, spec)
    refuse(problems)
    saved = await administration.store.channels.create(spec, viewer.actor)
    await administration.refresh()
    return shown(saved)


async def _update(info: Info, channel_id: Id, revision: int, draft: Draft) -> Channel:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    seen = await to_change(administration, channel_id, revision)
    spec, problems = await drafted(seen, draft)
    if spec.name != seen.name:
        _check_name(administration, spec)
    refuse(problems)
    saved = await administration.store.channels.update(spec, viewer.actor)
    await administration.refresh()
    return shown(saved)


async def _set_status(info: Info, channel_id: Id, revision: int, status: Status) -> Channel:
    return await _update(info, channel_id, revision, ChannelInput(status=status))


async def _save_endpoints(
    info: Info, channel_id: Id, revision: int, endpoints: list[EndpointInput]
) -> Channel:
    return await _update(info, channel_id, revision, ChannelInput(endpoints=endpoints))


async def _delete(info: Info, channel_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    await to_change(administration, channel_id, revision)
    await administration.store.channels.delete(channel_id, revision, viewer.actor)
    await administration.refresh()
    return True


@strawberry.type
class ChannelQueries:
    channels: Connection[Channel] = strawberry.field(
        resolver=_page,
        description="Channels by name, those of the file first; `search` in name, URL and tags.",
    )
    channel: Channel = strawberry.field(resolver=_one)


@strawberry.type
class ChannelMutations:
    create_channel: Channel = strawberry.field(resolver=_create)
    update_channel: Channel = strawberry.field(
        resolver=_update,
        description="`revision` is the one seen; CONFLICT tells the one that holds now.",
    )
    update_channel_status: Channel = strawberry.field(resolver=_set_status)
    save_channel_endpoints: Channel = strawberry.field(
        resolver=_save_endpoints, description="Replaces all endpoints of a channel."
    )
    delete_channel: bool = strawberry.field(
        resolver=_delete, description="For good; its turns stay in the log."
    )
