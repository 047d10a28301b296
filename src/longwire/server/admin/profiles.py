"""What vendors do differently, as channels are shown it: each setting with its source."""

from collections.abc import Iterable

import strawberry

from longwire.core.nouns.access import Permission
from longwire.core.nouns.channel import ChannelSpec
from longwire.dialects.profiles.channels import shown_settings
from longwire.dialects.profiles.known import CHANGEABLE, PROFILE_NAMES, Setting, settings_of
from longwire.dialects.profiles.profile import MEANINGS
from longwire.server.admin.context import Info, require


@strawberry.type(description="One thing that a vendor does differently; its value is JSON.")
class ProfileSetting:
    name: str
    meaning: str
    value: str
    source: str = strawberry.field(description="Where this was seen.")
    is_overridden: bool = strawberry.field(description="Whether the channel says so itself.")


@strawberry.type(description="What a vendor does differently from the API that it speaks.")
class Profile:
    name: str
    settings: list[ProfileSetting]


@strawberry.type(name="ChangeableSetting", description="What a channel may have another value of.")
class Changeable:
    name: str
    meaning: str


def shown_profile(spec: ChannelSpec) -> Profile:
    """Return the profile that holds for a channel, with its own values.

    Raises `ConfigurationError` for one that does not exist.
    """
    name, settings = shown_settings(spec)
    return _profile(name, settings, {setting for setting, _ in spec.quirks})


def _profile(name: str, settings: Iterable[Setting], own: Iterable[str] = ()) -> Profile:
    overridden = {*own}
    shown = [
        ProfileSetting(
            name=each.name,
            meaning=MEANINGS[each.name],
            value=each.value,
            source=each.source,
            is_overridden=each.name in overridden,
        )
        for each in settings
    ]
    return Profile(name=name, settings=shown)


async def _profiles(info: Info) -> list[Profile]:
    require(info, Permission.CHANNELS_READ)
    return [_profile(name, settings_of(name)) for name in PROFILE_NAMES]


async def _changeable(info: Info) -> list[Changeable]:
    require(info, Permission.CHANNELS_READ)
    return [Changeable(name=name, meaning=MEANINGS[name]) for name in CHANGEABLE]


@strawberry.type
class ProfileQueries:
    channel_profiles: list[Profile] = strawberry.field(
        resolver=_profiles, description="All profiles by name, each with its settings."
    )
    profile_settings: list[Changeable] = strawberry.field(
        resolver=_changeable, description="All settings that quirks of a channel can change."
    )
