"""Puts what was imported into the database; what is there already stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from longwire.cli.imports.plan import Plan
from longwire.cli.store import every
from longwire.core.errors import NotFound
from longwire.core.nouns.access import Actor, Budgets, Grant, Rates
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.project import Project
from longwire.settings import Settings
from longwire.settings.declared import channel_of, key_of
from longwire.store.secrets import new_id
from longwire.store.store import Store


async def apply(store: Store, plan: Plan, settings: Settings, actor: Actor) -> Sequence[str]:
    """Create the channels, models and keys of these settings; return a line for each.

    They have the limits that the plan has for them besides.
    """
    return [
        *await _channels(store, plan, settings, actor),
        *await _models(store, settings, actor),
        *await _keys(store, plan, settings, actor),
    ]


async def _channels(store: Store, plan: Plan, settings: Settings, actor: Actor) -> list[str]:
    known, lines = {each.name for each in await store.channels.all()}, []
    for declared in settings.channels:
        if declared.name in known:
            lines.append(f"channel {declared.name}: there already, left as it is")
            continue
        spec = _stored(channel_of(declared))
        rates = Rates(**plan.rates.get(declared.name, {}))
        await store.channels.create(replace(spec, rates=rates), actor)
        lines.append(f"channel {declared.name}: created")
    return lines


def _stored(spec: ChannelSpec) -> ChannelSpec:
    """Return a channel as one of the database; ids of keys there differ by channel."""
    keys = tuple(replace(key, id=new_id("key")) for key in spec.keys)
    return replace(spec, id="", keys=keys)


async def _models(store: Store, settings: Settings, actor: Actor) -> list[str]:
    known, lines = {each.name for each in await every(store.models.page)}, []
    for declared in settings.models:
        if declared.name in known:
            lines.append(f"model {declared.name}: there already, left as it is")
            continue
        await store.models.create(replace(declared.spec, id="", is_declared=False), actor)
        lines.append(f"model {declared.name}: created")
    return lines


async def _keys(store: Store, plan: Plan, settings: Settings, actor: Actor) -> list[str]:
    lines = []
    for declared in settings.api_keys:
        issued = key_of(declared)
        if await store.keys.of_secret(issued.secret.reveal()):
            lines.append(f"API key {declared.name}: there already, left as it is")
            continue
        grant = await _granted(store, issued.key.grant, plan.grants.get(declared.name, {}), actor)
        draft = replace(issued.key, id="", grant=grant, is_declared=False)
        await store.keys.create(draft, actor, issued.secret)
        lines.append(f"API key {declared.name}: created, with the secret that callers have")
    return lines


async def _granted(store: Store, grant: Grant, more: Mapping[str, Any], actor: Actor) -> Grant:
    """Return a grant with the project, the channels, the models and the budgets of a plan."""
    ids = {each.name: each.id for each in await store.channels.all()}
    budgets = {each.name: more[each.name] for each in fields(Budgets) if each.name in more}
    project = more.get("project")
    return replace(
        grant,
        project_id=await _project(store, project, actor) if project else grant.project_id,
        models=tuple(more.get("models", ())),
        channels=tuple(ids[name] for name in more.get("channels", ())),
        budgets=replace(grant.budgets, **budgets),
    )


async def _project(store: Store, name: str, actor: Actor) -> str:
    """Return the id of a project of this name, which is made where there is none."""
    try:
        return (await store.projects.find(name)).id
    except NotFound:
        return (await store.projects.create(Project("", name), actor)).id
