"""`longwire sessions list` and `show`: sessions and traces, read from the database, also ended."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longwire.cli.store import AsJson, Config, with_store
from longwire.cli.tables import (
    cost_text,
    printable,
    say,
    shortened,
    show_json,
    show_table,
    table,
    time_text,
)
from longwire.core.errors import NotFound
from longwire.core.nouns.run import Kind, Run
from longwire.core.nouns.turn_row import TurnRow

if TYPE_CHECKING:
    from longwire.store.store import Store

Which = Annotated[str, typer.Argument(metavar="ID", help="The id, or the name clients gave it.")]
Traces = Annotated[bool, typer.Option("--traces", help="Traces instead of sessions.")]
Key = Annotated[str, typer.Option(help="Only those of the key of this id.")]
Model = Annotated[str, typer.Option(help="Only those that asked for this model.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="So many at most.")]

_TITLES = ("name", "key", "models", "turns", "continued", "failed", "saved", "cost", "last", "id")
_TURN_TITLES = ("began", "session", "channel", "model", "way", "time", "cost", "became", "turn")
_AT_ONCE = 200
_KILO, _MEGA = 1e3, 1e6


def list_(
    traces: Traces = False,
    key: Key = "",
    model: Model = "",
    limit: Limit = 50,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List sessions, live and ended, those with the latest turns first."""
    from longwire.store.runs import RunFilter

    kind: Kind = "trace" if traces else "session"

    async def work(store: "Store") -> tuple[Run, ...]:
        page = await store.runs.page(kind, RunFilter(key_id=key, model=model), limit)
        return tuple(page.items)

    found = with_store(config, work)
    if as_json:
        show_json([_facts(run) for run in found])
        return
    show_table(_TITLES, map(_row, found), f"no {kind} is found; clients name them in their headers")


def show(which: Which, as_json: AsJson = False, config: Config = None) -> None:
    """Show one session or trace: its sums and its last turns, the oldest first."""

    async def work(store: "Store") -> tuple[Run, tuple[TurnRow, ...], Sequence[Run]]:
        run = await _found(store, which)
        turns = (await store.turns.of_run(run, _AT_ONCE)).items
        return run, turns, await _namesakes(store, run, which)

    run, turns, others = with_store(config, work)
    if others:
        rows = [(each.key_name or "-", each.id) for each in others]
        say(f"other {run.kind}s of this name, shown by their ids:", err=True)
        say("\n".join(table(("key", "id"), rows)), err=True)
    oldest_first = turns[::-1]
    if as_json:
        show_json({"run": _facts(run), "turns": [row._asdict() for row in oldest_first]})
        return
    lines = [f"{run.kind} {printable(run.name)}", *table(_TITLES[1:], [_row(run)[1:]]), ""]
    if oldest_first:
        lines += table(_TURN_TITLES, map(_turn_row, oldest_first))
    typer.echo("\n".join(lines))


async def _found(store: "Store", which: str) -> Run:
    """Return a session or a trace, by its id or the latest of its name. Raises `NotFound`."""
    kinds: tuple[Kind, ...] = ("session", "trace")
    for kind in kinds:
        with suppress(NotFound):
            return await store.runs.get(kind, which)
    raise NotFound("session or trace", which)


async def _namesakes(store: "Store", run: Run, which: str) -> Sequence[Run]:
    """Return others of the name by which a run was found: sessions of other keys, say."""
    from longwire.store.runs import RunFilter

    if which == run.id:
        return ()
    page = await store.runs.page(run.kind, RunFilter(name=run.name), _AT_ONCE)
    return [each for each in page.items if each.id != run.id]


def _facts(run: Run) -> dict[str, Any]:
    """Return a run for programs, its sums by their names."""
    names = (each.name for each in fields(run) if each.name != "sums")
    return {**{name: getattr(run, name) for name in names}, **run.sums._asdict()}


def _row(run: Run) -> tuple[str, ...]:
    sums = run.sums
    return (
        shortened(run.name),
        run.key_name or "-",
        shortened(", ".join(run.models)) or "-",
        f"{sums.turns:,}",
        f"{sums.continued:,}",
        f"{sums.failures:,}",
        f"{sums.bytes_saved / _MEGA:.1f} MB",
        cost_text(sums.cost),
        time_text(run.last_at),
        run.id,
    )


def _turn_row(row: TurnRow) -> tuple[str, ...]:
    way = f"{row.continuity} {row.reason}".strip()
    return (
        time_text(row.started_at),
        shortened(row.session) or "-",
        row.channel_name or "-",
        shortened(row.model_asked) or "-",
        f"{way}: {row.changed}" if row.changed else way or "-",
        f"{row.total_ms / _KILO:.1f} s",
        cost_text(row.cost),
        row.error_code or row.outcome,
        str(row.id),
    )
