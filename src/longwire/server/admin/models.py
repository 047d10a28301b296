"""Models in the admin API: public names, who serves them in which order, price and usage.

Law: a model of the configuration file is shown like any other; it is changed in the file alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import strawberry

from longwire.core.errors import refuse
from longwire.core.nouns.access import EVERYTHING, Permission
from longwire.core.nouns.channel import ChannelSpec, Status
from longwire.core.nouns.model import Model, Target
from longwire.core.nouns.page import Page
from longwire.core.nouns.price import price_finder
from longwire.core.nouns.renames import renamer
from longwire.core.rules.routing import Route
from longwire.core.rules.targets import is_meant
from longwire.server.admin.administration import Administration
from longwire.server.admin.channels import ManagedBy
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.drafts import DraftProblem
from longwire.server.admin.inputs import view_of
from longwire.server.admin.model_inputs import NEW, ModelInput, drafted
from longwire.server.admin.names import with_initials
from longwire.server.admin.paging import Connection, Id, connection, with_declared
from longwire.server.admin.prices import Price, shown_price
from longwire.server.admin.scalars import Int64, dollars_of, time_or_none
from longwire.server.admin.sight import sight_of
from longwire.server.admin.usage import UsageSums
from longwire.server.fleet_health import Trust, worst
from longwire.store.store import now_ms
from longwire.store.usage import DAY, Where

Draft = Annotated[ModelInput, strawberry.argument(name="input")]
ModelId = Annotated[strawberry.ID | None, strawberry.argument(name="id")]
ChannelId = Annotated[strawberry.ID | None, strawberry.argument(name="channelID")]
_MOST_DAYS: Final = 90


@strawberry.type(description="Which turns a target is for; empty or null is any.")
class TargetCondition:
    apis: list[str]
    streams: bool | None
    has_tools: bool | None
    min_tokens: Int64 | None
    max_tokens: Int64 | None
    keys: list[strawberry.ID]
    projects: list[strawberry.ID]


@strawberry.type(description="A channel that a target means, as it does now.")
class ServingChannel:
    id: strawberry.ID
    name: str
    is_enabled: bool
    serves: bool = strawberry.field(description="Whether it lists the model's name there.")
    health: Trust | None = strawberry.field(description="Null for one that does not run.")
    price: Price | None = strawberry.field(description="Of the model there; null if not known.")


async def _served_by(info: Info, root: strawberry.Parent["TargetView"]) -> list[ServingChannel]:
    administration = info.context.administration
    return [await _serving(administration, spec, root.sent) for spec in root.specs]


async def _serving(administration: Administration, spec: ChannelSpec, model: str) -> ServingChannel:
    names = (renamer(spec.renames)(model), model)
    quote = administration.quote(names, price_finder(spec.prices))
    models = (*spec.models, *(requested for requested, _ in spec.renames))
    return ServingChannel(
        id=strawberry.ID(spec.id),
        name=spec.name,
        is_enabled=spec.status is Status.ENABLED,
        serves=Route(spec.id, models).serves(model),
        health=worst((await administration.health.of(spec.id)).values()).channel,
        price=shown_price(replace(quote.price, model=model)) if quote else None,
    )


@strawberry.type(name="ModelTarget", description="One channel, or all of a tag.")
class TargetView:
    channel: str = strawberry.field(description="Its id or its name; empty for a tag.")
    tag: str
    model: str = strawberry.field(description="The model's name there; empty is the public one.")
    weight: float
    order: int = strawberry.field(description="A lower one comes first.")
    condition: TargetCondition
    sent: strawberry.Private[str]
    specs: strawberry.Private[Sequence[ChannelSpec]]
    served_by: list[ServingChannel] = strawberry.field(resolver=_served_by)


async def _usage(info: Info, root: strawberry.Parent["ModelView"], days: int = 7) -> UsageSums:
    viewer, administration = admitted(info, Permission.USAGE_READ)
    sight = await sight_of(administration, viewer)
    where = Where(sight.project_ids, key_ids=sight.key_ids, model=root.name)
    until = now_ms()
    since = until - max(1, min(days, _MOST_DAYS)) * DAY
    sums = await administration.store.usage.totals(since, until, "d", where)
    return view_of(UsageSums, sums, cost_usd=dollars_of(sums.cost))


@strawberry.type(name="Model", description="A public name, and who serves it.")
class ModelView:
    id: strawberry.ID
    name: str
    description: str
    is_enabled: bool
    projects: list[strawberry.ID] = strawberry.field(
        description="Those whose keys may use it; none of them means all."
    )
    targets: list[TargetView]
    fallbacks: list[str] = strawberry.field(
        description="Other models, tried one after the other where no target serves."
    )
    managed_by: ManagedBy
    created_at: datetime | None
    updated_at: datetime | None
    revision: int
    usage: UsageSums = strawberry.field(
        resolver=_usage, description="Of turns that asked for it, in the last days."
    )


@strawberry.type(description="A model as it would be saved.")
class ModelDraft:
    problems: list[DraftProblem]


async def channels_of(administration: Administration) -> tuple[ChannelSpec, ...]:
    """Return the channels that targets can mean."""
    return (*administration.declared_channels(), *await administration.store.channels.all())


def shown(model: Model, channels: Sequence[ChannelSpec]) -> ModelView:
    """Return a model as it is shown."""
    return view_of(
        ModelView,
        model,
        targets=[_target(each, model, channels) for each in model.targets],
        managed_by=ManagedBy.FILE if model.is_declared else ManagedBy.DATABASE,
        created_at=time_or_none(model.created_at or None),
        updated_at=time_or_none(model.updated_at or None),
    )


def _target(target: Target, model: Model, channels: Sequence[ChannelSpec]) -> TargetView:
    return view_of(
        TargetView,
        target,
        condition=view_of(TargetCondition, target.condition),
        sent=target.model or model.name,
        specs=[
            spec
            for spec in channels
            if is_meant(target, Route(spec.id, name=spec.name, tags=spec.tags))
        ],
    )


async def _page(
    info: Info, first: int = 50, after: str | None = None, search: str = ""
) -> Connection[ModelView]:
    _, administration = admitted(info, Permission.CHANNELS_READ)
    declared = {
        model.id: model
        for model in administration.declared_models()
        if search.lower() in f"{model.name} {model.description}".lower()
    }

    async def stored(first: int, after: str | None) -> Page[Model]:
        return await administration.store.models.page(first=first, after=after, search=search)

    channels = await channels_of(administration)
    page = await with_declared(declared, stored, first, after)
    return connection(page, lambda model: shown(model, channels))


async def find(administration: Administration, model_id: str) -> Model:
    """Return a model, declared or stored. Raises `NotFound`."""
    for model in administration.declared_models():
        if model.id == model_id:
            return model
    return await administration.store.models.get(model_id)


async def _one(info: Info, model_id: Id) -> ModelView:
    _, administration = admitted(info, Permission.CHANNELS_READ)
    return shown(await find(administration, model_id), await channels_of(administration))


async def _draft(info: Info, draft: Draft, model_id: ModelId = None) -> ModelDraft:
    _, administration = admitted(info, Permission.CHANNELS_WRITE)
    seen = await find(administration, model_id) if model_id else NEW
    _, problems = await drafted(administration, seen, draft)
    return ModelDraft(
        problems=[DraftProblem(field=with_initials(p.field), message=p.message) for p in problems]
    )


async def _names(info: Info, channel_id: ChannelId = None) -> list[str]:
    """Return what `GET /v1/models` lists for a key that may use everything, or of one channel."""
    _, administration = admitted(info, Permission.CHANNELS_READ)
    offered = administration.offered
    if channel_id is None:
        return sorted(await offered.owners(EVERYTHING))
    channels = [each for each in await offered.channels(EVERYTHING) if each.id == channel_id]
    return sorted({name for channel in channels for name in offered.names_of(channel)})


async def _to_change(administration: Administration, model_id: str, revision: int) -> Model:
    """Return a model as seen at a revision. Raises `Conflict` for a declared one."""
    model = await find(administration, model_id)
    if model.is_declared:
        raise administration.refusal("model", model.name)
    return replace(model, revision=revision)


def _check_name(administration: Administration, model: Model) -> None:
    """Raise `Conflict` for a name that the configuration file gives."""
    if any(each.name == model.name for each in administration.declared_models()):
        raise administration.refusal("model", model.name, param="name")


async def _create(info: Info, draft: Draft) -> ModelView:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    model, problems = await drafted(administration, NEW, draft)
    _check_name(administration, model)
    refuse(problems)
    saved = await administration.store.models.create(model, viewer.actor)
    await administration.refresh()
    return shown(saved, await channels_of(administration))


async def _update(info: Info, model_id: Id, revision: int, draft: Draft) -> ModelView:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    seen = await _to_change(administration, model_id, revision)
    model, problems = await drafted(administration, seen, draft)
    if model.name != seen.name:
        _check_name(administration, model)
    refuse(problems)
    saved = await administration.store.models.update(model, viewer.actor)
    await administration.refresh()
    return shown(saved, await channels_of(administration))


async def _delete(info: Info, model_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    await _to_change(administration, model_id, revision)
    await administration.store.models.delete(model_id, revision, viewer.actor)
    await administration.refresh()
    return True


@strawberry.type
class ModelQueries:
    models: Connection[ModelView] = strawberry.field(
        resolver=_page,
        description="Models by name, those of the file first; `search` in name and description.",
    )
    model: ModelView = strawberry.field(resolver=_one)
    model_draft: ModelDraft = strawberry.field(
        resolver=_draft,
        description="Looks at a model before it is saved; `id` of the one changed.",
    )
    model_names: list[str] = strawberry.field(
        resolver=_names,
        description="What `GET /v1/models` lists for a key without walls, or of one channel.",
    )


@strawberry.type
class ModelMutations:
    create_model: ModelView = strawberry.field(resolver=_create)
    update_model: ModelView = strawberry.field(
        resolver=_update,
        description="`revision` is the one seen; CONFLICT tells the one that holds now.",
    )
    delete_model: bool = strawberry.field(
        resolver=_delete, description="For good; its turns stay in the log."
    )
