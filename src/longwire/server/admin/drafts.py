"""Checks a channel before it is saved: which fields are wrong, which URLs it would dial.

Law: nothing is written to the store. No upstream is called either.
"""

from collections.abc import Iterable
from typing import Annotated

import strawberry

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.access import Permission
from longwire.core.nouns.channel import ChannelSpec, check
from longwire.server.admin.channel_checks import check_runs
from longwire.server.admin.channel_inputs import ChannelInput, applied
from longwire.server.admin.channels import Endpoint, find, shown_endpoints
from longwire.server.admin.context import Info, require
from longwire.server.admin.names import with_initials

Draft = Annotated[ChannelInput, strawberry.argument(name="input")]
ChannelId = Annotated[strawberry.ID | None, strawberry.argument(name="id")]


@strawberry.type(name="Problem", description="What is wrong with a field, and the mend.")
class DraftProblem:
    field: str
    message: str


@strawberry.type(name="ChannelDraft", description="A channel as it would be saved.")
class ChannelDraft:
    problems: list[DraftProblem]
    endpoints: list[Endpoint] = strawberry.field(
        description="Each API on offer as it would be called, everything inherited filled in."
    )


async def _draft(info: Info, draft: Draft, channel_id: ChannelId = None) -> ChannelDraft:
    require(info, Permission.CHANNELS_WRITE)
    seen = ChannelSpec("", "")
    if channel_id:
        seen = await find(info.context.administration, channel_id)
    try:
        spec = applied(seen, draft)
    except InvalidFields as error:
        return ChannelDraft(problems=_draft_problems(error.problems), endpoints=[])
    problems = list(check(spec))
    try:
        await check_runs(spec)
    except InvalidFields as error:
        problems += error.problems
    return ChannelDraft(problems=_draft_problems(problems), endpoints=shown_endpoints(spec))


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
