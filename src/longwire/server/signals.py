"""SIGTERM and SIGINT: the first lets turns end, the second ends at once. SIGHUP: read the file.

Law: draining, the gateway still answers, with 503, until the last turn has ended or the grace
period is over; only then does the server stop. Exit status 0.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from uvicorn.server import HANDLED_SIGNALS
from uvicorn.supervisors import Multiprocess

from longwire.server.health import Readiness, Stage

AFTER_DRAINING = 1
"""Seconds that the server then gives to what is no turn, and to a turn that it cuts."""


def stop_on_signals(server: uvicorn.Server, readiness: Readiness, grace: float) -> None:
    """Drain for `grace` seconds at most.

    It takes uvicorn's place as handler, which would raise the signal again and spoil the status.
    """
    server.config.timeout_graceful_shutdown = AFTER_DRAINING

    def finish() -> None:
        server.should_exit = True

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if readiness.stage is Stage.DRAINING:
            server.config.timeout_graceful_shutdown = 0
            finish()
        else:
            _drain(readiness, grace, finish)

    server.handle_exit = stop  # type: ignore[assignment]


def drain_in_a_worker(readiness: Readiness, grace: float) -> None:
    """Drain a worker; uvicorn's own handler, in place by now, then ends it."""
    number = signal.SIGTERM
    uvicorns = signal.getsignal(number)

    def finish() -> None:
        if callable(uvicorns):
            uvicorns(number, None)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if readiness.stage is not Stage.DRAINING:
            _drain(readiness, grace, finish)

    for each in HANDLED_SIGNALS:
        signal.signal(each, stop)


def end_workers_on_signals(supervisor: Multiprocess) -> None:
    """Let all workers drain on the first signal, as uvicorn does; kill them on the second.

    Ctrl-C reaches the workers, too, and uvicorn's SIGTERM follows: to a worker both are one.
    """
    supervisor.config.timeout_graceful_shutdown = AFTER_DRAINING
    seen: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if not seen:
            supervisor.signal_queue.append(number)
        for worker in supervisor.processes if seen else ():
            worker.process.kill()
        seen.append(number)

    def reload(number: int, _frame: FrameType | None) -> None:
        for worker in supervisor.processes:
            os.kill(worker.process.pid or 0, number)

    for number in HANDLED_SIGNALS:
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, reload)


@contextmanager
def reloading_on_signal(reload: Callable[[], None]) -> Iterator[None]:
    """Call `reload` on SIGHUP; outside the main thread there are no signals to take."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _drain(readiness: Readiness, grace: float, finish: Callable[[], None]) -> None:
    """Take no new turns; finish when the last has ended, or the grace period has."""
    loop = asyncio.get_running_loop()
    loop.call_soon_threadsafe(readiness.drain, finish)
    loop.call_soon_threadsafe(loop.call_later, grace, finish)
