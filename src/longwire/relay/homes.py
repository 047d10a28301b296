"""Where sessions and what upstreams hold are at home: here, in the fleet, and in the store.

Law: of a bounded number the newest are held here; no turn waits for a home to be written, and none
longer than `_PATIENCE` for one to be read.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from longwire.core.errors import StoreUnavailable
from longwire.core.ports import SharedHomes
from longwire.core.rules.homes import HomeKey, held_key, owned_key
from longwire.core.rules.turn import Scope
from longwire.logger import structlog

if TYPE_CHECKING:
    from longwire.store.homes import StoredHomes

_log = structlog.get_logger()
_MOST_HELD: Final = 16_384
_MOST_UNWRITTEN: Final = 50_000
_REFRESHED_AFTER: Final = 6 * 3600.0
_LONG_AGO: Final = float("-inf")
_INTERVAL: Final = 0.2
_PATIENCE: Final = 1.0
_PAUSE: Final = 10.0
_FAREWELL: Final = 5.0
_UNREADABLE: Final = (StoreUnavailable, TimeoutError)


class Homes(Protocol):
    """Tells which channel, or which account of one, something is at home with."""

    async def get(self, key: HomeKey) -> str | None:
        """Return a home, None where it is not known."""

    def put(self, key: HomeKey, home: str) -> None:
        """Remember a home. Never waits, never fails."""


async def home_of_response(
    homes: Homes, scope: Scope | None, response_id: str
) -> tuple[str | None, bool]:
    """Return where a response is that a caller had made, and whether it is another caller's.

    Both are noted at once, the caller's first; another node may do so between two looks at them.
    """
    own = held_key(scope, response_id)
    home = await homes.get(own)
    if home is not None or await homes.get(owned_key(response_id)) is None:
        return home, False
    home = await homes.get(own)
    return home, home is None


class _Held(NamedTuple):
    home: str
    written: float


class LocalHomes:
    """Homes of one process, written through to a store while it is `kept_in` one.

    What a fleet has `shared` is read before the store. `clock` gives seconds since 1970 UTC.
    """

    __slots__ = (
        "_clock",
        "_group",
        "_has_some",
        "_held",
        "_most",
        "_resumes",
        "_shared",
        "_store",
        "_unwritten",
    )

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        most: int = _MOST_HELD,
        shared: SharedHomes | None = None,
    ) -> None:
        self._clock = clock
        self._shared = shared
        if shared is not None:
            shared.hear(self._take_over)
        self._most = most
        self._held: OrderedDict[bytes, _Held] = OrderedDict()
        self._unwritten: OrderedDict[HomeKey, str] = OrderedDict()
        self._has_some = asyncio.Event()
        self._store: StoredHomes | None = None
        self._group: asyncio.TaskGroup | None = None
        self._resumes = 0.0

    def __repr__(self) -> str:
        """Tell the whole state in one line."""
        return f"<LocalHomes held={len(self._held)} unwritten={len(self._unwritten)}>"

    async def get(self, key: HomeKey) -> str | None:
        """Return a home, from the fleet or the store where this process has not met it yet."""
        held = self._held.get(key.digest)
        if held is None and (home := await self._look_up(key)) is not None:
            held = self._held.get(key.digest)  # a turn may have said more meanwhile
            if held is None:
                held = self._hold(key, home, _LONG_AGO)
        return held.home if held is not None else None

    async def _look_up(self, key: HomeKey) -> str | None:
        home = await self._shared.find(key) if self._shared is not None else None
        if home is None and self._group is not None and self._clock() >= self._resumes:
            home = await self._read(self._group, key)
        return home

    def _take_over(self, digest: bytes, home: str) -> None:
        """Hold what another node says, where another home was held."""
        held = self._held.get(digest)
        if held is not None and held.home != home:
            self._held[digest] = _Held(home, held.written)

    def put(self, key: HomeKey, home: str) -> None:
        """Remember a home; where it is new, or was written long ago, it is written soon."""
        held, now = self._held.get(key.digest), self._clock()
        if held is not None and held.home == home and now < held.written + _REFRESHED_AFTER:
            self._held.move_to_end(key.digest)
            return
        self._hold(key, home, now)
        if self._shared is not None:
            self._shared.keep(key, home, has_moved=held is not None and held.home != home)
        if self._store is not None:
            self._unwritten[key] = home
            if len(self._unwritten) > _MOST_UNWRITTEN:
                self._unwritten.popitem(last=False)
            self._has_some.set()

    def _hold(self, key: HomeKey, home: str, now: float) -> _Held:
        held = self._held[key.digest] = _Held(home, now)
        self._held.move_to_end(key.digest)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return held

    async def _read(self, group: asyncio.TaskGroup, key: HomeKey) -> str | None:
        """Look a home up; while the store does not answer, it is not asked.

        Who asks does not wait until a driver has given up, which may take it seconds.
        """
        reading = group.create_task(self._find(key))
        try:
            await asyncio.wait([reading], timeout=_PATIENCE)
        finally:
            is_late = reading.cancel()
        if is_late:
            self._rest(TimeoutError())
        return None if is_late or reading.cancelled() else reading.result()

    async def _find(self, key: HomeKey) -> str | None:
        """Ask the store; what it fails with is no reason for a turn to fail, nor for the rest."""
        try:
            return await self._store.find(key) if self._store is not None else None
        except Exception as error:  # noqa: BLE001 - whatever a driver makes of what is stored
            self._rest(error)
            return None

    def _rest(self, error: Exception) -> None:
        """Leave the store alone for a while; of all that fails meanwhile one line is logged."""
        if self._clock() < self._resumes:
            return
        self._resumes = self._clock() + _PAUSE
        _log.warning("homes_not_read", error=getattr(error, "reason", type(error).__name__))

    @asynccontextmanager
    async def kept_in(self, store: "StoredHomes") -> AsyncIterator[None]:
        """Read from a store and write to it meanwhile; at the end the last ones are written."""
        self._store = store
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                writing = group.create_task(self._keep_written(store))
                writing.add_done_callback(self._end_reading)
                try:
                    yield
                finally:
                    writing.cancel()
        finally:
            self._store = None
            await self._write(store, _FAREWELL)

    def _end_reading(self, _writing: asyncio.Task[None]) -> None:
        """Read no more: a group of which a task has ended or failed takes no other."""
        self._group = None

    async def _keep_written(self, store: "StoredHomes") -> None:
        while True:
            await self._has_some.wait()
            await asyncio.sleep(_INTERVAL)
            if not await self._write(store, _PAUSE):
                await asyncio.sleep(_PAUSE)

    async def _write(self, store: "StoredHomes", patience: float) -> bool:
        """Write what is not written yet; what cannot be is written with the next."""
        self._has_some.clear()
        unwritten, self._unwritten = self._unwritten, OrderedDict()
        try:
            async with asyncio.timeout(patience):
                await store.keep(unwritten)
        except _UNREADABLE as error:
            self._take_back(unwritten)
            _log.warning("homes_wait", error=getattr(error, "reason", type(error).__name__))
            return False
        except asyncio.CancelledError:
            self._take_back(unwritten)
            raise
        return True

    def _take_back(self, unwritten: Mapping[HomeKey, str]) -> None:
        """Wait with homes, but not with those that have changed since."""
        later, self._unwritten = self._unwritten, OrderedDict(unwritten)
        self._unwritten.update(later)
        while len(self._unwritten) > _MOST_UNWRITTEN:
            self._unwritten.popitem(last=False)
        self._has_some.set()
