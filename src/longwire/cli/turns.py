"""`longwire turns`: the turn log, read from the database, whether a gateway runs or not."""

import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.store import Config, with_settings
from longwire.cli.tables import printable, table, time_text
from longwire.cli.turn_filters import TurnFilters, filtered
from longwire.cli.turn_table import TurnTable
from longwire.core.errors import FieldProblem, InvalidFields, NotFound
from longwire.core.nouns.turn_row import ID_BITS, TurnDetails, TurnId, TurnRow

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store
    from longwire.store.turn_filter import TurnFilter
    from longwire.store.turns import Turns

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="So many to begin with.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on as turns end, until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Named = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="Of the turn, its request, response or session, or a text that has it."
    ),
]
Text = Annotated[str, typer.Argument(metavar="TEXT", help='Words, and "phrases" in quotes.')]

_PAUSE = 0.5
_AT_ONCE = 500
_OVERLAP_MS = 5_000
"""Batches of other gateways may be written so much later than ids of ours that are greater."""


def build() -> typer.Typer:
    """The commands on the turn log."""
    commands = typer.Typer(help="Show what was asked for and what became of it.")
    commands.callback()(_turns)
    commands.command()(tail)
    commands.command("list")(list_)
    commands.command()(show)
    commands.command()(search)
    return commands


def _turns() -> None:
    """Show what was asked for and what became of it."""


@filtered
def tail(
    filters: TurnFilters,
    limit: Limit = 20,
    follow: Follow = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print the last turns, oldest first; with --follow, those that end from now on, too."""

    async def work(store: "Store", settings: "Settings") -> None:
        wanted = await filters.of(store, settings)
        growing = _table()
        async for rows in _batches(store.turns, limit, wanted, follows=follow):
            lines = map(_json, rows) if as_json else growing.lines(rows)
            sys.stdout.writelines(f"{line}\n" for line in lines)
            sys.stdout.flush()

    try:
        with_settings(config, work)
    except KeyboardInterrupt:
        return


def search(text: Text, limit: Limit = 20, as_json: AsJson = False, config: Config = None) -> None:
    """Print the last turns whose kept bodies have a text, newest first, with the words around it.

    It needs `index = true` below `[bodies]` in the configuration file.
    """

    async def work(store: "Store", _: "Settings") -> None:
        from longwire.store.turn_filter import ANY_TURN

        if not store.body_search.is_allowed:
            mend = "bodies are not indexed; set index = true below [bodies] in the file"
            raise InvalidFields([FieldProblem("bodies.index", mend)])
        found, shown = await store.body_search.page(text, ANY_TURN, limit), _table()
        for row, pieces in found.items:
            said = " ".join("".join(piece for piece, _ in pieces).split())
            lines = [_json(row)] if as_json else [*shown.lines([row]), f"    {printable(said)}"]
            sys.stdout.writelines(f"{line}\n" for line in lines)

    with_settings(config, work)


@filtered
def list_(
    filters: TurnFilters, limit: Limit = 50, as_json: AsJson = False, config: Config = None
) -> None:
    """Print the last turns that match, oldest first."""

    async def work(store: "Store", settings: "Settings") -> tuple[TurnRow, ...]:
        wanted = await filters.of(store, settings)
        return (await store.turns.page(wanted, limit)).items[::-1]

    rows = with_settings(config, work)
    lines = map(_json, rows) if as_json else _table().lines(rows)
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _table() -> TurnTable:
    if not sys.stdout.isatty():
        return TurnTable()
    size = shutil.get_terminal_size()
    return TurnTable(size.columns, size.lines)


def show(named: Named, as_json: AsJson = False, config: Config = None) -> None:
    """Print one turn whole: its attempts, why it went as it did, what changed, where it stands.

    Where a text names several, they are listed, the newest last: name one by its turn's id.
    """
    from longwire.cli.turn_page import lines_of

    async def work(store: "Store", _: "Settings") -> None:
        found = [each.row for each in await store.turns.find(named)]
        if not found:
            raise NotFound("turn", named)
        details = await store.turns.details([row.id for row in found])
        if as_json:
            lines = [_whole_json(row, details.get(row.id)) for row in found]
        elif len(found) > 1:
            lines = list(_hits(found))
        else:
            lines = list(lines_of(found[0], details.get(found[0].id)))
        sys.stdout.writelines(f"{printable(line)}\n" for line in lines)

    with_settings(config, work)


def _hits(found: Sequence[TurnRow]) -> Iterator[str]:
    """Yield several turns as a table with their ids, and how to see one."""
    titles = ("turn", "ended", "key", "model", "session", "became")
    rows = [
        (
            str(row.id),
            time_text(row.started_at + row.total_ms, has_seconds=True),
            row.key_name or "-",
            row.model_asked or "-",
            row.session or "-",
            f"{row.status} {row.outcome}",
        )
        for row in reversed(found)
    ]
    yield from table(titles, rows)
    yield f"{len(found)} turns; see one: longwire turns show TURN"


async def _batches(
    turns: "Turns", limit: int, wanted: "TurnFilter", *, follows: bool
) -> AsyncIterator[Sequence[TurnRow]]:
    """Yield the last turns, all at once, then one by one those that are written from now on."""
    page = await turns.page(wanted, limit)
    yield page.items[::-1]
    if follows:
        async for row in _later(turns, {row.id for row in page.items}, wanted):
            yield (row,)


async def _later(turns: "Turns", seen: set[TurnId], wanted: "TurnFilter") -> AsyncIterator[TurnRow]:
    """Yield turns that are written after those `seen`, for ever; also such as come late."""
    from asyncio import sleep

    # What is older than the first one seen was left out on purpose: it does not come late.
    newest, first = max(seen, default=0), min(seen, default=0)
    while True:
        since, most = max(first, newest - (_OVERLAP_MS << ID_BITS)), _AT_ONCE + len(seen)
        found = await turns.newer(since, wanted, most)
        for row in found:
            if row.id not in seen:
                yield row
        newest = max((row.id for row in found), default=newest)
        seen = {each for each in seen if each > since} | {row.id for row in found}
        if len(found) < most:
            await sleep(_PAUSE)


def _json(row: TurnRow) -> str:
    import msgspec

    from longwire.cli.money import in_dollars

    return msgspec.json.encode(in_dollars(row._asdict())).decode()


def _whole_json(row: TurnRow, details: TurnDetails | None) -> str:
    import msgspec

    beside = {"message": details.message, "attempts": details.attempts} if details else {}
    from longwire.cli.money import in_dollars

    return msgspec.json.encode(in_dollars({**row._asdict(), "details": beside})).decode()
