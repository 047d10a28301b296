"""Puts what was imported into the database; what is there already stays as it is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, Final

from longwire.cli.imports.plan import Plan
from longwire.cli.store import every
from longwire.cli.tables import say
from longwire.core.errors import CallerError, NotFound
from longwire.core.nouns.access import Actor, Budgets, Grant, Rates
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.project import Project
from longwire.settings import Settings
from longwire.settings.declared import channel_of, key_of
from longwire.store.secrets import new_id
from longwire.store.store import Store

_THERE: Final = "there already, left as it is"
_AS_BEFORE: Final = "created, with the secret that callers have"


class Applying:
    """Creates the channels, models and keys of these settings, with the limits of a plan.

    Each is told as it is created, or why not: what one of them is refused for stops no other.
    """

    def __init__(self, plan: Plan, settings: Settings, actor: Actor) -> None:
        self._plan = plan
        self._settings = settings
        self._actor = actor
        self._is_whole = True

    async def apply(self, store: Store) -> bool:
        """Create them, and return whether none was refused."""
        await self._channels(store)
        await self._models(store)
        await self._keys(store)
        return self._is_whole

    @contextmanager
    def _each(self, what: str, created: str = "created") -> Iterator[None]:
        try:
            yield
        except CallerError as error:
            self._is_whole = False
            say(f"{what}: refused: {error}", err=True)
        else:
            say(f"{what}: {created}")

    async def _channels(self, store: Store) -> None:
        known = {each.name for each in await store.channels.all()}
        for declared in self._settings.channels:
            if declared.name in known:
                say(f"channel {declared.name}: {_THERE}")
                continue
            with self._each(f"channel {declared.name}"):
                rates = Rates(**self._plan.rates.get(declared.name, {}))
                spec = replace(_stored(channel_of(declared)), rates=rates)
                await store.channels.create(spec, self._actor)

    async def _models(self, store: Store) -> None:
        known = {each.name for each in await every(store.models.page)}
        for declared in self._settings.models:
            if declared.name in known:
                say(f"model {declared.name}: {_THERE}")
                continue
            with self._each(f"model {declared.name}"):
                spec = replace(declared.spec, id="", is_declared=False)
                await store.models.create(spec, self._actor)

    async def _keys(self, store: Store) -> None:
        for declared in self._settings.api_keys:
            issued, more = key_of(declared), self._plan.grants.get(declared.name, {})
            if await store.keys.of_secret(issued.secret.reveal()):
                say(f"API key {declared.name}: {_THERE}")
                continue
            with self._each(f"API key {declared.name}", _AS_BEFORE):
                grant = await _granted(store, issued.key.grant, more, self._actor)
                draft = replace(issued.key, id="", grant=grant, is_declared=False)
                await store.keys.create(draft, self._actor, issued.secret)


def _stored(spec: ChannelSpec) -> ChannelSpec:
    """Return a channel as one of the database; ids of keys there differ by channel."""
    keys = tuple(replace(key, id=new_id("key")) for key in spec.keys)
    return replace(spec, id="", keys=keys)


async def _granted(store: Store, grant: Grant, more: Mapping[str, Any], actor: Actor) -> Grant:
    """Return a grant with the project, the channels, the models and the budgets of a plan."""
    ids = {each.name: each.id for each in await store.channels.all()}
    budgets = {each.name: more[each.name] for each in fields(Budgets) if each.name in more}
    project, named = more.get("project"), more.get("channels", ())
    if lacking := next((name for name in named if name not in ids), None):
        raise NotFound("channel", lacking)
    return replace(
        grant,
        project_id=await _project(store, project, actor) if project else grant.project_id,
        models=tuple(more.get("models", ())),
        channels=tuple(ids[name] for name in named),
        budgets=replace(grant.budgets, **budgets),
    )


async def _project(store: Store, name: str, actor: Actor) -> str:
    """Return the id of a project of this name, which is made where there is none."""
    try:
        return (await store.projects.find(name)).id
    except NotFound:
        return (await store.projects.create(Project("", name), actor)).id
