"""A form that a client sends: kept while it arrives, so that each attempt reads it from its start.

Law: what is in memory of it is bounded, whatever its size: the rest lies in a temporary file. No
byte is read from here that was not looked at before, so that a bad form never goes out whole.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from longwire.core.errors import BodyTooLarge, LongwireError, Overloaded
from longwire.dialects.passed_apis.form import Form
from longwire.dialects.passed_apis.request import streams_in

IN_MEMORY: Final = 256 * 1024
"""How many bytes of a form are kept in memory before a file is begun."""

_CHUNK: Final = 64 * 1024
_NO_ROOM: Final = "There is no room to keep the upload; free space in the folder TMPDIR names."
_RETRY_AFTER: Final = 60


class Spool:
    """The bytes of one form as far as they have come; close it at the end.

    `size` is what has come, `is_complete` whether that is all, `failure` what was wrong with it.
    """

    def __init__(self, form: Form, limit: int) -> None:
        self._form = form
        self._limit = limit
        self._memory = bytearray()
        self._file = -1
        self._arrival = asyncio.Event()
        self.size = 0
        self.is_complete = False
        self.failure: LongwireError | None = None

    def append(self, chunk: bytes) -> None:
        """Keep the next bytes. Raises `BodyTooLarge`, `InvalidRequest` or `Overloaded`."""
        if self.size + len(chunk) > self._limit:
            raise BodyTooLarge(self._limit)
        self._form.feed(chunk)
        try:
            self._keep(chunk)
        except OSError as error:
            raise Overloaded(_NO_ROOM, _RETRY_AFTER) from error
        self.size += len(chunk)
        self._wake()

    def _keep(self, chunk: bytes) -> None:
        # Not in a thread: a write to the system's cache of pages is shorter than the way there.
        if self._file < 0 and len(self._memory) + len(chunk) <= IN_MEMORY:
            self._memory += chunk
            return
        if self._file < 0:
            self._file, path = tempfile.mkstemp(prefix="longwire-")
            Path(path).unlink()
            _write(self._file, bytes(self._memory), 0)
            self._memory.clear()
        _write(self._file, chunk, self.size)

    def end(self) -> None:
        """Note that it is complete. Raises `InvalidRequest` where it is cut."""
        self._form.end()
        self.is_complete = True
        self._wake()

    def fail(self, failure: LongwireError) -> None:
        """Note that it cannot be served: who reads it gets that."""
        self.failure = failure
        self._wake()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for enough of it. Raises what was wrong with it."""
        while True:
            if self.failure is not None:
                raise self.failure
            if self.is_complete or is_so():
                return
            await self._arrival.wait()

    def _wake(self) -> None:
        """Let go on who waits for more; whoever waits next waits for what comes after."""
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Give the bytes of a range, as they arrive."""
        while start < end:
            await self.until(lambda at=start: self.size > at)  # type: ignore[misc] # bound at once
            chunk = self._at(start, min(start + _CHUNK, end, self.size))
            start += len(chunk)
            yield chunk

    def _at(self, start: int, end: int) -> bytes:
        if self._file < 0:
            return bytes(self._memory[start:end])
        return os.pread(self._file, end - start, start)

    def close(self) -> None:
        """Forget it, and its file."""
        self._memory.clear()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _write(file: int, content: bytes, at: int) -> None:
    rest = memoryview(content)
    while rest:
        written = os.pwrite(file, rest, at)
        rest, at = rest[written:], at + written


@dataclass(frozen=True, slots=True)
class SpooledForm:
    """A form of `size` bytes as it goes upstream, its field for the model with another value.

    It is there as soon as that field is, while the rest may still come.
    """

    spool: Spool
    form: Form
    size: int
    model: bytes | None = None

    @property
    def failure(self) -> LongwireError | None:
        """Why it cannot be read to its end, if it cannot."""
        return self.spool.failure

    @property
    def streams(self) -> bool:
        """Whether it asks for an answer as it is made, as far as it has come."""
        return streams_in(self.form)

    def naming(self, model: str) -> "SpooledForm":
        """Return the same form with another value in its field for the model."""
        return SpooledForm(self.spool, self.form, self.size, model.encode())

    def __len__(self) -> int:
        """Return how many bytes go out."""
        before = self.form.fields["model"].value
        return self.size + (0 if self.model is None else len(self.model) - len(before))

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give it from its beginning, as it arrives. Raises `LongwireError`."""
        field = self.form.fields["model"]
        async for chunk in self.spool.read(0, field.start):
            yield chunk
        yield field.value if self.model is None else self.model
        async for chunk in self.spool.read(field.start + len(field.value), self.size):
            yield chunk
        # The last bytes were let go with their check; but it must be whole, too.
        await self.spool.until(lambda: False)
