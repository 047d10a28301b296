"""What overrides would change, shown before they are saved: on a logged turn, or on a sample."""

from dataclasses import replace
from typing import Annotated

import strawberry

from longwire.core.errors import FieldProblem, InvalidFields, NotFound, refuse
from longwire.core.nouns.access import Permission
from longwire.core.nouns.channel import ALL_APIS, ChannelSpec
from longwire.core.nouns.override import check_overrides
from longwire.core.rules.turn import Turn
from longwire.dialects.override_values import check_values
from longwire.relay.channels.preview import kept_turn, preview, sample_turn
from longwire.server.admin.channel_inputs import OverrideInput, overrides_of
from longwire.server.admin.channels import find
from longwire.server.admin.context import Info, admitted, require
from longwire.server.admin.inputs import view_of
from longwire.server.admin.sight import sight_of
from longwire.server.admin.turns import number_of

ChannelId = Annotated[strawberry.ID, strawberry.argument(name="channelID")]
LoggedTurn = Annotated[strawberry.ID | None, strawberry.argument(name="turnID")]


@strawberry.type(description="A member or a header without and with overrides; empty is none.")
class OverrideDifference:
    name: str = strawberry.field(description="The dotted path of a member, the name of a header.")
    before: str
    after: str = strawberry.field(description="Of a header `***`: values are never shown.")


@strawberry.type(description="What overrides change of one request, in the upstream's API.")
class OverridePreview:
    api: str
    model: str
    is_sample: bool = strawberry.field(description="Whether no logged turn was named.")
    members: list[OverrideDifference]
    headers: list[OverrideDifference]


async def _preview(
    info: Info,
    channel_id: ChannelId,
    overrides: list[OverrideInput],
    turn_id: LoggedTurn = None,
) -> OverridePreview:
    _, administration = admitted(info, Permission.CHANNELS_WRITE)
    spec = await find(administration, channel_id)
    spec = replace(spec, overrides=overrides_of(overrides, spec))
    refuse((*check_overrides(spec.overrides, ALL_APIS), *check_values(spec.overrides)))
    found = preview(spec, await _turn(info, spec, turn_id))
    return view_of(
        OverridePreview,
        found,
        is_sample=not turn_id,
        members=[view_of(OverrideDifference, each) for each in found.members],
        headers=[view_of(OverrideDifference, each) for each in found.headers],
    )


async def _turn(info: Info, spec: ChannelSpec, turn_id: str | None) -> Turn:
    """Return a logged turn, or a sample. Raises `NotFound`, `InvalidFields`."""
    if not turn_id:
        return sample_turn(spec)
    require(info, Permission.BODIES_READ)
    viewer, administration = admitted(info, Permission.TURNS_READ)
    number = number_of(turn_id)
    row = await administration.store.turns.get(number)
    if not (await sight_of(administration, viewer)).shows(row.project_id, row.key_id):
        raise NotFound("turn", turn_id)
    bodies = await administration.store.turns.bodies(number)
    if bodies is None:
        mend = "has no kept body; choose a turn of a key that keeps them, or leave it out"
        raise InvalidFields([FieldProblem("turnID", mend)])
    return kept_turn(row.api, row.model_asked, bodies.request)


@strawberry.type
class OverridePreviewQueries:
    preview_overrides: OverridePreview = strawberry.field(
        resolver=_preview,
        description="What overrides would make of a logged turn whose body is kept, or of a "
        "sample. Nothing is saved or sent.",
    )
