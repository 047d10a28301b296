"""`longwire usage`: what turns came to, split by what tells them apart; by reason says why."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from operator import add
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.store import AsJson, Config, every, with_settings
from longwire.cli.tables import cost_text, shortened, show_json, table
from longwire.core.errors import FieldProblem, InvalidFields

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store
    from longwire.store.usage import Span, Sums


class Split(Enum):
    """What each line stands for."""

    REASON = "reason"
    MODEL = "model"
    KEY = "key"
    CHANNEL = "channel"
    PROJECT = "project"
    API = "api"


By = Annotated[Split, typer.Option(help="What each line stands for.")]
Since = Annotated[str, typer.Option(help="How far back, as 24h or 7d; or a date, as 2026-11-01.")]
_HOURLY = 2 * 86_400_000
_UNNAMED = {Split.REASON: "(never sent)", Split.API: "(not known)"}
_TITLES = ("turns", "share", "continued", "errors", "received", "sent", "input", "cached", "cost")


def usage(
    by: By = Split.REASON, since: Since = "24h", config: Config = None, as_json: AsJson = False
) -> None:
    """Show what turns came to: by reason, why they were not continued.

    Sums by the hour for two days at most, by UTC day for more; the first counts whole.
    """
    start, end = beginning(since), now()

    async def work(
        store: "Store", settings: "Settings"
    ) -> tuple[Mapping[str, "Sums"], Mapping[str, str]]:
        span: Span = "h" if end - start <= _HOURLY else "d"
        points = await store.usage.series(by.value, start, end + 1, span)
        found: dict[str, Sums] = {}
        for _, name, sums in points:
            found[name] = type(sums)(*map(add, found[name], sums)) if name in found else sums
        return found, await names_of(store, settings, by)

    sums, names = with_settings(config, work)
    rows = sorted(sums.items(), key=lambda each: (-each[1].turns, each[0]))
    if as_json:
        titled = ({by.value: name, "name": names.get(name, name)} for name, _ in rows)
        show_json(
            [{**title, **each._asdict()} for title, (_, each) in zip(titled, rows, strict=True)]
        )
        return
    for line in _lines(by, rows, names) if rows else ["no turns in this time"]:
        typer.echo(line)


def _lines(
    by: Split, rows: Sequence[tuple[str, "Sums"]], names: Mapping[str, str]
) -> Sequence[str]:
    """Return a table whose figures stand below each other."""
    turns = sum(sums.turns for _, sums in rows)
    cells = [_cells(sums, turns) for _, sums in rows]
    listed = [_TITLES, *cells]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    figures = [
        [cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in listed
    ]
    unnamed = _UNNAMED.get(by, "(none)")
    named = [
        [shortened(names.get(name, name)) or unnamed, *row]
        for (name, _), row in zip(rows, figures[1:], strict=True)
    ]
    return table([by.value, *figures[0]], named)


def _cells(sums: "Sums", turns: int) -> tuple[str, ...]:
    return (
        f"{sums.turns:,}",
        f"{sums.turns / turns:.1%}",
        f"{sums.continued / sums.turns:.1%}" if sums.turns else "-",
        f"{sums.failures:,}",
        f"{sums.bytes_received:,} B",
        f"{sums.bytes_sent:,} B",
        f"{sums.input_tokens:,}",
        f"{sums.cached_tokens:,}",
        cost_text(sums.cost),
    )


async def names_of(store: "Store", settings: "Settings", by: Split) -> Mapping[str, str]:
    """Return what people call the ids of a split."""
    match by:
        case Split.KEY:
            listed = [(key.id, key.name) for key in await every(store.keys.page)]
            declared = [each.name for each in settings.api_keys]
        case Split.CHANNEL:
            listed = [(spec.id, spec.name) for spec in await every(store.channels.page)]
            declared = [each.name for each in settings.channels]
        case Split.PROJECT:
            return {project.id: project.name for project in await every(store.projects.page)}
        case _:
            return {}
    return {**{f"file:{name}": name for name in declared}, **dict(listed)}


def now() -> int:
    """Return the time in ms since 1970 UTC."""
    return round(datetime.now(UTC).timestamp() * 1000)


def beginning(since: str) -> int:
    """Return a time in ms. Raises `InvalidFields` for what is neither a duration nor a date."""
    from longwire.settings.quantities import parse_duration

    with suppress(ValueError):
        return now() - round(parse_duration(since) * 1000)
    with suppress(ValueError):
        begun = datetime.fromisoformat(since)
        return round((begun if begun.tzinfo else begun.replace(tzinfo=UTC)).timestamp() * 1000)
    message = f"'{since}' is neither a duration nor a date; write for example 7d or 2026-11-01"
    raise InvalidFields([FieldProblem("since", message)])
