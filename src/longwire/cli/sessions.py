"""`longwire sessions`: the live upstream connections of the gateways of this user, or of the fleet.

Each gateway, and each worker of one, tells its own over a Unix socket; here they are merged. The
nodes of a fleet are asked through its Valkey.
"""

import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from longwire.cli import runs
from longwire.cli.joined import with_fleet
from longwire.cli.store import Config
from longwire.core.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console, Group

    from longwire.fleet.fleet import Fleet
    from longwire.settings import Settings

Port = Annotated[int | None, typer.Option(min=1, max=65_535, help="Only the gateway at this port.")]
Once = Annotated[bool, typer.Option("--once", help="Print the table once.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON list, once.")]

Seen = tuple[Sequence[dict[str, Any]], Sequence[str]]
"""Rows, and the names of nodes that did not answer."""

Look = Callable[[], Awaitable[Seen]]
T = TypeVar("T")

_FIELDS = frozenset(
    ("node", "channel", "session", "state", "age", "turns", "continued", "bytes_saved", "last")
)
"""What a node has to tell of a connection, so that it is shown."""

_TITLES = ("channel", "session", "state", "age", "turns", "cont.", "saved", "last")
_LONGEST = 12
_PATIENCE = 2.0
_PLAIN_WIDTH = 80
_FURTHER = 13
"""So many columns of a terminal does each further title have."""
_MINUTE, _HOUR = 60, 3600
_KILO = 1000.0


def build() -> typer.Typer:
    """The live table, and the commands below it."""
    commands = typer.Typer(invoke_without_command=True)
    commands.callback()(sessions)
    commands.command("list")(runs.list_)
    commands.command()(runs.show)
    return commands


def sessions(
    context: typer.Context,
    config: Config = None,
    port: Port = None,
    once: Once = False,
    as_json: AsJson = False,
) -> None:
    """Show the live upstream connections of a running gateway, until Ctrl-C.

    With fleet.url those of all its nodes, unless a port is named. Where nobody watches, in a file
    or a pipe, the table is printed once and in plain lines. `list` and `show` are about sessions
    that ended, too.
    """
    if context.invoked_subcommand is not None:
        return
    if as_json:
        import msgspec

        rows, missing = _with_look(config, port, lambda look: look())
        typer.echo(msgspec.json.encode(rows))
        for node in missing:
            typer.echo(_missing(node), err=True)
        return
    from rich.console import Console

    is_watched = sys.stdout.isatty()
    if once or not is_watched:
        rows, missing = _with_look(config, port, lambda look: look())
        width = None if is_watched else _PLAIN_WIDTH + _FURTHER * len(_further(rows))
        console = Console(width=width, markup=False, emoji=False, highlight=False)
        console.print(_table(rows, missing))
        return
    console = Console(markup=False, emoji=False, highlight=False)
    with suppress(KeyboardInterrupt):
        _with_look(config, port, lambda look: _watch(console, look))


