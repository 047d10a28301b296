"""What the demo prints: a table that grows while a session runs, then the totals side by side.

Where nobody watches, in a file or a pipe, the same tables come whole and without colour.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.table import Table
from rich.text import Text

from longwire.demo.agent import ClientTurn
from longwire.emulator import Turn, digest

_TITLES = ("turn", "transport", "continuity", "received", "sent on", "cached", "first", "exact")


@dataclass(frozen=True, slots=True)
class Row:
    """One turn from both ends: as the client saw it, and as the upstream recorded it."""

    client: ClientTurn
    upstream: Turn

    @property
    def is_exact(self) -> bool:
        """Whether the model was shown exactly the history that the client sent."""
        return self.upstream.digest == digest(self.client.sent)

    def cells(self) -> tuple[str | Text, ...]:
        """The row as text, without its number."""
        client = self.client
        way = Text(client.way, "green" if client.way == "continued" else "yellow")
        sizes = (_size(client.size), _size(self.upstream.bytes_in), f"{client.cached_tokens:,}")
        mark = Text("✓", "green") if self.is_exact else Text("✗", "bold red")
        return (client.transport, way, *sizes, _time(client.first_event), mark)


@dataclass(slots=True)
class Session:
    """All turns over one transport, and what the upstream counted meanwhile."""

    transport: str
    rows: list[Row]
    handshakes: int = 0
    violations: tuple[str, ...] = ()

    def problems(self) -> Iterator[str]:
        """What must not be, one sentence each."""
        for number, row in enumerate(self.rows, 1):
            where, way = f"{self.transport}, turn {number}", row.client.way
            if not row.is_exact:
                yield f"{where}: the model was shown something else than the client sent"
            if self.transport == "websocket" and number > 1 and way != "continued":
                yield f"{where}: {way} instead of continued"
        yield from (f"{self.transport}: {violation}" for violation in self.violations)

    def table(self) -> Table:
        """The turns so far."""
        table = _table(_TITLES, {1, 2})
        for number, row in enumerate(self.rows, 1):
            table.add_row(str(number), *row.cells())
        return table

    def totals(self) -> dict[str, str]:
        """Figures over all turns by name."""
        client, upstream = [row.client for row in self.rows], [row.upstream for row in self.rows]
        received, sent = sum(turn.size for turn in client), sum(turn.bytes_in for turn in upstream)
        items = sum(turn.items_rendered for turn in upstream)
        items_sent = sum(turn.items_in for turn in upstream)
        return {
            "turns": str(len(client)),
            "turns continued": str(sum(turn.way == "continued" for turn in client)),
            "WebSocket handshakes": str(self.handshakes),
            "received from the client": _size(received),
            "sent on to the upstream": _size(sent),
            "bytes not sent again": f"{max(received - sent, 0) / received:.0%}",
            "items not sent again": f"{(items - items_sent) / items:.0%}",
            "cached tokens": f"{sum(turn.cached_tokens for turn in client):,}",
            "first event, median": _time(median(turn.first_event for turn in client)),
            "first event, last turn": _time(client[-1].first_event),
            "violations of the protocol": str(len(self.violations)),
        }


def side_by_side(sessions: Sequence[Session]) -> Table:
    """The totals of all sessions."""
    table = _table(("in all", *(session.transport for session in sessions)), {0})
    every = [session.totals() for session in sessions]
    for name in every[0]:
        table.add_row(name, *(totals[name] for totals in every))
    return table


def _table(titles: tuple[str, ...], texts: set[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for column, title in enumerate(titles):
        table.add_column(title, justify="left" if column in texts else "right", no_wrap=True)
    return table


def _size(size: int) -> str:
    return f"{size / 1000:,.1f} kB"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
