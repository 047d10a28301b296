"""`longwire sessions`: the live upstream connections of the gateways of this user.

Each gateway, and each worker of one, tells its own over a Unix socket; here they are merged.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longwire.core.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Group

Port = Annotated[int | None, typer.Option(min=1, max=65_535, help="Only the gateway at this port.")]
Once = Annotated[bool, typer.Option("--once", help="Print the table once.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON list, once.")]

_TITLES = ("channel", "session", "state", "age", "turns", "cont.", "saved", "last")
_LONGEST = 12
_PATIENCE = 2.0
_PLAIN_WIDTH = 80
_MINUTE, _HOUR = 60, 3600
_KILO = 1000.0


def sessions(port: Port = None, once: Once = False, as_json: AsJson = False) -> None:
    """Show the live upstream connections of a running gateway, until Ctrl-C.

    Where nobody watches, in a file or a pipe, the table is printed once and in plain lines.
    """
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(_rows(port)))
        return
    from rich.console import Console

    is_watched = sys.stdout.isatty()
    width = None if is_watched else _PLAIN_WIDTH
    console = Console(width=width, markup=False, emoji=False, highlight=False)
    if once or not is_watched:
        console.print(_table(_rows(port)))
        return

    from rich.live import Live

    try:
        with Live(_table(_rows(port)), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(1)
                live.update(_table(_rows(port)), refresh=True)
    except KeyboardInterrupt:
        return


def _rows(port: int | None) -> list[dict[str, Any]]:
    """Return what all gateways tell. Raises `ConfigurationError` when none runs."""
    from longwire.server.live_sessions import check_owner, folder

    place = folder()
    answers = []
    if place.exists():
        check_owner(place)
        answers = [rows for path in _sockets(place, port) if (rows := _answer_of(path)) is not None]
    if not answers:
        wanted = f" at port {port}" if port else ""
        raise ConfigurationError(
            f"no gateway of this user runs{wanted}; start one with longwire serve, with the same "
            "XDG_RUNTIME_DIR as here"
        )
    return [row for rows in answers for row in rows]


def _sockets(place: Path, port: int | None) -> Iterator[tuple[Path, int, int]]:
    """Yield the sockets in a folder, with the port and the process that their names carry."""
    for path in sorted(place.glob("*-*.sock")):
        own, _, process = path.stem.partition("-")
        if own.isdecimal() and process.isdecimal() and port in (None, int(own)):
            yield path, int(own), int(process)


def _answer_of(found: tuple[Path, int, int]) -> list[dict[str, Any]] | None:
    """Return what one process tells, None where it is gone or silent; a dead one's socket goes."""
    import msgspec

    path, port, process = found
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_PATIENCE)
            client.connect(str(path))
            with client.makefile("rb") as answer:
                rows = msgspec.json.decode(answer.read(), type=list[dict[str, Any]])
    except ConnectionRefusedError:
        if not _is_alive(process):
            path.unlink(missing_ok=True)
        return None
    except (OSError, msgspec.MsgspecError):
        return None
    return [{"port": port, "process": process, **row} for row in rows]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _table(rows: Sequence[dict[str, Any]]) -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for title in _TITLES:
        is_figure = title in ("age", "turns", "cont.", "saved")
        table.add_column(title, justify="right" if is_figure else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
    return Group(table, Text(_totals(rows)))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        _shortened(row["channel"]) or "–",
        _shortened(row["session"]) or "–",
        row["state"],
        _age(row["age"]),
        str(row["turns"]),
        str(row["continued"]),
        _size(row["bytes_saved"]),
        row["last"],
    )


def _totals(rows: Sequence[dict[str, Any]]) -> str:
    def sum_of(name: str) -> int:
        return sum(row[name] for row in rows)

    leased = sum(row["state"] == "leased" for row in rows)
    turns, continued, saved = sum_of("turns"), sum_of("continued"), _size(sum_of("bytes_saved"))
    return f"live {len(rows)}, leased {leased}; turns {turns}, continued {continued}; saved {saved}"


def _shortened(text: str) -> str:
    """Leave out the middle of a long name, and what a terminal would obey."""
    visible = "".join(letter if letter.isprintable() else "?" for letter in text)
    if len(visible) <= _LONGEST:
        return visible
    half = _LONGEST // 2
    return f"{visible[:half]}…{visible[1 - half :]}"


def _age(seconds: float) -> str:
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"


def _size(count: float) -> str:
    """Write a number of bytes with at most four digits and its unit."""
    for unit in ("B", "kB", "MB"):
        if round(count, 1) < _KILO:
            return f"{count:.1f} {unit}" if unit != "B" else f"{count:g} B"
        count /= _KILO
    return f"{count:.1f} GB"
