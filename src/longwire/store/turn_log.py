"""Writes turns to the log in batches, beside the turns themselves.

Law: `write` never waits. Rows that the database does not take now are kept and tried again; rows
beyond what memory may hold are dropped, counted and logged.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from random import SystemRandom
from typing import Final

from sqlalchemy.exc import IntegrityError

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.turn_row import ID_BITS, TurnBodies, TurnDetails, TurnId, TurnRow
from longwire.logger import structlog
from longwire.store.turns import Turns

_log = structlog.get_logger()
Beside = TurnBodies | TurnDetails
"""What some turns have beside their rows."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How much is held and how long, in rows, bytes, details and seconds.

    A batch is written when it has `batch` rows or its first one waited `interval`; a database has
    `patience` for it. After an error the next try comes in `retry`, then twice that, up to
    `longest_retry`. While half of `rows` wait, who reads the database waits `courtesy` at most. At
    the end the last rows have `farewell` to get away.
    """

    rows: int = 50_000
    body_bytes: int = 64_000_000
    details: int = 5_000
    batch: int = 500
    interval: float = 1.0
    patience: float = 15.0
    retry: float = 0.5
    longest_retry: float = 10.0
    complaint: float = 10.0
    seen: float = 10.0
    courtesy: float = 2.0
    farewell: float = 5.0


DEFAULT: Final = Measures()
Used = Callable[[Mapping[str, int]], Awaitable[None]]


class TurnLog:
    """A journal that a database keeps. `run` writes until `close`, and ends with the last row.

    `used` is told, now and then, when each key was last used, in ms since 1970 UTC. `problem` is
    why the last batch was not written, "" where it was.
    """

    def __init__(
        self,
        turns: Turns,
        used: Used,
        measures: Measures = DEFAULT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dropped = 0
        self._dropped_at = float("-inf")
        self.problem = ""
        self._turns = turns
        self._used = used
        self._measures = measures
        self._clock = clock
        self._rows: deque[TurnRow] = deque()
        self._bodies: dict[TurnId, TurnBodies] = {}
        self._body_bytes = 0
        self._bodies_dropped = 0
        self._details: dict[TurnId, TurnDetails] = {}
        self._details_dropped = 0
        self._seen: dict[str, int] = {}
        self._seen_since = clock()
        self._complained = float("-inf")
        self._retry = measures.retry
        self._some, self._enough, self._closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._roomy, self._wrote = asyncio.Event(), asyncio.Event()
        self._gone = 0
        self._deadline = float("inf")

    @property
    def waiting(self) -> int:
        """How many rows are not written yet."""
        return len(self._rows)

    @property
    def share_full(self) -> float:
        """How full it is with rows that wait, from 0 to 1."""
        return len(self._rows) / self._measures.rows

    @property
    def seconds_since_dropped(self) -> float:
        """How long ago a row was last lost; infinite where none was."""
        return self._clock() - self._dropped_at

    @property
    def _is_crowded(self) -> bool:
        return 2 * len(self._rows) >= self._measures.rows

    async def give_way(self) -> None:
        """Let who would read the database wait a little, while the log has much to write to it."""
        if not self._is_crowded:
            return
        self._roomy.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._measures.courtesy):
                await self._roomy.wait()

    async def written(self) -> bool:
        """Wait until what waits now is written, as long as a database is waited for at most.

        False where it is not then.
        """
        end = self._gone + len(self._rows)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._measures.patience):
                while self._gone < end:
                    self._enough.set()
                    self._wrote.clear()
                    await self._wrote.wait()
        return self._gone >= end

    def write(self, row: TurnRow, *beside: Beside) -> None:
        """Take a row, to be written soon; with no room left it is counted and lost."""
        if len(self._rows) >= self._measures.rows or self._closed.is_set():
            self.dropped += 1
            self._dropped_at = self._clock()
            self._complain("turn_log_full")
            return
        self._rows.append(row)
        if row.key_id:
            self._seen[row.key_id] = row.id >> ID_BITS
        for each in beside:
            self._hold(each)
        self._some.set()
        if len(self._rows) >= self._measures.batch:
            self._enough.set()

    def _hold(self, beside: Beside) -> None:
        if isinstance(beside, TurnBodies):
            self._hold_bodies(beside)
        elif len(self._details) < self._measures.details:
            self._details[beside.id] = beside
        else:
            self._details_dropped += 1
            self._complain("turn_log_full")

    def _hold_bodies(self, bodies: TurnBodies) -> None:
        size = len(bodies.request) + len(bodies.response)
        if self._body_bytes + size > self._measures.body_bytes:
            self._bodies_dropped += 1
            self._complain("turn_log_full")
            return
        self._bodies[bodies.id] = bodies
        self._body_bytes += size

    def _complain(self, event: str, **about: object) -> None:
        """Warn of what is lost or late, but not each time."""
        now = self._clock()
        if now - self._complained < self._measures.complaint:
            return
        self._complained = now
        lost = {
            "dropped": self.dropped,
            "dropped_bodies": self._bodies_dropped,
            "dropped_details": self._details_dropped,
        }
        _log.warning(event, waiting=self.waiting, **lost, **about)

    def close(self) -> None:
        """Take no more rows, and let `run` end."""
        self._deadline = self._clock() + self._measures.farewell
        for event in (self._closed, self._some, self._enough):
            event.set()

    async def run(self) -> None:
        """Write what comes, until closed and all is written or its time is over."""
        while not self._closed.is_set():
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._measures.interval):
                    await self._enough.wait()
            await self._flush()
        while self._rows and self._clock() < self._deadline:
            await self._flush()
        await self._tell_used(is_last=True)
        if self._rows:
            _log.error("turn_log_lost", turns=self.waiting)

    async def _flush(self) -> None:
        """Write one batch; on an error wait a while and leave it for the next time."""
        rows = tuple(islice(self._rows, self._measures.batch))
        beside = list(self._beside(rows))
        try:
            async with asyncio.timeout(self._measures.patience):
                await self._add(rows, beside)
        except (StoreUnavailable, IntegrityError, TimeoutError) as error:
            self.problem = getattr(error, "reason", type(error).__name__)
            self._complain("turn_log_waits", error=self.problem)
            await self._wait_for_the_database()
            return
        self._retry, self.problem = self._measures.retry, ""
        self._forget(rows)
        await self._tell_used(is_last=False)

    def _beside(self, rows: Sequence[TurnRow]) -> Iterator[Beside]:
        for held in (self._bodies, self._details):
            if held:
                yield from (held[row.id] for row in rows if row.id in held)

    async def _add(self, rows: Sequence[TurnRow], beside: Sequence[Beside]) -> None:
        """Write a batch. Where ids are taken, it was written already, or gets others.

        It gets others, too, where the partition that it was on its way to has lost its day.
        """
        try:
            await self._turns.add(rows, beside)
        except IntegrityError:
            if not await self._turns.has(rows[0]):
                await self._turns.add(*renumbered(rows, beside))

    def _forget(self, rows: Sequence[TurnRow]) -> None:
        """Let go of what is written."""
        for row in rows:
            self._rows.popleft()
            self._details.pop(row.id, None)
            bodies = self._bodies.pop(row.id, None)
            if bodies is not None:
                self._body_bytes -= len(bodies.request) + len(bodies.response)
        self._gone += len(rows)
        self._wrote.set()
        if not self._is_crowded:
            self._roomy.set()
        if self._closed.is_set():
            return
        if len(self._rows) < self._measures.batch:
            self._enough.clear()
        if not self._rows:
            self._some.clear()

    async def _wait_for_the_database(self) -> None:
        """Wait longer each time; closing cuts the wait short, but does not end all waiting."""
        pause, self._retry = self._retry, min(2 * self._retry, self._measures.longest_retry)
        if self._closed.is_set():
            await asyncio.sleep(min(pause, self._measures.retry))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._closed.wait()

    async def _tell_used(self, *, is_last: bool) -> None:
        """Tell when keys were last used; what cannot be told now is told with the next."""
        now = self._clock()
        if not self._seen or not (is_last or now - self._seen_since >= self._measures.seen):
            return
        seen, self._seen, self._seen_since = self._seen, {}, now
        try:
            await self._used(seen)
        except StoreUnavailable as error:
            self._seen = {**seen, **self._seen}
            self._complain("turn_log_waits", error=error.reason)


def renumbered(
    rows: Sequence[TurnRow], beside: Sequence[Beside]
) -> tuple[list[TurnRow], list[Beside]]:
    """Give rows other ids of the same milliseconds, and what they have beside with them."""
    taken = {row.id for row in rows}
    others: dict[TurnId, TurnId] = {}
    for row in rows:
        other = row.id
        while other in taken:
            low = SystemRandom().getrandbits(ID_BITS)
            other = TurnId((row.id >> ID_BITS << ID_BITS) | low)
        taken.add(other)
        others[row.id] = other
    return (
        [row._replace(id=others[row.id]) for row in rows],
        [each._replace(id=others[each.id]) for each in beside],
    )
