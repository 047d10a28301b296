"""`longwire channels keys`: several keys of one upstream; a running gateway takes changes over."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.store import AsJson, Config, operator, refuse_declared, with_store
from longwire.cli.tables import show_json, show_table
from longwire.core.errors import NotFound
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.channel_key_changes import (
    key_of,
    with_changed_key,
    with_key,
    without_key,
)
from longwire.core.nouns.secret import Secret

if TYPE_CHECKING:
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel's name.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The key's id or label; see `list`.")]
Label = Annotated[str, typer.Option(help="What to call the key.")]
Weight = Annotated[float, typer.Option(help="Its share of the sessions among the keys.")]
_TITLES = ("key", "label", "weight", "status", "id")


def build() -> typer.Typer:
    """The commands below `longwire channels keys`."""
    commands = typer.Typer(help="Several keys of one upstream.", no_args_is_help=True)
    for command in (list_, add, weigh, enable, disable, remove):
        commands.command(command.__name__.rstrip("_"))(command)
    return commands


def list_(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """List the keys of a channel, masked."""
    from longwire.settings import load
    from longwire.settings.declared import channel_of

    declared = {each.name: channel_of(each) for each in load(config).channels}

    async def work(store: "Store") -> ChannelSpec:
        return declared.get(name) or await store.channels.find(name)

    _tell(with_store(config, work), as_json=as_json)


def add(name: Name, label: Label = "", weight: Weight = 1.0, config: Config = None) -> None:
    """Add a key, read from stdin or, on a terminal, asked for."""
    from longwire.store.secrets import new_id

    if sys.stdin.isatty():
        text = typer.prompt("API key of the upstream", hide_input=True)
    else:
        text = sys.stdin.readline()
    key = ChannelKey(new_id("key"), Secret(text.strip()), label, weight)
    _change(name, lambda spec: with_key(spec, key), config)


def weigh(
    name: Name,
    key: Key,
    weight: Annotated[float, typer.Argument(help="Its share of the sessions.")],
    config: Config = None,
) -> None:
    """Change a key's share of the sessions."""
    _edit(name, key, config, lambda held: replace(held, weight=weight))


def enable(name: Name, key: Key, config: Config = None) -> None:
    """Let a key take turns."""
    _edit(name, key, config, lambda held: replace(held, is_enabled=True))


def disable(name: Name, key: Key, config: Config = None) -> None:
    """Let a key take no turns; its sessions go on with the others."""
    _edit(name, key, config, lambda held: replace(held, is_enabled=False))


def remove(name: Name, key: Key, config: Config = None) -> None:
    """Forget a key; its sessions go on with the others."""
    _change(name, lambda spec: without_key(spec, key), config)


def _edit(name: str, key: str, config: Config, change: Callable[[ChannelKey], ChannelKey]) -> None:
    _change(name, lambda spec: with_changed_key(spec, key_of(spec, key).id, change), config)


def _change(name: str, change: Callable[[ChannelSpec], ChannelSpec], config: Config) -> None:
    async def work(store: "Store") -> ChannelSpec:
        try:
            spec = await store.channels.find(name)
        except NotFound:
            refuse_declared(config, "channel", name)
            raise
        return await store.channels.update(change(spec), operator())

    _tell(with_store(config, work), as_json=False)


def _tell(spec: ChannelSpec, *, as_json: bool) -> None:
    keys = spec.keys_in_force
    if as_json:
        show_json([_as_json(each) for each in keys])
        return
    one = f"{spec.name} has one key; add another: longwire channels keys add {spec.name}"
    show_table(_TITLES, map(_row, keys), one)


def _row(key: ChannelKey) -> tuple[str, ...]:
    status = "enabled" if key.is_enabled else "disabled"
    return (key.masked, key.label, f"{key.weight:g}", status, key.id)


def _as_json(key: ChannelKey) -> dict[str, object]:
    return {
        "id": key.id,
        "label": key.label,
        "masked": key.masked,
        "weight": key.weight,
        "is_enabled": key.is_enabled,
    }
