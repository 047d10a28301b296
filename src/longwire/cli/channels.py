"""`longwire channels`: the upstreams in the database; a running gateway takes changes over."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longwire.cli import channel_keys, fields
from longwire.cli.channel_page import page_of
from longwire.cli.fields import Sets
from longwire.cli.override_preview import preview
from longwire.cli.store import AsJson, Config, operator, refuse_declared, with_store
from longwire.cli.tables import show, show_json, show_table
from longwire.core.errors import FieldProblem, NotFound, refuse
from longwire.core.nouns.channel import CHANNEL_TYPES, DEFAULT_BASE_URLS, ChannelSpec, Status
from longwire.core.nouns.secret import Secret

if TYPE_CHECKING:
    from longwire.relay.channels.probe import Probed
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name.")]
Model = Annotated[str | None, typer.Option(help="The model to try; else the first it names.")]
Api = Annotated[
    str, typer.Option("--api", help="The API to try; else the one that Responses clients go by.")
]
Vendor = Annotated[
    str, typer.Option("--preset", metavar="VENDOR", help="Begin with what a known vendor needs.")
]
KeyFromStdin = Annotated[
    bool, typer.Option("--api-key-stdin", help="Read the upstream's key from stdin.")
]
_TITLES = ("channel", "type", "transport", "base URL", "models", "status", "id")


def build() -> typer.Typer:
    """The commands below `longwire channels`."""
    commands = typer.Typer(help="Add, change and try upstreams.", no_args_is_help=True)
    for command in (list_, show_, add, edit, enable, disable, archive, remove, preview):
        commands.command(command.__name__.rstrip("_"))(command)
    commands.command("test")(try_)
    commands.add_typer(channel_keys.build(), name="keys")
    return commands


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all channels, those of the configuration file, too."""
    from longwire.settings import load
    from longwire.settings.declared import channel_of

    declared = tuple(channel_of(each) for each in load(config).channels)
    specs = (*declared, *with_store(config, lambda store: store.channels.all()))
    if as_json:
        show_json(specs)
        return
    show_table(_TITLES, map(_row, specs), "no channels yet; add one: longwire channels add NAME")


