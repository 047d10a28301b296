"""The keys of a channel in the admin API: each change leaves the sessions of all others alone."""

from dataclasses import replace
from typing import Annotated

import strawberry

from longwire.core.errors import refuse
from longwire.core.nouns.access import Permission
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.channel_key_changes import with_changed_key, with_key, without_key
from longwire.core.nouns.secret import Secret
from longwire.dialects.profiles.channels import check_channel
from longwire.server.admin.channels import Channel, shown, to_change
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.inputs import changes
from longwire.store.secrets import new_id

ChannelId = Annotated[strawberry.ID, strawberry.argument(name="channelID")]
KeyId = Annotated[strawberry.ID, strawberry.argument(name="keyID")]


@strawberry.input(description="What is left out stays as it is; null sets the default.")
class ChannelKeyInput:
    label: str | None = strawberry.UNSET
    weight: float | None = strawberry.UNSET
    is_enabled: bool | None = strawberry.UNSET


Draft = Annotated[ChannelKeyInput | None, strawberry.argument(name="input")]
_NEW = ChannelKey("", Secret(""))
_FIELDS = ("label", "weight", "is_enabled")


async def _save(info: Info, spec: ChannelSpec) -> Channel:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    refuse(check_channel(spec))
    saved = await administration.store.channels.update(spec, viewer.actor)
    await administration.refresh()
    return shown(saved)


async def _seen(info: Info, channel_id: str, revision: int) -> ChannelSpec:
    _, administration = admitted(info, Permission.CHANNELS_WRITE)
    return await to_change(administration, channel_id, revision)


async def _add(
    info: Info, channel_id: ChannelId, revision: int, key: str, draft: Draft = None
) -> Channel:
    spec = await _seen(info, channel_id, revision)
    own = changes(draft, _NEW, _FIELDS, {}) if draft else {}
    added = ChannelKey(new_id("key"), Secret(key.strip()), **own)
    return await _save(info, with_key(spec, added))


async def _update(
    info: Info, channel_id: ChannelId, revision: int, key_id: KeyId, draft: Draft = None
) -> Channel:
    spec = await _seen(info, channel_id, revision)
    own = changes(draft, _NEW, _FIELDS, {}) if draft else {}
    return await _save(info, with_changed_key(spec, key_id, lambda key: replace(key, **own)))


async def _remove(info: Info, channel_id: ChannelId, revision: int, key_id: KeyId) -> Channel:
    spec = await _seen(info, channel_id, revision)
    return await _save(info, without_key(spec, key_id))


@strawberry.type
class ChannelKeyMutations:
    add_channel_key: Channel = strawberry.field(
        resolver=_add,
        description="One more key of the same upstream; `revision` is the one of the channel.",
    )
    update_channel_key: Channel = strawberry.field(resolver=_update)
    remove_channel_key: Channel = strawberry.field(
        resolver=_remove, description="Its sessions go on with the other keys."
    )
