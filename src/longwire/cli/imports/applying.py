"""Puts what was imported into the database; what is there already stays as it is."""

from collections.abc import Sequence
from dataclasses import replace

from longwire.cli.store import every
from longwire.core.nouns.access import Actor
from longwire.settings import Settings
from longwire.settings.declared import channel_of, key_of
from longwire.store.store import Store


async def apply(store: Store, settings: Settings, actor: Actor) -> Sequence[str]:
    """Create the channels, models and keys of these settings; return a line for each."""
    return [
        *await _channels(store, settings, actor),
        *await _models(store, settings, actor),
        *await _keys(store, settings, actor),
    ]


async def _channels(store: Store, settings: Settings, actor: Actor) -> list[str]:
    known, lines = {each.name for each in await store.channels.all()}, []
    for declared in settings.channels:
        if declared.name in known:
            lines.append(f"channel {declared.name}: there already, left as it is")
            continue
        await store.channels.create(replace(channel_of(declared), id=""), actor)
        lines.append(f"channel {declared.name}: created")
    return lines


async def _models(store: Store, settings: Settings, actor: Actor) -> list[str]:
    known, lines = {each.name for each in await every(store.models.page)}, []
    for declared in settings.models:
        if declared.name in known:
            lines.append(f"model {declared.name}: there already, left as it is")
            continue
        await store.models.create(replace(declared.spec, id="", is_declared=False), actor)
        lines.append(f"model {declared.name}: created")
    return lines


async def _keys(store: Store, settings: Settings, actor: Actor) -> list[str]:
    lines = []
    for declared in settings.api_keys:
        issued = key_of(declared)
        if await store.keys.of_secret(issued.secret.reveal()):
            lines.append(f"API key {declared.name}: there already, left as it is")
            continue
        draft = replace(issued.key, id="", is_declared=False)
        await store.keys.create(draft, actor, issued.secret)
        lines.append(f"API key {declared.name}: created, with the secret that callers have")
    return lines
