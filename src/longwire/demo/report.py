"""What the demo prints: a line for each turn as it ends, then the totals of all sessions.

Lines are at most 100 columns wide, and say the same without colour.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from rich import box
from rich.table import Table
from rich.text import Text

from longwire.demo.agent import ClientTurn
from longwire.emulator import Turn

_LINE = "{:>4}  {:<16}  {:<9}  {:<17}  {:>8}  {:>8}  {:>6}  {:>6}  {:>5}"
_TITLES = ("turn", "API", "transport", "continuity", "received", "sent on", "cached", "first")
_HEADING = _LINE.format(*_TITLES, "exact")
HEADING = f"{_HEADING}\n{'─' * len(_HEADING)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One turn from both ends: as the client saw it, and as the upstream recorded it.

    `expected` digests the conversation that the model was to be shown.
    """

    client: ClientTurn
    upstream: Turn
    expected: str

    @property
    def is_exact(self) -> bool:
        """Whether the model was shown exactly that."""
        return self.upstream.digest == self.expected

    def line(self, number: str, api: str) -> Text:
        """Return the row as text."""
        client = self.client
        sizes = (_size(client.size), _size(self.upstream.bytes_in), f"{client.cached_tokens:,}")
        first, mark = _time(client.first_event), "✓" if self.is_exact else "✗"
        line = Text(_LINE.format(number, api, client.transport, client.way, *sizes, first, mark))
        line.highlight_words(("continued", "✓"), "green")
        line.highlight_words(("fresh",), "yellow")
        line.highlight_words(("✗",), "bold red")
        return line


@dataclass(slots=True, eq=False)
class Session:
    """All turns of one client, and what the upstream counted meanwhile."""

    name: str
    transport: str = "websocket"
    rows: list[Row] = field(default_factory=list)
    handshakes: int = 0
    violations: list[str] = field(default_factory=list)

    def problems(self) -> Iterator[str]:
        """What must not be, one sentence each."""
        for number, row in enumerate(self.rows, 1):
            where, way = f"{self.name}, turn {number}", row.client.way
            if not row.is_exact:
                yield f"{where}: the model was shown something else than the client sent"
            if self.transport == "websocket" and number > 1 and way != "continued":
                yield f"{where}: {way} instead of continued"
        yield from (f"{self.name}: {violation}" for violation in self.violations)

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


def last_lines(sessions: Sequence[Session]) -> Text:
    """The last turn of every session over WebSocket, under one number."""
    shown = [session for session in sessions if session.transport == "websocket"]
    numbers = [str(len(shown[0].rows)), *("" for _ in shown[1:])]
    lines = [each.rows[-1].line(n, each.name) for n, each in zip(numbers, shown, strict=True)]
    return Text("\n").join(lines)


def lines_of(session: Session) -> Text:
    """All turns of a session, below the titles."""
    lines = [row.line(str(n), session.name) for n, row in enumerate(session.rows, 1)]
    return Text("\n").join([Text(HEADING), *lines])


def problems_of(sessions: Sequence[Session]) -> list[str]:
    """What must not be in any of them."""
    counts = [str(len(session.rows)) for session in sessions]
    *others, last = counts
    uneven = [f"the sessions have {', '.join(others)} and {last} turns"] * (len(set(counts)) > 1)
    return uneven + [problem for session in sessions for problem in session.problems()]


def side_by_side(sessions: Sequence[Session]) -> Table:
    """The totals of all sessions."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("in all", no_wrap=True)
    for session in sessions:
        table.add_column(session.name, justify="right", no_wrap=True)
    every = [session.totals() for session in sessions]
    for name in every[0]:
        table.add_row(name, *(totals[name] for totals in every))
    return table


def _size(size: int) -> str:
    return f"{size / 1000:,.1f} kB"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
