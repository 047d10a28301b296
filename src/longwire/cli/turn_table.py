"""Turns as a table that grows: columns of one width, below a header that comes again.

Law: a line is no wider than the terminal; where nobody watches nothing is cut.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from longwire.cli.tables import cost_text, printable, time_text
from longwire.core.nouns.turn_row import TurnRow

_KILO: Final = 1000.0
_GAP: Final = "  "
_LEAST: Final = 6
_TITLES: Final = (
    *("ended", "key", "model", "api", "channel", "node", "way", "became", "time"),
    *("tokens", "sent", "cost", "without"),
)
_FIGURES: Final = frozenset({"time", "tokens", "sent", "cost"})
_NEVER_CUT: Final = _FIGURES | {"ended"}


class TurnTable:
    """Gives the lines of turns. `width` is the terminal's, None for no bound; so is `height`."""

    def __init__(self, width: int | None = None, height: int | None = None) -> None:
        self._width = width
        self._height = height
        self._widths: tuple[int, ...] = ()
        self._shown = 0

    def lines(self, rows: Sequence[TurnRow]) -> Iterator[str]:
        """Yield the lines of further turns; the first ones say how wide the columns are."""
        cells = [cells_of(row) for row in rows]
        if not self._widths:
            self._widths = _fitting(_natural([_TITLES, *cells]), self._width)
        for each in cells:
            if self._shown == 0 or (self._height and self._shown % (self._height - 1) == 0):
                self._shown += 1
                yield self._line(_TITLES)
            self._shown += 1
            yield self._line(each)

    def _line(self, cells: Sequence[str]) -> str:
        shown = zip(_TITLES, cells, self._widths, strict=True)
        parts = (self._cell(*each) for each in shown if each[2])
        return _GAP.join(parts).rstrip()

    def _cell(self, title: str, text: str, width: int) -> str:
        cut = text if self._width is None or len(text) <= width else f"{text[: width - 1]}…"
        return cut.rjust(width) if title in _FIGURES else cut.ljust(width)


def cells_of(row: TurnRow) -> tuple[str, ...]:
    """Return what matters of a turn: by whom, of what, which way, how it went, how much."""
    way = f"{row.transport} {row.continuity}" + (f" ({row.reason})" if row.reason else "")
    became = f"{row.status} {row.outcome} {row.error_code}".strip()
    cells = (
        time_text(row.started_at + row.total_ms, has_seconds=True),
        row.key_name or "-",
        row.model_asked or "-",
        f"{row.api} -> {row.upstream_api}" if row.upstream_api else row.api or "-",
        row.channel_name or "-",
        row.node,
        way.strip() or "-",
        became,
        f"{row.total_ms / _KILO:.1f} s",
        _tokens(row),
        f"{row.bytes_sent:,} of {row.bytes_received:,} B",
        cost_text(row.cost, ""),
        row.dropped,
    )
    return tuple(map(printable, cells))


def _tokens(row: TurnRow) -> str:
    if row.input_tokens is None:
        return ""
    about = "about " if row.is_estimated else ""
    return f"{about}{row.input_tokens:,}+{row.output_tokens or 0:,}"


def _natural(lines: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Return the widths that lines need; a column in which nothing stands has none."""
    columns = zip(*lines, strict=True)
    return tuple(
        max(map(len, column)) if len(lines) == 1 or any(column[1:]) else 0 for column in columns
    )


def _fitting(widths: Sequence[int], width: int | None) -> tuple[int, ...]:
    """Take from the widest columns of words until a line fits, or none can be cut further."""
    fitted = list(widths)
    words = [at for at, title in enumerate(_TITLES) if title not in _NEVER_CUT]
    while width is not None and sum(fitted) + len(_GAP) * (sum(map(bool, fitted)) - 1) > width:
        widest = max(words, key=lambda at: fitted[at])
        if fitted[widest] <= _LEAST:
            break
        fitted[widest] -= 1
    return tuple(fitted)
