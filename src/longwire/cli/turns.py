"""`longwire turns`: the turn log, read from the database, whether a gateway runs or not."""

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.store import Config, with_settings
from longwire.core.errors import FieldProblem, InvalidFields, NotFound
from longwire.core.nouns.turn_row import ID_BITS, TurnDetails, TurnId, TurnRow
from longwire.core.rules.continuity import Reason as Reasons

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store
    from longwire.store.turns import TurnFilter, Turns

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="So many to begin with.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on as turns end, until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Reason = Annotated[str, typer.Option(help="Those alone that were not continued for that.")]
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
_NANO = 1e9
_KILO = 1000.0


def build() -> typer.Typer:
    """The commands on the turn log."""
    commands = typer.Typer(help="Show what was asked for and what became of it.")
    commands.callback()(_turns)
    commands.command()(tail)
    commands.command()(show)
    commands.command()(search)
    return commands


def _turns() -> None:
    """Show what was asked for and what became of it."""


def tail(
    limit: Limit = 20,
    follow: Follow = False,
    reason: Reason = "",
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print the last turns, oldest first; with --follow, those that end from now on, too."""

    async def work(store: "Store", settings: "Settings") -> None:
        fleet = settings.fleet
        names_node = bool(fleet.node or fleet.url.get_secret_value())
        async for row in _rows(store.turns, limit, _checked(reason), follows=follow):
            line = _json(row) if as_json else _line(row, names_node=names_node)
            sys.stdout.write(f"{line}\n")
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
        from longwire.store.turns import ANY_TURN

        if not store.body_search.is_allowed:
            mend = "bodies are not indexed; set index = true below [bodies] in the file"
            raise InvalidFields([FieldProblem("bodies.index", mend)])
        found = await store.body_search.page(text, ANY_TURN, limit)
        for row, pieces in found.items:
            said = " ".join("".join(piece for piece, _ in pieces).split())
            line = _json(row) if as_json else f"{_line(row, names_node=False)}\n    {said}"
            sys.stdout.write(f"{line}\n")

    with_settings(config, work)


def _checked(reason: str) -> str:
    """Return a reason. Raises `InvalidFields` for a word that is none."""
    reasons = [each.value for each in Reasons]
    if reason and reason not in reasons:
        message = f"'{reason}' is no reason; write one of {', '.join(reasons)}"
        raise InvalidFields([FieldProblem("reason", message)])
    return reason


def show(named: Named, as_json: AsJson = False, config: Config = None) -> None:
    """Print one turn whole: its attempts, why it went as it did, what changed, where it stands."""
    from longwire.cli.turn_page import lines_of

    async def work(store: "Store", _: "Settings") -> None:
        row = await _named(store.turns, named)
        details = (await store.turns.details([row.id])).get(row.id)
        page = [_whole_json(row, details)] if as_json else lines_of(row, details)
        sys.stdout.writelines(f"{_printable(line)}\n" for line in page)

    with_settings(config, work)


async def _named(turns: "Turns", named: str) -> TurnRow:
    """Return the newest turn that a text names. Raises `NotFound`."""
    for found in await turns.find(named):
        return found.row
    raise NotFound("turn", named)


async def _rows(
    turns: "Turns", limit: int, reason: str = "", *, follows: bool
) -> AsyncIterator[TurnRow]:
    """Yield the last turns, then those that are written from now on."""
    from longwire.store.turns import TurnFilter

    wanted = TurnFilter(reason=reason)
    page = await turns.page(wanted, limit)
    for row in reversed(page.items):
        yield row
    if follows:
        async for row in _later(turns, {row.id for row in page.items}, wanted):
            yield row


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

    return msgspec.json.encode(row._asdict()).decode()


def _whole_json(row: TurnRow, details: TurnDetails | None) -> str:
    import msgspec

    beside = {"message": details.message, "attempts": details.attempts} if details else {}
    return msgspec.json.encode({**row._asdict(), "details": beside}).decode()


def _line(row: TurnRow, *, names_node: bool) -> str:
    """Return what matters of a turn in about a terminal's width, of a fleet its node, too."""
    ended = datetime.fromtimestamp((row.started_at + row.total_ms) / _KILO, UTC)
    way = f"{row.transport} {row.continuity}" + (f" ({row.reason})" if row.reason else "")
    became = row.outcome + (f" {row.error_code}" if row.error_code else "")
    parts = (
        f"{ended:%Y-%m-%d %H:%M:%S}",
        row.key_name or "-",
        row.model_asked or "-",
        _apis(row) or "-",
        row.channel_name or "-",
        row.node if names_node else "",
        way.strip() or "-",
        f"{row.status} {became}",
        f"{row.total_ms / _KILO:.1f} s",
        _tokens(row),
        f"{row.bytes_sent:,} of {row.bytes_received:,} B",
        "" if row.cost is None else f"${row.cost / _NANO:.4f}",
        f"without {row.dropped}" if row.dropped else "",
    )
    return "  ".join(part for part in map(_printable, parts) if part)


def _apis(row: TurnRow) -> str:
    """Return the API that the client spoke, and that of the upstream where one was reached."""
    return f"{row.api} -> {row.upstream_api}" if row.upstream_api else row.api


def _tokens(row: TurnRow) -> str:
    if row.input_tokens is None:
        return ""
    about = "about " if row.is_estimated else ""
    return f"{about}{row.input_tokens:,}+{row.output_tokens or 0:,} tokens"


def _printable(text: str) -> str:
    """Keep what a caller wrote from moving the cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
