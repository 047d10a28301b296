"""Several processes that begin, are signalled and end as one.

Law: each stage serves before the next one starts: Valkey, the workers, the balancer. At the end the
workers leave first, so that the balancer passes on the last of their turns.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from longwire.logger import structlog
from longwire.supervisor.program import Program

_log = structlog.get_logger()
_OURS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_PATIENCE: Final = 5.0
"""Seconds that a program gets to end that is to end at once."""

_LAST_BYTES: Final = 1.0
"""Seconds that a balancer gets to pass on the last answers, as a process gives alone."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The programs: `workers`, what they `share`, and what stands `before` them.

    `announce` is called once they serve, `close` when nobody is to be served any more. `valkey` is
    the URL of one that is among them.
    """

    workers: Sequence[Program]
    share: Sequence[Program]
    before: Sequence[Program]
    announce: Callable[[], None]
    close: Callable[[], None]
    valkey: str = ""


class Supervisor:
    """Runs a crew until SIGTERM or SIGINT; a second one ends it at once. SIGHUP is the workers'."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._is_stopping = False
        self._status = 0

    async def run(self) -> int:
        """Return the exit status: 0, or that of a program that could not start."""
        loop, crew = asyncio.get_running_loop(), self._crew
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        signal.signal(signal.SIGHUP, lambda *_: loop.call_soon_threadsafe(self._reload))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        async with asyncio.TaskGroup() as group:
            await self._start(group, crew.share)
            working = await self._start(group, crew.workers)
            await self._start(group, crew.before)
            if not self._is_stopping:
                crew.announce()
            if working:
                await asyncio.wait(working)
            self._end_others()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # threads that watch programs do not block it
        signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)  # the loop's end would let them kill
        return self._status

    async def _start(
        self, group: asyncio.TaskGroup, programs: Sequence[Program]
    ) -> Sequence["asyncio.Task[None]"]:
        """Start the programs of a stage, and wait until they serve, or are not wanted any more."""
        if self._is_stopping:
            return ()
        tasks = [group.create_task(self._keep(each)) for each in programs]
        for each in programs:
            await each.settled.wait()
        return tasks

    async def _keep(self, program: Program) -> None:
        status = await program.keep()
        if not self._is_stopping:  # it could not even start
            _log.error("program_not_started", program=program.name, status=status)
            self._status = status if status > 0 else 1
            self._is_stopping = True
            for each in self._all():
                each.end(signal.SIGKILL)

    def _all(self) -> Sequence[Program]:
        return (*self._crew.workers, *self._crew.share, *self._crew.before)

    def _reload(self) -> None:
        for worker in self._crew.workers:
            worker.send(signal.SIGHUP)

    def _stop(self, number: signal.Signals) -> None:
        """Let the workers leave, and the others serve on until they have; hurry the second time."""
        if self._is_stopping:
            asyncio.get_running_loop().call_later(_PATIENCE, self._kill)
        self._is_stopping = True
        for worker in self._crew.workers:
            worker.end(number)
        for each in (*self._crew.share, *self._crew.before):
            each.let_end()

    def _end_others(self) -> None:
        self._crew.close()
        later = asyncio.get_running_loop().call_later
        for each in self._crew.before:
            each.end(signal.SIGUSR1)  # HAProxy's word for: when all has been sent
            later(_LAST_BYTES, each.end, signal.SIGTERM)  # some clients only stay connected
        for each in self._crew.share:
            each.end(signal.SIGTERM)
        later(_PATIENCE, self._kill)

    def _kill(self) -> None:
        for each in self._all():
            each.end(signal.SIGKILL)
