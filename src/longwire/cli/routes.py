"""`longwire models why`: where a turn would go, by what is configured in file and database."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from longwire.cli import fields
from longwire.cli.fields import Reader, Sets, boolean, whole
from longwire.cli.store import AsJson, Config, every, with_settings
from longwire.cli.tables import show_json, table
from longwire.core.errors import FieldProblem, NotFound, refuse
from longwire.core.nouns.channel import APIS
from longwire.core.nouns.turn_row import RouteStep
from longwire.core.rules.routing import Refusal, Standing

if TYPE_CHECKING:
    from longwire.core.rules.turn import Principal
    from longwire.relay.turns.explained import Explained
    from longwire.settings import Settings
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The name that a client asks for.")]
Key = Annotated[str, typer.Option("--key", help="The API key of the client, by its name or id.")]
Api = Annotated[str, typer.Option("--api", help="The API of the client.")]
_TURN: Final[Mapping[str, Reader]] = {
    "streams": boolean,
    "has_tools": boolean,
    "input_tokens": whole,
    "session": str,
}
Entries = Mapping[tuple[str, str], str]
"""What to call a key or an account of a channel, by the ids of both."""

_TITLES: Final = ("", "channel", "model there", "why")


def why(
    model: Name,
    key: Key = "",
    api: Api = "responses",
    sets: Sets = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say where a turn would go, and why each other channel would not serve it.

    It goes by what is configured: which channels rest after failures, the page shows. Fields of the
    turn: streams, has_tools, input_tokens, session.
    """
    from longwire.dialects.sample import Sample

    if api not in APIS:
        refuse([FieldProblem("api", f"write one of {', '.join(APIS)}")])
    sample = Sample(model, api, **fields.read(sets or (), _TURN))

    async def work(store: "Store", settings: "Settings") -> "tuple[Explained, Entries]":
        from longwire.app import App
        from longwire.relay.turns.explained import explain
        from longwire.settings.keys import Fleet

        caller = await _caller(store, settings, key)
        app = App(settings.model_copy(update={"fleet": Fleet()}).read_from(settings.source))
        await app.reconciler.begin(store)
        try:
            return await explain(app.relay, sample, caller), await _entries(store, settings)
        finally:
            await app.reconciler.close()

    explained, entries = with_settings(config, work)
    if as_json:
        show_json(explained)
        return
    if rows := [_row(each, entries) for each in explained.steps]:
        typer.echo("\n".join(table(_TITLES, rows)))
    if explained.problem:
        typer.echo(f"refused: {explained.problem}")


async def _caller(store: "Store", settings: "Settings", name: str) -> "Principal":
    """Return whom a key stands for, anybody without one. Raises `NotFound`."""
    from longwire.core.rules.turn import Principal
    from longwire.server.auth import principal_of
    from longwire.settings.declared import key_of

    if not name:
        return Principal("anybody")
    keys = [*(key_of(each).key for each in settings.api_keys), *await every(store.keys.page)]
    for found in keys:
        if name in (found.id, found.name):
            return principal_of(found)
    raise NotFound("API key", name)


async def _entries(store: "Store", settings: "Settings") -> Entries:
    """Return what the several keys and the accounts of channels are called."""
    from longwire.settings.declared import channel_of

    specs = (*map(channel_of, settings.channels), *await store.channels.all())
    keys = {
        (spec.id, key.entry): " ".join(filter(None, (key.masked, key.label)))
        for spec in specs
        for key in spec.keys_in_force
    }
    accounts = await store.accounts.all()
    return keys | {(each.channel_id, each.id): each.label for each in accounts}


def _row(step: RouteStep, entries: Entries) -> tuple[str, ...]:
    words = Standing if step.is_accepted else Refusal
    reason = words[step.reason.upper()].value
    detail = f" ({step.detail})" if step.detail else ""
    rests = f", {step.seconds} s more" if step.seconds else ""
    sign = "✓" if step.is_accepted else "✕"
    entry = entries.get((step.channel_id, step.account_id), step.account_id)
    name = f"{step.channel_name} ({entry})" if entry else step.channel_name
    return (sign, name, step.model, f"{reason}{detail}{rests}")
