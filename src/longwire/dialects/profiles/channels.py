"""The profile of a channel: which one holds, with the channel's quirks, and what is wrong there."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from longwire.core.errors import FieldProblem
from longwire.core.nouns.channel import ChannelSpec, check
from longwire.dialects.override_values import check_values
from longwire.dialects.profiles.known import (
    Setting,
    check_profile,
    check_quirks,
    profile_of,
    settings_of,
)
from longwire.dialects.profiles.profile import Profile


def profile_for(spec: ChannelSpec) -> Profile:
    """Return the profile that holds for a channel: the one it names, else that of its host.

    Raises `ConfigurationError` for a profile or quirks that do not exist.
    """
    host = urlsplit(spec.endpoint("chat_completions").base_url).netloc.rpartition("@")[2]
    return profile_of(spec.profile, host, spec.quirks)


def shown_settings(spec: ChannelSpec) -> tuple[str, tuple[Setting, ...]]:
    """Return the name of the profile that holds, and in what it differs from the generic one.

    Raises as `profile_for` does.
    """
    name = profile_for(replace(spec, quirks=())).name
    return name, tuple(settings_of(name, spec.quirks))


def check_channel(spec: ChannelSpec) -> tuple[FieldProblem, ...]:
    """Return every problem of a channel: of its fields, overrides, profile and quirks."""
    return (*check(spec), *check_values(spec.overrides), *_profile(spec))


def _profile(spec: ChannelSpec) -> Iterator[FieldProblem]:
    if (problem := check_profile(spec.profile)) is not None:
        yield FieldProblem("profile", problem)
    for number, quirk in enumerate(spec.quirks):
        earlier = [name for name, _ in spec.quirks[:number]]
        if quirk[0] in earlier:
            yield FieldProblem(f"quirks.{number}", f"{quirk[0]} stands twice; keep one")
        elif (problem := check_quirks([quirk])) is not None:
            yield FieldProblem(f"quirks.{number}", problem)
