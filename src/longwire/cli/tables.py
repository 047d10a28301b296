"""How commands show lists: a table for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import typer


def show_json(value: object) -> None:
    """Print a value as JSON; secrets are told as `***`."""
    from longwire.store.changes import json_value

    typer.echo(json.dumps(json_value(value), indent=2, ensure_ascii=False))


def show(value: object, line: str, *, as_json: bool) -> None:
    """Print one value: a line for people, JSON for programs."""
    if as_json:
        show_json(value)
    else:
        typer.echo(line)


def show_table(titles: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """Print rows below their titles, or what to say where there are none."""
    lines = table(titles, rows)
    typer.echo("\n".join(lines) if len(lines) > 1 else empty)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows below their titles, in columns."""
    listed = [tuple(titles), *rows]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    padded = [
        [cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in listed
    ]
    return ["  ".join(cells).rstrip() for cells in padded]


def time_text(milliseconds: int | None, nothing: str = "never") -> str:
    """Return a time in UTC for people."""
    if milliseconds is None:
        return nothing
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
