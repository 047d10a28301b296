"""`longwire channels preview`: what overrides change of a request, before they are saved."""

from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli import fields
from longwire.cli.store import AsJson, Config, with_store
from longwire.cli.tables import show, table
from longwire.core.errors import FieldProblem, InvalidFields, refuse

if TYPE_CHECKING:
    from longwire.core.nouns.channel import ChannelSpec
    from longwire.core.rules.turn import Turn
    from longwire.relay.channels.preview import Preview
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name.")]
Logged = Annotated[
    int | None, typer.Option("--turn", help="A logged turn whose body is kept; else a sample.")
]
Wanted = Annotated[
    str | None, typer.Option("--overrides", help="A JSON list of them; else the channel's own.")
]


def preview(
    name: Name,
    turn: Logged = None,
    overrides: Wanted = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what overrides change of a request: of a logged turn, or of a sample."""
    from longwire.settings import load
    from longwire.settings.declared import channel_of

    declared = {each.name: channel_of(each) for each in load(config).channels}

    async def work(store: "Store") -> "Preview":
        spec = declared.get(name) or await store.channels.find(name)
        return await _previewed(store, spec, turn, overrides)

    found = with_store(config, work)
    show(found, _page(found), as_json=as_json)


async def _previewed(
    store: "Store", spec: "ChannelSpec", turn: int | None, overrides: str | None
) -> "Preview":
    from dataclasses import replace

    from longwire.core.nouns.channel import ALL_APIS
    from longwire.core.nouns.override import check_overrides
    from longwire.dialects.override_values import with_kept_values
    from longwire.relay.channels import preview as previews

    if overrides is not None:
        wanted = fields.read([f"overrides={overrides}"], fields.CHANNEL)
        spec = replace(spec, overrides=with_kept_values(wanted["overrides"], spec.overrides))
        refuse((*check_overrides(spec.overrides, ALL_APIS),))
    request = previews.sample_turn(spec) if turn is None else await _logged(store, turn)
    return previews.preview(spec, request)


async def _logged(store: "Store", turn: int) -> "Turn":
    from longwire.core.nouns.turn_row import TurnId
    from longwire.relay.channels.preview import kept_turn

    row, bodies = await store.turns.get(TurnId(turn)), await store.turns.bodies(TurnId(turn))
    if bodies is None:
        mend = "has no kept body; choose a turn of a key that keeps them, or leave it out"
        raise InvalidFields([FieldProblem("turn", mend)])
    return kept_turn(row.api, row.model_asked, bodies.request)


def _page(found: "Preview") -> str:
    rows = [(each.name, each.before or "–", each.after or "–") for each in found.members]
    rows += [(f"header {each.name}", each.before or "–", each.after) for each in found.headers]
    head = f"{found.model} in {found.api}"
    if not rows:
        return f"{head}: nothing changes"
    return "\n".join([head, *table(("member", "before", "after"), rows)])
