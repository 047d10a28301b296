"""Slows down who guesses passwords: so many failures per account and per address, then a pause.

Law: constant memory, and no account is locked for long by somebody who only knows its email.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from longwire.core.errors import LimitReached

WINDOW: Final = 300.0
MOST_PER_ACCOUNT: Final = 10
MOST_PER_ADDRESS: Final = 50
_REMEMBERED: Final = 10_000


class Throttle:
    """Failures of the last five minutes; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def check(self, account: str, address: str) -> None:
        """Raise `LimitReached` where there were too many failures to try again now."""
        waits = (
            self._wait(("account", account), MOST_PER_ACCOUNT),
            self._wait(("address", address), MOST_PER_ADDRESS),
        )
        if any(waits):
            msg = "Too many attempts; wait a little, then try again."
            seconds = math.ceil(max(waits))
            raise LimitReached(msg, code="too_many_attempts", retry_after=seconds)

    def failed(self, account: str, address: str) -> None:
        """Count a failure."""
        for place in (("account", account), ("address", address)):
            self._failures.setdefault(place, deque(maxlen=MOST_PER_ADDRESS)).append(self._clock())
            self._failures.move_to_end(place)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, account: str) -> None:
        """Forget the failures of an account whose owner came in."""
        self._failures.pop(("account", account), None)

    def _wait(self, place: tuple[str, str], most: int) -> float:
        """Return how long until one more failure would be within the limit."""
        failures, now = self._failures.get(place, deque()), self._clock()
        while failures and now - failures[0] >= WINDOW:
            failures.popleft()
        return WINDOW - (now - failures[-most]) if len(failures) >= most else 0.0
