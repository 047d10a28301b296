"""SIGTERM and SIGINT: the first lets turns end, the second ends at once. SIGHUP: read the file.

Law: SIGTERM makes a lame duck first, not ready and still serving. Draining, the gateway answers
with 503 until the last turn has ended or the grace period is over; only then does the server stop.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

import uvicorn

from longwire.server.health import Readiness, Stage

_RELOAD: Final = frozenset({signal.SIGHUP})

AFTER_DRAINING = 1
"""Seconds that the server then gives to what is no turn, and to a turn that it cuts."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How many seconds a gateway serves on when it is to stop, and how many turns get to end."""

    lame_duck: float
    grace: float


def stop_on_signals(server: uvicorn.Server, readiness: Readiness, ending: Ending) -> None:
    """Leave on the first signal, end at once on the second.

    It takes uvicorn's place as handler, which would raise the signal again and spoil the status.
    """
    server.config.timeout_graceful_shutdown = AFTER_DRAINING

    def finish() -> None:
        server.should_exit = True

    def stop(number: int, _frame: FrameType | None) -> None:
        if readiness.stage in {Stage.LEAVING, Stage.DRAINING}:
            server.config.timeout_graceful_shutdown = 0
            finish()
        else:
            _leave(number, readiness, ending, finish)

    server.handle_exit = stop  # type: ignore[assignment]


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


def _leave(number: int, readiness: Readiness, ending: Ending, finish: Callable[[], None]) -> None:
    """Serve on while balancers look away, then take no new turns; nobody waits so at a keyboard.

    Finish when the last turn has ended, or the grace period has.
    """
    loop = asyncio.get_running_loop()

    def drain() -> None:
        readiness.drain(finish)
        loop.call_later(ending.grace, finish)

    if number == signal.SIGTERM and ending.lame_duck:
        loop.call_soon_threadsafe(readiness.leave)
        loop.call_soon_threadsafe(loop.call_later, ending.lame_duck, drain)
    else:
        loop.call_soon_threadsafe(drain)
