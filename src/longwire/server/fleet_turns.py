"""Turns as they end, for whoever watches at another node.

Law: a node tells of its turns while somebody watches elsewhere, and no longer; what comes too fast
is left out, so that those who watch cost turns nothing.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from longwire.core.nouns.turn_row import TurnRow
from longwire.core.ports import Tidings
from longwire.relay.records.journal import Feed, Subscription

_WATCHING: Final = "watching"
_TURNS: Final = "turns"
_SAID_EVERY: Final = 2.0
_LASTS: Final = 5.0
_TOLD_EVERY: Final = 0.25
_MOST_AT_ONCE: Final = 100


class FleetTurns:
    """Passes on the turns of this node while it is asked to, and gives `feed` those of others."""

    def __init__(self, feed: Feed, tidings: Tidings) -> None:
        self._feed = feed
        self._tidings = tidings
        self._is_watched = asyncio.Event()
        self._is_wanted = asyncio.Event()
        self._wanted_until = 0.0
        feed.began = self._is_watched.set
        tidings.hear(_WATCHING, self._want)
        tidings.hear(_TURNS, self._take)

    def _want(self, _node: str, _facts: Mapping[str, Any]) -> None:
        self._wanted_until = asyncio.get_running_loop().time() + _LASTS
        self._is_wanted.set()

    def _take(self, _node: str, facts: Mapping[str, Any]) -> None:
        for row in _rows(facts):
            self._feed.take(row)

    async def say_who_watches(self) -> None:
        """Let the others know while somebody watches here, until cancelled."""
        while True:
            await self._is_watched.wait()
            if not self._feed.is_watched:
                self._is_watched.clear()
                continue
            self._tidings.tell(_WATCHING, {})
            await asyncio.sleep(_SAID_EVERY)

    async def pass_on(self) -> None:
        """Tell of turns while somebody watches elsewhere, until cancelled."""
        while True:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            with self._feed.pass_on(_MOST_AT_ONCE) as turns:
                await self._tell(turns)

    async def _tell(self, turns: Subscription) -> None:
        """Tell the others of turns, many at once, while somebody watches there."""
        now = asyncio.get_running_loop().time
        while now() < self._wanted_until:
            await asyncio.sleep(_TOLD_EVERY)
            if rows := turns.drain(_MOST_AT_ONCE):
                self._tidings.tell(_TURNS, {"rows": [row._asdict() for row in rows]})


def _rows(facts: Mapping[str, Any]) -> Iterator[TurnRow]:
    """Yield the rows that are told; those of a version with other columns are passed over."""
    for row in facts.get("rows", ()):
        with suppress(msgspec.ValidationError, KeyError, TypeError):
            yield msgspec.convert([row[name] for name in TurnRow._fields], TurnRow)
