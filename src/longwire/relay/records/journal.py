"""Where turns are written that have ended: the log of the database, and whoever watches live.

Law: writing never waits. Who watches too slowly misses turns, and learns how many.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import randbits
from typing import Protocol

from longwire.core.nouns.turn_row import ID_BITS, TurnBodies, TurnDetails, TurnId, TurnRow

_MOST_HELD = 1_000


class Journal(Protocol):
    """Takes the rows of turns that ended."""

    def write(self, row: TurnRow, *beside: TurnBodies | TurnDetails) -> None:
        """Take a row, and what few turns have beside it. Never waits, never fails."""


class Subscription:
    """The turns that ended since it began; iterate it. `missed` counts those it was too slow for.

    It ends for nobody else than who watches: leave the context that gave it.
    """

    __slots__ = ("_has_some", "_most", "_rows", "missed")

    def __init__(self, most: int = _MOST_HELD) -> None:
        self.missed = 0
        self._most = most
        self._rows: deque[TurnRow] = deque()
        self._has_some = asyncio.Event()

    def put(self, row: TurnRow) -> None:
        """Hold a row; where there is no room, the oldest one is missed."""
        if len(self._rows) >= self._most:
            self._rows.popleft()
            self.missed += 1
        self._rows.append(row)
        self._has_some.set()

    def __aiter__(self) -> "Subscription":
        """Give the rows as turns end."""
        return self

    async def __anext__(self) -> TurnRow:
        """Wait for the next row."""
        while not self._rows:
            self._has_some.clear()
            await self._has_some.wait()
        return self._rows.popleft()

    def drain(self, most: int) -> list[TurnRow]:
        """Return rows that are held, so many at most, without waiting."""
        return [self._rows.popleft() for _ in range(min(most, len(self._rows)))]


class Feed:
    """A journal for whoever watches at the time: here, or at another node.

    `began` is called when somebody begins to watch here.
    """

    __slots__ = ("_passed_on", "_subscriptions", "began")

    def __init__(self) -> None:
        self.began: Callable[[], None] = lambda: None
        self._subscriptions: set[Subscription] = set()
        self._passed_on: set[Subscription] = set()

    @property
    def is_watched(self) -> bool:
        """Whether somebody watches here."""
        return bool(self._subscriptions)

    def write(self, row: TurnRow, *_beside: TurnBodies | TurnDetails) -> None:
        """Tell all of the row; what is beside it is for the log alone."""
        for subscription in self._subscriptions:
            subscription.put(row)
        for subscription in self._passed_on:
            subscription.put(row)

    def take(self, row: TurnRow) -> None:
        """Tell whoever watches here of a row that another node wrote."""
        for subscription in self._subscriptions:
            subscription.put(row)

    @contextmanager
    def pass_on(self, most: int) -> Iterator[Subscription]:
        """Hold the rows written here, so many at most, for other nodes."""
        subscription = Subscription(most)
        self._passed_on.add(subscription)
        try:
            yield subscription
        finally:
            self._passed_on.discard(subscription)

    @contextmanager
    def subscribe(self, most: int = _MOST_HELD) -> Iterator[Subscription]:
        """Watch; at most so many rows are held for a reader."""
        subscription = Subscription(most)
        self._subscriptions.add(subscription)
        self.began()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)


class Recent:
    """A journal of how the last turns of each connection went, in a word each, and the last one.

    The words are `continued`, `as-given`, the reason of a fresh turn, `failed` and `abandoned`.
    """

    __slots__ = ("_connections", "_last", "_turns", "_words")

    def __init__(self, turns: int = 48, connections: int = 4_096) -> None:
        self._turns = turns
        self._connections = connections
        self._words: OrderedDict[int, deque[str]] = OrderedDict()
        self._last: dict[int, TurnRow] = {}

    def write(self, row: TurnRow, *_beside: TurnBodies | TurnDetails) -> None:
        """Remember a turn, and forget the connections that had none for longest."""
        if row.connection is None:
            return
        words = self._words.setdefault(row.connection, deque(maxlen=self._turns))
        words.append(_word(row))
        self._words.move_to_end(row.connection)
        self._last[row.connection] = row
        if len(self._words) > self._connections:
            forgotten, _ = self._words.popitem(last=False)
            del self._last[forgotten]

    def last(self, connection: int) -> TurnRow | None:
        """Return the row of the last turn of a connection, None for none that is remembered."""
        return self._last.get(connection)

    def of(self, connection: int) -> tuple[str, ...]:
        """Return the words of a connection, the oldest turn's first."""
        return tuple(self._words.get(connection, ()))


def _word(row: TurnRow) -> str:
    if row.outcome == "abandoned":
        return "abandoned"
    return "failed" if row.error_code else row.reason or row.continuity


class TurnIds:
    """Ids of turns that end now, each greater than the last; processes rarely share one."""

    __slots__ = ("_clock", "_last", "_offset")

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._offset = randbits(ID_BITS - 1)
        self._last = 0

    def next(self) -> TurnId:
        """Return a new id; the clock gives ms since 1970 UTC."""
        self._last = max(self._last + 1, (self._clock() << ID_BITS) | self._offset)
        return TurnId(self._last)
