"""What each node alone knows of itself, and what others tell of themselves: log and disk."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from longwire.core.nouns.alert import Fact, Watched
from longwire.fleet.asking import Asking, LatestAnswers
from longwire.server.alerts.messages import NOTES
from longwire.store.turn_log import TurnLog

_KIND: Final = "alert_figures"
Figures = Mapping[str, Any]


class NodeFigures:
    """The figures of the nodes' turn logs and disks; `folder` is where data lies, None for none."""

    def __init__(self, log: TurnLog, folder: Path | None, asking: Asking) -> None:
        self._log = log
        self._folder = folder
        self._node = asking.node
        self._disk_free: float | None = None
        self._others = LatestAnswers(asking, _KIND)
        asking.answer(_KIND, lambda _: dict(self.own()))

    async def measure(self) -> None:
        """Look at the disk, which may wait: a network may be between."""
        if self._folder is not None:
            self._disk_free = await asyncio.to_thread(_free_share, self._folder)

    def own(self) -> Figures:
        """Return the figures of this node."""
        log = self._log
        return {
            "problem": log.problem,
            "full": log.share_full,
            "dropped": log.dropped,
            "dropped_ago": log.seconds_since_dropped if log.dropped else None,
            "disk_free": self._disk_free,
            "folder": str(self._folder or ""),
        }

    def own_facts(self, watched: Watched, window: int) -> list[Fact]:
        """Return what this node knows of itself."""
        return _facts(watched, window, {self._node: self.own()})

    async def facts(self, watched: Watched, window: int) -> list[Fact]:
        """Return what all nodes know of themselves; of who does not answer nothing is known."""
        answers = await self._others.get()
        found = _facts(watched, window, {self._node: self.own(), **answers.by_node})
        return [*found, *(unknown(each) for each in answers.missing)]


def unknown(subject: str) -> Fact:
    """Return the fact that nobody knows how a subject does: no turn speaks for it."""
    return Fact(subject, subject, 0.0, turns=0)


def _facts(watched: Watched, window: int, nodes: Mapping[str, Figures]) -> list[Fact]:
    read = _READ[watched]
    found = (read(node, figures, window) for node, figures in nodes.items())
    return [fact for fact in found if fact is not None]


def _failing(node: str, figures: Figures, _window: int) -> Fact:
    problem = str(figures.get("problem", ""))
    note = NOTES[Watched.TURN_LOG_FAILING].format(problem=problem)
    return Fact(node, node, float(bool(problem)), note=problem and note)


def _full(node: str, figures: Figures, _window: int) -> Fact:
    return Fact(node, node, float(figures.get("full", 0.0)), note=str(figures.get("problem", "")))


def _dropped(node: str, figures: Figures, window: int) -> Fact:
    since = figures.get("dropped_ago")
    is_recent = since is not None and since <= window
    return Fact(node, node, float(figures.get("dropped", 0)) if is_recent else 0.0)


def _disk(node: str, figures: Figures, _window: int) -> Fact | None:
    free = figures.get("disk_free")
    if free is None:
        return None
    note = NOTES[Watched.DISK_FREE].format(folder=figures.get("folder", ""))
    return Fact(node, node, float(free), note=note)


_READ: Final[Mapping[Watched, Callable[[str, Figures, int], Fact | None]]] = {
    Watched.TURN_LOG_FAILING: _failing,
    Watched.TURN_LOG_FULL: _full,
    Watched.TURNS_DROPPED: _dropped,
    Watched.DISK_FREE: _disk,
}
OF_NODES: Final = frozenset(_READ)
"""What a node knows without its database, too."""


def _free_share(folder: Path) -> float | None:
    """Return the free share of a folder's file system for who is not root, None for unknown."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    usable = usage.used + usage.free
    return usage.free / usable if usable else None
