"""How commands show lists: a table for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

Utc = Annotated[bool, typer.Option("--utc", help="Show times in UTC, not in this machine's zone.")]
_is_utc: Final = ContextVar("is_utc", default=False)
_LONGEST_NAME: Final = 60
_NANO: Final = 1e9


def printable(text: str) -> str:
    """Keep what a caller wrote from moving the cursor, and from looking like a line of its own."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def shortened(text: str) -> str:
    """Return a name as it stands in a table: callers may send long ones."""
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def say(text: str, *, err: bool = False) -> None:
    """Print lines, whatever a caller wrote in them."""
    typer.echo("\n".join(map(printable, text.split("\n"))), err=err)


def show_json(value: object) -> None:
    """Print a value as JSON: secrets are told as `***`, money is in US dollars."""
    from longwire.cli.money import in_dollars
    from longwire.store.changes import json_value

    text = json.dumps(json_value(in_dollars(value)), indent=2, ensure_ascii=False)
    is_shown = (letter.isprintable() or letter == "\n" for letter in text)
    pairs = zip(text, is_shown, strict=True)
    typer.echo("".join(each if shown else json.dumps(each)[1:-1] for each, shown in pairs))


def show(value: object, line: str, *, as_json: bool) -> None:
    """Print one value: a line for people, JSON for programs."""
    if as_json:
        show_json(value)
    else:
        say(line)


def show_table(titles: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """Print rows below their titles, or what to say where there are none."""
    lines = table(titles, rows)
    typer.echo("\n".join(lines) if len(lines) > 1 else empty)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows below their titles, in columns."""
    listed = [tuple(titles), *(tuple(map(printable, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    padded = [
        [cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in listed
    ]
    return ["  ".join(cells).rstrip() for cells in padded]


def time_text(
    milliseconds: float | None, nothing: str = "never", *, has_seconds: bool = False
) -> str:
    """Return a time for people, with its zone: this machine's, or UTC where that was asked for."""
    if milliseconds is None:
        return nothing
    time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    shown = time if _is_utc.get() else time.astimezone()
    return shown.isoformat(" ", "seconds" if has_seconds else "minutes")


def cost_text(nano: int | None, nothing: str = "-") -> str:
    """Return billionths of a US dollar for people."""
    return nothing if nano is None else f"${nano / _NANO:.4f}"


def show_utc(*, utc: Utc = False) -> None:
    """Keep each agent's conversation alive on one upstream WebSocket."""
    _is_utc.set(utc)