async def _watch(console: "Console", look: Look) -> None:
    """Show the rows, anew each second, until it is interrupted."""
    import asyncio

    from rich.live import Live

    with Live(_table(*await look()), console=console, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(1)
            live.update(_table(*await look()), refresh=True)


def _with_look(config: Path | None, port: int | None, work: Callable[[Look], Awaitable[T]]) -> T:
    """Do some work with what gives the rows, and the nodes that did not answer."""
    import asyncio

    async def local() -> Seen:
        return _rows(port), ()

    async def works() -> T:
        return await work(local)

    settings = None if port else _settings(config)
    if settings is None or not settings.fleet.url.get_secret_value():
        return asyncio.run(works())
    return with_fleet(settings, lambda fleet: work(lambda: _of_nodes(fleet)))


def _settings(config: Path | None) -> "Settings | None":
    """Return the settings; a default file that cannot be read hides no gateway that runs."""
    from longwire.settings import load

    try:
        return load(config)
    except ConfigurationError:
        if config is not None:
            raise
        return None


async def _of_nodes(fleet: "Fleet") -> Seen:
    answers = await fleet.asking.ask("sessions", {})
    return answers.rows(_FIELDS), answers.missing


def _missing(node: str) -> str:
    return f"the node {node} did not answer"


def _rows(port: int | None) -> list[dict[str, Any]]:
    """Return what all gateways tell. Raises `ConfigurationError` when none runs."""
    from longwire.server.live_sessions import check_owner, folder

    place = folder()
    answers = []
    if place.exists():
        check_owner(place)
        answers = [rows for path in sockets(place, port) if (rows := _answer_of(path)) is not None]
    if not answers:
        wanted = f" at port {port}" if port else ""
        raise ConfigurationError(
            f"no gateway of this user runs{wanted}; start one with longwire serve, with the same "
            "XDG_RUNTIME_DIR as here"
        )
    return [row for rows in answers for row in rows]


def sockets(place: Path, port: int | None, kind: str = "sock") -> Iterator[tuple[Path, int, int]]:
    """Yield the sockets in a folder, with the port and the process that their names carry."""
    for path in sorted(place.glob(f"*-*.{kind}")):
        own, _, process = path.stem.partition("-")
        if own.isdecimal() and process.isdecimal() and port in (None, int(own)):
            yield path, int(own), int(process)


def _answer_of(found: tuple[Path, int, int]) -> list[dict[str, Any]] | None:
    """Return what one process tells, None where it is gone or silent; a dead one's socket goes."""
    _, port, process = found
    rows = answer_of(found, list[dict[str, Any]])
    return None if rows is None else [{"port": port, "process": process, **row} for row in rows]


def answer_of(found: tuple[Path, int, int], kind: type[T]) -> T | None:
    """Return what one process says, None where it is gone or silent; a dead one's socket goes."""
    import msgspec

    path, _, process = found
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_PATIENCE)
            client.connect(str(path))
            with client.makefile("rb") as answer:
                return msgspec.json.decode(answer.read(), type=kind)
    except ConnectionRefusedError:
        if not _is_alive(process):
            path.unlink(missing_ok=True)
        return None
    except (OSError, msgspec.MsgspecError):
        return None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _table(rows: Sequence[dict[str, Any]], missing: Sequence[str] = ()) -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    further = _further(rows)
    for title in (*further, *_TITLES):
        is_figure = title in ("age", "turns", "cont.", "saved")
        table.add_column(title, justify="right" if is_figure else "left", no_wrap=True)
    for row in rows:
        cells = (_shortened(str(row.get(name, ""))) or "–" for name in further.values())
        table.add_row(*map(Text, (*cells, *_cells(row))))
    return Group(table, *(Text(_missing(node)) for node in missing), Text(_totals(rows)))


def _further(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return what else tells rows apart: titles, and the members that they show.

    The gateway only where there is more than one; a key and a model where they are known.
    """
    ports = {row["port"] for row in rows if "port" in row}
    shown = {"node": "node", "port": "port", "key": "key_name", "model": "model"}
    is_known = {title: any(row.get(name) for row in rows) for title, name in shown.items()}
    is_known["port"] = len(ports) > 1
    return {title: name for title, name in shown.items() if is_known[title]}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        _shortened(row["channel"]) or "–",
        _shortened(row["session"]) or "–",
        row["state"],
        age_text(row["age"]),
        f"{row['turns']:,}",
        f"{row['continued']:,}",
        _size(row["bytes_saved"]),
        row["last"],
    )


def _totals(rows: Sequence[dict[str, Any]]) -> str:
    def sum_of(name: str) -> int:
        return sum(row[name] for row in rows)

    leased = sum(row["state"] == "leased" for row in rows)
    turns, continued, saved = sum_of("turns"), sum_of("continued"), _size(sum_of("bytes_saved"))
    counted = f"turns {turns:,}, continued {continued:,}"
    return f"live {len(rows)}, leased {leased}; {counted}; saved {saved}"


def _shortened(text: str) -> str:
    """Leave out the middle of a long name, and what a terminal would obey."""
    visible = "".join(letter if letter.isprintable() else "?" for letter in text)
    if len(visible) <= _LONGEST:
        return visible
    half = _LONGEST // 2
    return f"{visible[:half]}…{visible[1 - half :]}"


def age_text(seconds: float) -> str:
    """Return a time in seconds for people: its two greatest units."""
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
