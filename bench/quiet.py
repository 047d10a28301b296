"""Turns that run together, and now and then one that has to be alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Quiet:
    """Lets turns run together, or one alone."""

    def __init__(self) -> None:
        self._door = asyncio.Lock()
        self._running = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Run beside others, once nobody is alone."""
        async with self._door:
            self._running += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let nobody else begin, and wait until all others have ended."""
        async with self._door:
            await self._empty.wait()
            yield