def show_(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Show a channel: how it fares and why, its APIs with their URLs, its vendor's ways."""
    from longwire.cli.channel_health import ask_health, fares_of, lines_of
    from longwire.settings import load
    from longwire.settings.declared import channel_of

    settings = load(config)
    declared = {each.name: channel_of(each) for each in settings.channels}
    spec = declared.get(name) or with_store(config, lambda store: store.channels.find(name))
    if as_json:
        show_json(spec)
        return
    health = "\n".join(lines_of(fares_of(spec.id, ask_health(settings))))
    typer.echo(f"{page_of(spec)}\n\n{health}")


def add(
    name: Name,
    sets: Sets = None,
    preset: Vendor = "",
    key_from_stdin: KeyFromStdin = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Add a channel. On a terminal the upstream's key is asked for, unless it is given.

    Fields: type, base_url, api_key, transport, models, renames, tags, weight, organization,
    project, proxy, tls_ca, tls_verify, headers, requests_per_minute, tokens_per_minute,
    concurrent_turns, handshake_rate, handshake_burst, native_items, apis, profile, quirks,
    unsupported, threads, prices, endpoints, overrides. A preset has those of a known vendor; what
    is set wins.

    Forms: renames=fast=gpt-5.2; quirks=takes_strict=false, or JSON as quirks={"max_output":
    {"*": 8192}}; prices=gpt-5* input=1.25 output=10; endpoints=messages base_url=https://…/v1.
    """
    values = {"name": name, **_of_preset(preset), **fields.read(sets or (), fields.CHANNEL)}
    refuse_declared(config, "channel", values["name"])
    if key_from_stdin:
        values["api_key"] = _key_from_stdin()
    type_ = values.get("type", "openai")
    needs_key = type_ in CHANNEL_TYPES and CHANNEL_TYPES[type_].needs_key
    if "api_key" not in values and needs_key and sys.stdin.isatty():
        key = typer.prompt("API key of the upstream", hide_input=True)
        values["api_key"] = Secret(key.strip())
    values.setdefault("base_url", DEFAULT_BASE_URLS.get(type_, ""))
    spec = changed(ChannelSpec("", name), values)

    async def work(store: "Store") -> ChannelSpec:
        return await store.channels.create(spec, operator())

    _tell(with_store(config, work, creates=True), as_json)


def edit(
    name: Name,
    sets: Sets = None,
    key_from_stdin: KeyFromStdin = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Change fields of a channel; see `add` for them. What is not named stays as it is."""
    values = fields.read(sets or (), fields.CHANNEL)
    if key_from_stdin:
        values["api_key"] = _key_from_stdin()
    if values.get("name", name) != name:
        refuse_declared(config, "channel", values["name"])
    _change(name, values, config, as_json=as_json)


def enable(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Let a channel take turns."""
    _set_status(name, "enabled", config, as_json=as_json)


def disable(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Let a channel take no turns; its connections stay until they are idle for too long."""
    _set_status(name, "disabled", config, as_json=as_json)


def archive(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Take a channel out of use and out of the lists; `enable` brings it back."""
    _set_status(name, "archived", config, as_json=as_json)


def remove(name: Name, config: Config = None) -> None:
    """Delete a channel for good; its turns stay in the log."""

    async def work(store: "Store") -> None:
        spec = await _found(store, name, config)
        await store.channels.delete(spec.id, spec.revision, operator())

    with_store(config, work)
    typer.echo(f"removed {name}")


def try_(
    name: Name,
    model: Model = None,
    api: Api = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Try a channel: two short turns over its real transport. Exit code 1 if that fails."""
    import asyncio

    from longwire.relay.channels.probe import probe
    from longwire.settings import load
    from longwire.settings.declared import channel_of

    async def work(store: "Store") -> "Probed":
        return await probe(await store.channels.find(name), model, api=api)

    declared = {each.name: channel_of(each) for each in load(config).channels}
    if name in declared:
        probed = asyncio.run(probe(declared[name], model, api=api))
    else:
        probed = with_store(config, work)
    show(probed, f"{name}: {summary(probed)}", as_json=as_json)
    if probed.error:
        raise typer.Exit(1)


def summary(probed: "Probed") -> str:
    """Return how a trial went, in one line."""
    if probed.error:
        place = f" in {probed.api}" if probed.api else ""
        return f"failed{place}: {probed.error}"
    handshake = f"handshake {probed.handshake_ms:.0f} ms, " if probed.handshake_ms else ""
    second = "continued" if probed.continued else "sent in full"
    dropped = f"; dropped {', '.join(probed.dropped)}" if probed.dropped else ""
    return (
        f"{probed.transport} in {probed.api} with {probed.model}: {handshake}first event "
        f"{probed.first_event_ms or 0:.0f} ms; second turn {second}, "
        f"{probed.cached_tokens or 0} tokens cached{dropped}"
    )


def changed(spec: ChannelSpec, changes: dict[str, Any]) -> ChannelSpec:
    """Return a channel with other fields."""
    values = dict(changes)
    rates = replace(spec.rates, **fields.taken_out(values, fields.RATES))
    if "api_key" in values:
        values["credential"] = values.pop("api_key")
    if "overrides" in values:
        from longwire.dialects.override_values import with_kept_values

        values["overrides"] = with_kept_values(values["overrides"], spec.overrides)
    return replace(spec, rates=rates, **values)


def _set_status(name: str, status: str, config: Config, *, as_json: bool) -> None:
    _change(name, {"status": Status(status)}, config, as_json=as_json)


def _change(name: str, values: dict[str, Any], config: Config, *, as_json: bool) -> None:
    async def work(store: "Store") -> ChannelSpec:
        spec = await _found(store, name, config)
        return await store.channels.update(changed(spec, values), operator())

    _tell(with_store(config, work), as_json)


async def _found(store: "Store", name: str, config: Config) -> ChannelSpec:
    """Return a channel to be changed: one of the database."""
    try:
        return await store.channels.find(name)
    except NotFound:
        refuse_declared(config, "channel", name)
        raise


def _tell(spec: ChannelSpec, as_json: bool) -> None:
    line = f"{spec.name}: {spec.status.value}, {spec.endpoint().transport}, {spec.id}"
    show(spec, line, as_json=as_json)


def _row(spec: ChannelSpec) -> tuple[str, ...]:
    transport, models = spec.endpoint().transport, ", ".join(spec.models)
    place = "file" if spec.is_declared else spec.id
    return (spec.name, spec.type, transport, spec.base_url, models, spec.status.value, place)


def _of_preset(name: str) -> dict[str, Any]:
    """Return the fields of a known vendor. Raises `InvalidFields` for one that is not known."""
    from longwire.relay.channels.presets import presets

    known = {preset.name: preset for preset in presets()}
    if name and name not in known:
        refuse([FieldProblem("preset", f"known are {', '.join(known)}")])
    return known[name].fields if name else {}


def _key_from_stdin() -> Secret:
    return Secret(sys.stdin.readline().strip())
