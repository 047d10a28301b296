"""SIGTERM and SIGINT: the first lets turns end, the second ends at once. SIGHUP: read the file.

Law: SIGTERM makes a lame duck first, not ready and still serving. Draining, the gateway answers
with 503 until the last turn has ended or the grace period is over; only then does the server stop.
So it goes, too, when a task fails that the gateway stands on: no process stays that serves nobody.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

import uvicorn

from longwire.logger import structlog
from longwire.server.health import Readiness, Stage

_log = structlog.get_logger()
_RELOAD: Final = frozenset({signal.SIGHUP})

AFTER_DRAINING = 1
"""Seconds that the server then gives to what is no turn, and to a turn that it cuts."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How many seconds a gateway serves on when it is to stop, and how many turns get to end."""

    lame_duck: float
    grace: float


class Departure:
    """How a server stops: on the first signal, at once on the second, and when a part fails.

    It takes uvicorn's place as handler, which would raise the signal again and spoil the status.
    `status` is what its process is to exit with.
    """

    def __init__(self, server: uvicorn.Server, readiness: Readiness, ending: Ending) -> None:
        self.status = 0
        self._server = server
        self._readiness = readiness
        self._ending = ending
        self._is_over = asyncio.Event()
        server.config.timeout_graceful_shutdown = AFTER_DRAINING
        server.handle_exit = self._on_signal  # type: ignore[assignment]

    @asynccontextmanager
    async def ending_when_failed(
        self, running: AbstractAsyncContextManager[None]
    ) -> AsyncIterator[None]:
        """Run what the gateway stands on; where a task of it fails, turns end before the rest.

        Its group cancels what is in here, and raises the error when that has been left.
        """
        try:
            async with running:
                try:
                    yield
                except asyncio.CancelledError:
                    await self._end_turns()
                    raise
        except Exception:
            self.status = 1
            if not self._server.started:
                raise
            _log.exception("gateway_failed")

    async def _end_turns(self) -> None:
        if not self._server.started:
            self._finish()
        elif not self._is_under_way:
            _log.warning("leaving_after_failure")
            self._leave(signal.SIGTERM)
        await self._is_over.wait()

    @property
    def _is_under_way(self) -> bool:
        return self._readiness.stage in {Stage.LEAVING, Stage.DRAINING}

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._is_under_way:
            self._server.config.timeout_graceful_shutdown = 0
            self._finish()
        else:
            self._leave(number)

    def _leave(self, number: int) -> None:
        """Serve on while balancers look away, then take no new turns; at a keyboard nobody waits.

        Finish when the last turn has ended, or the grace period has.
        """
        loop, ending = asyncio.get_running_loop(), self._ending

        def drain() -> None:
            self._readiness.drain(self._finish)
            loop.call_later(ending.grace, self._finish)

        if number == signal.SIGTERM and ending.lame_duck:
            loop.call_soon_threadsafe(self._readiness.leave)
            loop.call_soon_threadsafe(loop.call_later, ending.lame_duck, drain)
        else:
            loop.call_soon_threadsafe(drain)

    def _finish(self) -> None:
        self._server.should_exit = True
        self._is_over.set()


@contextmanager
def reloading_on_signal(reload: Callable[[], None]) -> Iterator[None]:
    """Call `reload` on SIGHUP; outside the main thread there are no signals to take.

    Where it was held back since the start it comes now; once this is left it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGHUP, lambda *_: loop.call_soon_threadsafe(reload))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _RELOAD)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
