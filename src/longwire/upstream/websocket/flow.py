"""Flow control of one connection: messages that wait for their reader, a sender for its socket.

Neither does I/O: whoever owns the socket pauses it, and says when it takes no more.
"""

import asyncio
from collections.abc import Sequence

HIGH_WATER = 256 * 1024
"""Bytes that may wait for a reader before the socket is to be read no more."""


class ReceiveQueue:
    """Messages in order of arrival, for one reader; `size` in bytes.

    `waiter` is the reader's, while it waits: a plain attribute, since it is read for every event.
    """

    __slots__ = ("_deadline", "_loop", "_timer", "messages", "size", "waiter")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self.messages: list[bytes] = []
        self.size = 0
        self.waiter: asyncio.Future[None] | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether a reader waits, and nothing has woken it yet."""
        return self.waiter is not None and not self.waiter.done()

    def put(self, messages: Sequence[bytes]) -> None:
        """Queue messages, and wake the reader."""
        self.messages += messages
        self.size += sum(map(len, messages))
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def take(self) -> list[bytes]:
        """Return all that is queued, and queue it no longer."""
        messages, self.messages, self.size = self.messages, [], 0
        return messages

    async def wait(self, seconds: float) -> None:
        """Wait until something is queued, or `wake` is called, or for so many seconds."""
        self.waiter = self._loop.create_future()
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            self._watch_deadline()
        try:
            await self.waiter
        finally:
            self.waiter = None

    def wake(self) -> None:
        """Let the reader go on, if it waits."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def _watch_deadline(self) -> None:
        """Wake the reader at its deadline: one timer serves many waits, each of which moves it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.waiter is None:
            return
        if self._loop.time() >= self._deadline:
            self.wake()
        else:
            self._timer = self._loop.call_at(self._deadline, self._watch_deadline)


class WriteFlow:
    """Whether the socket takes more bytes; it has room in its own buffer for those of one write."""

    __slots__ = ("_waiter", "is_paused")

    def __init__(self) -> None:
        self._waiter: asyncio.Future[bool] | None = None
        self.is_paused = False

    def pause(self) -> None:
        """Note that the socket takes no more for now."""
        self.is_paused = True

    def resume(self, *, took_all: bool) -> None:
        """Note that the socket took what was written, or that it never will."""
        self.is_paused = False
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(took_all)

    async def drain(self, seconds: float) -> bool:
        """Wait while it is paused; return False if the socket never took what was written.

        Raises `TimeoutError` after so many seconds.
        """
        if not self.is_paused:
            return True
        self._waiter = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(seconds):
            return await self._waiter
