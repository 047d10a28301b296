"""One connection to Valkey, owned by one task: turns queue commands, the task writes them at once.

Law: a turn that is cancelled cancels its future, never an answer half read; and no turn waits
longer than the time-outs allow, however Valkey fails. Redis-py's own defaults cost seconds there.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError

from longwire.core.errors import FleetUnavailable
from longwire.core.rules.breaker import Breaker
from longwire.logger import structlog

_log = structlog.get_logger()
TIMEOUT: Final = 0.05
"""Seconds to connect, and for the answers to what was written at once."""

_LINGER: Final = 0.1
_FAREWELL: Final = 1.0
_MOST_POSTED: Final = 10_000
_MOST_AT_ONCE: Final = 256

Word = str | bytes | int | float
Connect = Callable[[float], AbstractConnection]
"""Gives a connection that is not open yet, whose operations take so many seconds at most."""


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
    words: Sequence[Word]
    answer: "asyncio.Future[Any] | None" = None
    script: Script | None = None


@dataclass(slots=True)
class _Queue:
    """What waits to be written; `posted` is nobody's answer, and goes with the next batch."""

    commands: deque[_Command] = field(default_factory=deque)
    has_some: asyncio.Event = field(default_factory=asyncio.Event)


class Valkey:
    """Commands to one server. `connect` makes its connections; `clock` gives seconds."""

    def __init__(self, connect: Connect, clock: Callable[[], float] = time.monotonic) -> None:
        self._connect = connect
        self._clock = clock
        self._queue = _Queue()
        self._connection: AbstractConnection | None = None
        self.breaker = Breaker()

    @property
    def is_away(self) -> bool:
        """Whether nobody is asked now: it failed lately."""
        return self.breaker.is_open(self._clock())

    async def call(self, *words: Word) -> Any:  # noqa: ANN401 - a command answers what it will
        """Return what Valkey answers to a command. Raises `FleetUnavailable`."""
        return await self._ask(_Command(words))

    async def run(self, script: Script, keys: Sequence[str], *arguments: Word) -> Any:  # noqa: ANN401
        """Return what a script answers. Raises `FleetUnavailable`."""
        words = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        return await self._ask(_Command(words, script=script))

    def post(self, *words: Word) -> None:
        """Have a command written with the next ones, or soon. Never waits, never fails."""
        self._post(_Command(words))

    def post_run(self, script: Script, keys: Sequence[str], *arguments: Word) -> None:
        """Have a script run with the next commands, or soon. Never waits, never fails."""
        self._post(_Command(("EVALSHA", script.sha, len(keys), *keys, *arguments), script=script))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the task that owns the connection run."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._write_on())
            try:
                yield
            finally:
                task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                await self._write_out()
        await self._drop()

    async def _ask(self, command: _Command) -> Any:  # noqa: ANN401
        if self.is_away:
            raise FleetUnavailable("Valkey is away")
        command.answer = asyncio.get_running_loop().create_future()
        self._queue.commands.append(command)
        self._queue.has_some.set()
        return await command.answer

    def _post(self, command: _Command) -> None:
        queue = self._queue
        if len(queue.commands) >= _MOST_POSTED:
            return
        queue.commands.append(command)
        if not queue.has_some.is_set() and len(queue.commands) == 1:
            asyncio.get_running_loop().call_later(_LINGER, queue.has_some.set)

    async def _write_on(self) -> None:
        while True:
            await self._queue.has_some.wait()
            self._queue.has_some.clear()
            await self._write_out()

    async def _write_out(self) -> None:
        """Write what waits, as far as Valkey is there."""
        while self._queue.commands and not self.is_away:
            await self._write_batch()

    async def _write_batch(self) -> None:
        commands = self._queue.commands
        batch = [commands.popleft() for _ in range(min(len(commands), _MOST_AT_ONCE))]
        try:
            async with asyncio.timeout(2 * TIMEOUT):
                answers = await self._answers([each.words for each in batch])
                await self._load_missing(batch, answers)
        except (OSError, TimeoutError, RedisError) as error:
            await self._fail(batch, error)
        else:
            self.breaker.succeed()
            for command, answer in zip(batch, answers, strict=True):
                _settle(command, answer)

    async def _answers(self, batch: Sequence[Sequence[Word]]) -> list[Any]:
        """Write commands at once and read their answers, errors of commands among them."""
        connection = self._connection
        if connection is None or not connection.is_connected:
            connection = self._connection = self._connect(TIMEOUT)
            await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_packed_command(connection.pack_commands(batch), check_health=False)
        answers: list[Any] = []
        for _ in batch:
            try:
                answers.append(await connection.read_response())
            except ResponseError as error:
                answers.append(error)
        return answers

    async def _load_missing(self, batch: list[_Command], answers: list[Any]) -> None:
        """Run the scripts again that Valkey did not know, with their text."""
        missing = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        again: list[Sequence[Word]] = []
        for at in missing:
            script, words = batch[at].script, batch[at].words
            if script is not None:
                again.append(("EVAL", script.source, *words[2:]))
        if again:
            for at, answer in zip(missing, await self._answers(again), strict=True):
                answers[at] = answer

    async def _fail(self, batch: list[_Command], error: Exception) -> None:
        """Let turns go on without; what was posted waits for Valkey, as far as there is room."""
        await self._drop()
        if self.breaker.fail(self._clock()):
            _log.warning("valkey_away", reason=str(error) or type(error).__name__)
        commands = self._queue.commands
        posted = [each for each in (*batch, *commands) if each.answer is None]
        for command in (*batch, *commands):
            if command.answer is not None and not command.answer.done():
                command.answer.set_exception(FleetUnavailable("Valkey is away"))
        commands.clear()
        commands.extend(posted[-_MOST_POSTED:])
        loop = asyncio.get_running_loop()
        loop.call_later(self.breaker.rests(self._clock()), self._queue.has_some.set)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, RedisError):
                await connection.disconnect(nowait=True)


def _settle(command: _Command, answer: Any) -> None:  # noqa: ANN401
    if command.answer is None or command.answer.done():
        return
    if isinstance(answer, Exception):
        command.answer.set_exception(FleetUnavailable(str(answer)))
    else:
        command.answer.set_result(answer)
