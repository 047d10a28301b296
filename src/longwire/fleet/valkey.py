"""One link to Valkey, owned by one task: turns queue commands, the task writes them at once.

Law: a turn that is cancelled cancels its future, never an answer half read; no turn waits longer
than the time-outs allow, however Valkey fails; and while it is away none waits for a probe.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

from redis.exceptions import NoScriptError, RedisError, ResponseError

from longwire.core.errors import FleetUnavailable
from longwire.core.rules.breaker import Breaker
from longwire.fleet.links import Servers, Words
from longwire.fleet.patience import Patience
from longwire.fleet.refusals import Complaints, refuses_all

TIMEOUT: Final = 0.05
"""Seconds for the answers to what was written at once, and for opening what broke before that."""

_PROBES: Final = 1.0
"""Seconds to open a connection and be answered while no turn waits."""

_LINGER: Final = 0.1
_FAREWELL: Final = 1.0
_MOST_POSTED: Final = 10_000
_MOST_AT_ONCE: Final = 256
_PROBE: Final = ("SET", "lw:probe", 1, "EX", 60)
"""A write, since a server that is full or a replica answers to reads."""

_FAILURES: Final = (OSError, TimeoutError, RedisError)
Word = str | bytes | int | float


class Script:
    """A Lua script of files of this folder, which Valkey runs as one step.

    `sha` is its digest there.
    """

    __slots__ = ("sha", "source")

    def __init__(self, *names: str) -> None:
        folder = files("longwire.fleet")
        self.source = b"".join(folder.joinpath(f"{each}.lua").read_bytes() for each in names)
        self.sha = sha1(self.source, usedforsecurity=False).hexdigest()


@dataclass(slots=True, eq=False)
class _Command:
    """What is to be written; what is posted has nobody who waits for its `answer`.

    What `is_kept` waits for a Valkey that is away; what is not would undo there what is newer.
    """

    words: Words
    answer: "asyncio.Future[Any] | None" = None
    script: Script | None = None
    is_kept: bool = True

    @property
    def is_given_up(self) -> bool:
        return self.answer is not None and self.answer.done()


class Valkey:
    """Commands to the `servers` of one fleet. `clock` gives seconds.

    Several links to the same servers share their `complaints`, so that each is said once.
    """

    def __init__(
        self,
        servers: Servers,
        clock: Callable[[], float] = time.monotonic,
        complaints: Complaints | None = None,
    ) -> None:
        self.breaker = Breaker()
        self._link = servers.link()
        self._clock = clock
        self.complaints = complaints or Complaints(clock)
        self._queue: deque[_Command] = deque()
        self._has_some = asyncio.Event()
        self._is_running = False

    def __repr__(self) -> str:
        return f"<Valkey {self.breaker!r} waiting={len(self._queue)}>"

    @property
    def is_away(self) -> bool:
        """Whether nobody is asked now: it failed lately, or this node is not running."""
        return self.breaker.is_open or not self._is_running

    async def call(self, *words: Word) -> Any:  # noqa: ANN401 - a command answers what it will
        """Return what Valkey answers to a command. Raises `FleetUnavailable`."""
        return await self._ask(_Command(words))

    async def run(self, script: Script, keys: Sequence[str], *arguments: Word) -> Any:  # noqa: ANN401
        """Return what a script answers. Raises `FleetUnavailable`."""
        words = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        return await self._ask(_Command(words, script=script))

    def post(self, *words: Word, is_kept: bool = True) -> None:
        """Have a command written with the next ones, or soon. Never waits, never fails.

        While Valkey is away it waits where it `is_kept`, and is dropped where it is not.
        """
        self._post(_Command(words, is_kept=is_kept))

    def post_run(
        self, script: Script, keys: Sequence[str], *arguments: Word, is_kept: bool = True
    ) -> None:
        """Have a script run with the next commands, or soon; as `post`."""
        words = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        self._post(_Command(words, script=script, is_kept=is_kept))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the task that owns the link run; it has been tried once before anybody asks."""
        self._is_running = True
        try:
            self.breaker.suspect()
            await self._probe()
            async with asyncio.TaskGroup() as group:
                task = group.create_task(self._write_on())
                try:
                    yield
                finally:
                    self._is_running = False
                    task.cancel()
            await self._say_farewell()
        finally:
            self._is_running = False
            self._give_up()
            await self._link.drop()

    async def _ask(self, command: _Command) -> Any:  # noqa: ANN401
        if self.is_away:
            raise FleetUnavailable("Valkey is away")
        command.answer = asyncio.get_running_loop().create_future()
        self._queue.append(command)
        self._has_some.set()
        return await command.answer

    def _post(self, command: _Command) -> None:
        queue = self._queue
        if len(queue) >= _MOST_POSTED or (self.is_away and not command.is_kept):
            return
        queue.append(command)
        if len(queue) == 1 and self._is_running and not self._has_some.is_set():
            asyncio.get_running_loop().call_later(_LINGER, self._has_some.set)

    async def _write_on(self) -> None:
        """Write what waits, as it comes; while Valkey is away, probe it now and then."""
        while self._is_running:
            if self.breaker.is_open:
                await asyncio.sleep(self.breaker.rests(self._clock()))
                await self._probe()
                continue
            await self._has_some.wait()
            self._has_some.clear()
            while self._queue and not self.breaker.is_open:
                await self._write(self._next_batch(), TIMEOUT)

    async def _probe(self) -> None:
        """Let others ask again where it takes a write in the time that a turn waits.

        Opening a connection may take longer, and is tried before.
        """
        probe = [_Command(_PROBE, is_kept=False)]
        if await self._write(probe, _PROBES, is_trial=True):
            await self._write(probe, TIMEOUT)
        if self._queue and not self.breaker.is_open:
            self._has_some.set()

    async def _say_farewell(self) -> None:
        """Write out what was posted, where that can be done at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                while self._queue and not self.breaker.is_open:
                    await self._write(self._next_batch(), TIMEOUT)

    def _next_batch(self) -> list[_Command]:
        """Take the oldest commands; those that nobody waits for any more are left out."""
        queue = self._queue
        batch = [queue.popleft() for _ in range(min(len(queue), _MOST_AT_ONCE))]
        return [each for each in batch if not each.is_given_up]

    async def _write(
        self, batch: Sequence[_Command], seconds: float, *, is_trial: bool = False
    ) -> bool:
        """Write a batch and settle it; whether it was answered. A trial closes no breaker."""
        if not batch:
            return True
        try:
            async with asyncio.timeout(None) as bound:
                patience = Patience(bound, seconds)
                try:
                    answers = await self._answers(batch)
                finally:
                    patience.end()
        except _FAILURES as error:
            await self._fail(batch, error)
            return False
        except BaseException:
            await self._link.drop()
            self._give_up(batch)
            raise
        if not is_trial and self.breaker.succeed():
            self.complaints.back()
        for command, answer in zip(batch, answers, strict=True):
            self._settle(command, answer)
        return True

    async def _answers(self, batch: Sequence[_Command]) -> list[Any]:
        """Return the answers to a batch. Raises what is refused to everybody."""
        answers = await self._link.answers([each.words for each in batch])
        missing = [at for at, each in enumerate(answers) if isinstance(each, NoScriptError)]
        if missing:
            again = [_with_source(batch[at]) for at in missing]
            for at, answer in zip(missing, await self._link.answers(again), strict=True):
                answers[at] = answer
        for answer in answers:
            if isinstance(answer, ResponseError) and refuses_all(answer):
                raise answer
        return answers

    def _settle(self, command: _Command, answer: Any) -> None:  # noqa: ANN401
        if isinstance(answer, ResponseError):
            self.complaints.refused(answer)
        if command.answer is None or command.answer.done():
            return
        if isinstance(answer, ResponseError):
            command.answer.set_exception(FleetUnavailable(str(answer)))
        else:
            command.answer.set_result(answer)

    async def _fail(self, batch: Sequence[_Command], error: Exception) -> None:
        """Let turns go on without; what was posted waits for Valkey, as far as there is room."""
        await self._link.drop()
        self.breaker.fail(self._clock())
        if self.breaker.is_open:
            self.complaints.away(error)
        self._give_up(batch)

    def _give_up(self, batch: Sequence[_Command] = ()) -> None:
        """Let nobody wait any longer; what was posted and is kept stays."""
        commands = [*batch, *self._queue]
        self._queue.clear()
        posted = [each for each in commands if each.answer is None and each.is_kept]
        self._queue.extend(posted[-_MOST_POSTED:])
        for command in commands:
            if command.answer is not None and not command.answer.done():
                command.answer.set_exception(FleetUnavailable("Valkey is away"))


def _with_source(command: _Command) -> Words:
    """Return the words of a script that Valkey does not know yet."""
    if command.script is None:
        return command.words
    return ("EVAL", command.script.source, *command.words[2:])
