"""Checks a channel before it is saved: which fields are wrong, which URLs it would dial.

Law: nothing is written to the store. No upstream is called either.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Annotated, Final

import strawberry

from longwire.core.errors import FieldProblem
from longwire.core.nouns.access import Permission
from longwire.core.nouns.channel import ChannelSpec
from longwire.server.admin.channel_checks import drafted
from longwire.server.admin.channel_inputs import ChannelInput
from longwire.server.admin.channels import Endpoint, find, shown_endpoints
from longwire.server.admin.context import Info, require
from longwire.server.admin.names import with_initials
from longwire.server.admin.profiles import Profile, shown_profile

_OF_PROFILES: Final = ("profile", "type", "apis", "baseURL", "endpoints")
"""The fields that a profile is found by."""

Draft = Annotated[ChannelInput, strawberry.argument(name="input")]
ChannelId = Annotated[strawberry.ID | None, strawberry.argument(name="id")]


@strawberry.type(name="Problem", description="What is wrong with a field, and the mend.")
class DraftProblem:
    field: str
    message: str


@strawberry.type(name="ChannelDraft", description="A channel as it would be saved.")
class ChannelDraft:
    problems: list[DraftProblem]
    profile: Profile | None = strawberry.field(
        description="The profile that would hold; null where it has a problem."
    )
    endpoints: list[Endpoint] = strawberry.field(
        description="Each API on offer as it would be called, everything inherited filled in."
    )


async def _draft(info: Info, draft: Draft, channel_id: ChannelId = None) -> ChannelDraft:
    require(info, Permission.CHANNELS_WRITE)
    seen = ChannelSpec("", "")
    if channel_id:
        seen = await find(info.context.administration, channel_id)
    spec, problems = await drafted(seen, draft)
    wrong = {each.field for each in problems}
    return ChannelDraft(
        problems=_draft_problems(problems),
        profile=_profile(spec, wrong),
        endpoints=shown_endpoints(spec),
    )


def _profile(spec: ChannelSpec, wrong: Collection[str]) -> Profile | None:
    """Return the profile that would hold, without quirks that are wrong."""
    if any(field.startswith(_OF_PROFILES) for field in wrong):
        return None
    quirks = [each for at, each in enumerate(spec.quirks) if f"quirks.{at}" not in wrong]
    return shown_profile(replace(spec, quirks=tuple(quirks)))


def _draft_problems(problems: Iterable[FieldProblem]) -> list[DraftProblem]:
    return [
        DraftProblem(field=with_initials(each.field), message=each.message) for each in problems
    ]


@strawberry.type
class DraftQueries:
    channel_draft: ChannelDraft = strawberry.field(
        resolver=_draft,
        description="Looks at a channel before it is saved; `id` of the one changed.",
    )
