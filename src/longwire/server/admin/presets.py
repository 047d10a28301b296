"""What a channel can be set up with in one step: known vendors, each with its source."""

import strawberry

from longwire.core.nouns.access import Permission
from longwire.relay.channels.presets import Preset, presets
from longwire.server.admin.context import Info, require
from longwire.server.admin.inputs import view_of


@strawberry.type(description="An API whose address differs from that of the channel.")
class PresetEndpoint:
    api_format: str
    base_url: str


@strawberry.type(description="What a channel to one vendor is configured with.")
class ChannelPreset:
    name: str
    vendor: str
    type: str
    base_url: str = strawberry.field(description="With YOUR in it, it needs completing.")
    apis: list[str]
    profile: str
    transport: str
    endpoints: list[PresetEndpoint]
    key_hint: str = strawberry.field(description="What its key looks like.")
    key_url: str = strawberry.field(description="Where a key is had; empty for nowhere.")
    source: str = strawberry.field(description="Where the vendor documents it.")


def _shown(preset: Preset) -> ChannelPreset:
    own = [PresetEndpoint(api_format=each.api, base_url=each.base_url) for each in preset.endpoints]
    return view_of(ChannelPreset, preset, apis=list(preset.apis), endpoints=own)


async def _presets(info: Info) -> list[ChannelPreset]:
    require(info, Permission.CHANNELS_READ)
    return [_shown(each) for each in presets()]


@strawberry.type
class PresetQueries:
    channel_presets: list[ChannelPreset] = strawberry.field(
        resolver=_presets, description="Known vendors, and what a channel to each is set to."
    )
