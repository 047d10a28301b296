"""`longwire channels keys`: several keys of one upstream; a running gateway takes changes over."""

import sys
from collections.abc import Callable, Mapping
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
    from longwire.server.fleet_health import Resting
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
    """List the keys of a channel, masked; those that rest in running gateways say so."""
    from longwire.cli.channel_health import ask_health, fares_of, resting_keys
    from longwire.settings import load
    from longwire.settings.declared import channel_of

    settings = load(config)
    declared = {each.name: channel_of(each) for each in settings.channels}

    async def work(store: "Store") -> ChannelSpec:
        return declared.get(name) or await store.channels.find(name)

    spec = with_store(config, work)
    rests = resting_keys(fares_of(spec.id, ask_health(settings)))
    if as_json:
        show_json([_as_json(each, rests.get(each.id)) for each in spec.keys_in_force])
        return
    _tell(spec, rests)


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

    _tell(with_store(config, work), {})


def _tell(spec: ChannelSpec, rests: "Mapping[str, Resting]") -> None:
    rows = [_row(each, rests.get(each.id)) for each in spec.keys_in_force]
    one = f"{spec.name} has one key; add another: longwire channels keys add {spec.name}"
    show_table(_TITLES, rows, one)


def _row(key: ChannelKey, rests: "Resting | None") -> tuple[str, ...]:
    from longwire.cli.channel_health import rests_text

    status = "disabled" if not key.is_enabled else rests_text(rests) or "enabled"
    return (key.masked, key.label, f"{key.weight:g}", status, key.id)


def _as_json(key: ChannelKey, rests: "Resting | None") -> dict[str, object]:
    return {
        "id": key.id,
        "label": key.label,
        "masked": key.masked,
        "weight": key.weight,
        "is_enabled": key.is_enabled,
        "resting": rests and {"why": rests.why.value, "since": rests.since, "until": rests.until},
    }
