"""Figures of a run: how they are taken in turns, and how they are told.

Only figures of one run are compared, round by round: the machine's mood is then in both.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over all rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Summarise a figure's rounds."""
        known = sorted(values)
        return cls(statistics.median(known), known[0], known[-1])

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.least)}–{_short(self.most)})"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `target` is the most that `ratio`, or without one `figure`, may be."""

    what: str
    figure: Spread
    unit: str
    ratio: Spread | None = None
    target: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether there is a target and the median is past it."""
        compared = self.ratio or self.figure
        return self.target is not None and compared.median > self.target

    def __str__(self) -> str:
        verdict = "" if self.target is None else "missed" if self.is_missed else "reached"
        target = "" if self.target is None else f"≤ {_short(self.target)}"
        cells = (self.what, self.figure, self.unit, self.ratio or "", target, verdict)
        return f"| {' | '.join(map(str, cells))} |"


HEAD = """| what | median (min–max) | unit | ratio (min–max) | target | |
|---|---|---|---|---|---|"""


def in_turns(
    measures: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, tuple[float, ...]]:
    """Take every measure once a round, in turns; every other round begins with the last.

    What is measured leaves a machine other than it was, for whatever comes behind.
    """
    order = list(measures)
    taken = [
        {name: measures[name]() for name in order[:: -1 if number % 2 else 1]}
        for number in range(rounds)
    ]
    return {name: tuple(figures[name] for figures in taken) for name in measures}


def ratio(figures: Iterable[float], references: Iterable[float]) -> Spread:
    """Compare two figures round by round."""
    return Spread.of(a / b for a, b in zip(figures, references, strict=True))


def _short(value: float) -> str:
    """Spell a figure with three digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
