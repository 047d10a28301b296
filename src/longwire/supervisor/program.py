"""One program that is kept running: it is started again when it ends by itself.

Law: none outlives the supervisor, however that ends; nor does a signal of the terminal reach one
past the supervisor.
"""

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from longwire.logger import structlog

_log = structlog.get_logger()
_DIE_WITH_PARENT: Final = 1
"""`PR_SET_PDEATHSIG` of Linux; elsewhere a supervisor that is killed leaves its children behind."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_HEALTHY_AFTER: Final = 30.0
"""Seconds after which an end is no part of a row of failures."""


@dataclass(frozen=True, slots=True)
class Command:
    """How a program is started: its words, its environment, the descriptors that it inherits.

    `close` closes those of them that it alone has.
    """

    words: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    descriptors: Sequence[int] = ()
    close: Callable[[], None] = lambda: None


class Lines(Protocol):
    """Writes what a program says into our log."""

    def __call__(self, line: str) -> None:
        """Write one line."""


class Program:
    """A child process, `name`d in the log. `command` is asked for anew before each start.

    `is_ready` returns once it serves. Without `lines` it writes into our log by itself.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[], Command],
        is_ready: Callable[[], Awaitable[object]],
        lines: Lines | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._is_ready = is_ready
        self._lines = lines
        self._process: Process | None = None
        self._unwanted = asyncio.Event()
        self.settled = asyncio.Event()
        """Whether it serves, or has ended for good."""

    async def keep(self) -> int:
        """Keep it running. Return its status once it is not wanted, or when it cannot start."""
        pause, clock = _SHORTEST_PAUSE, asyncio.get_running_loop().time
        while True:
            began = clock()
            status = await self._run()
            if self._unwanted.is_set() or not self.settled.is_set():
                self.settled.set()
                return status
            pause = _SHORTEST_PAUSE if clock() - began > _HEALTHY_AFTER else pause
            _log.error("program_ended", program=self.name, status=status, again_in=pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._unwanted.wait()
            if self._unwanted.is_set():
                return status
            pause = min(pause * 2, _LONGEST_PAUSE)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, where it runs."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def let_end(self) -> None:
        """Start it no more, and log no more what it says: it tells of an end that is wanted."""
        self._unwanted.set()

    def end(self, number: signal.Signals) -> None:
        """Ask it to end, and start it no more; one that does not serve yet obeys SIGTERM alone."""
        self.let_end()
        is_early = number == signal.SIGINT and not self.settled.is_set()
        self.send(signal.SIGTERM if is_early else number)

    async def _run(self) -> int:
        command, is_read = self._command(), self._lines is not None
        process = self._process = await asyncio.create_subprocess_exec(
            *command.words,
            env=command.environ,
            stdin=DEVNULL,
            stdout=PIPE if is_read else None,
            stderr=STDOUT if is_read else None,
            pass_fds=command.descriptors,
            process_group=0,
            preexec_fn=_dying_with(os.getpid()),
        )
        command.close()
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            if process.stdout is not None:
                group.create_task(self._read(process.stdout))
            status = await process.wait()
            watching.cancel()
        return status

    async def _watch(self) -> None:
        await self._is_ready()
        self.settled.set()

    async def _read(self, output: asyncio.StreamReader) -> None:
        while line := await output.readline():
            text = line.decode("utf-8", "replace").strip()
            if text and self._lines is not None and not self._unwanted.is_set():
                self._lines(text)


def _dying_with(parent: int) -> Callable[[], None]:
    """Return what a child does before it becomes another program: it asks to end with `parent`."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else lambda *_: None

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # until it can be obeyed
        prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
