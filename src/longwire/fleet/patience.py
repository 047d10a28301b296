"""A time-out that counts only the time in which this process was there to wait.

A loop that was held up, by a long turn or for want of a core, finds answers that came meanwhile. A
plain time-out would throw them away, and call a sound server away.
"""

import asyncio
from typing import Final

_STEPS: Final = 5


class Patience:
    """Ends a wait after so many seconds, in steps, each of which counts for no more than itself."""

    __slots__ = ("_bound", "_left", "_loop", "_step", "_timer")

    def __init__(self, bound: asyncio.Timeout, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._bound = bound
        self._step = seconds / _STEPS
        self._left = _STEPS
        self._timer = self._loop.call_later(self._step, self._tick)

    def _tick(self) -> None:
        self._left -= 1
        if self._left:
            self._timer = self._loop.call_later(self._step, self._tick)
        else:
            self._bound.reschedule(self._loop.time())

    def end(self) -> None:
        """Bound nothing any more."""
        self._timer.cancel()
