"""Slows down who guesses passwords or tokens: so many attempts that fail, then a pause.

Law: an attempt counts before its password is looked at, so that many sent at once count in full;
memory is constant. Failures at one address do not lock an account's owner out at another one, up to
a limit.
"""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from longwire.core.errors import LimitReached
from longwire.core.ports import Attempt

WINDOW: Final = 300.0
MOST_HERE: Final = 10
"""Failures for one account from one address."""
MOST_PER_ADDRESS: Final = 50
MOST_PER_ACCOUNT: Final = 100
_REMEMBERED: Final = 10_000

Place = tuple[str, str]
"""An address and an account; an empty one stands for any."""


class LocalThrottle:
    """The attempts of the last five minutes that did not succeed here; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._attempts: OrderedDict[Place, deque[float]] = OrderedDict()

    async def attempt(self, address: str, account: str = "") -> Attempt:
        """Count an attempt. Raises `LimitReached` where there were too many before."""
        places, now = places_of(address, account), self._clock()
        wait = max(self._wait(place, most) for place, most in places.items())
        if wait:
            raise refusal(wait)
        for place, most in places.items():
            self._attempts.setdefault(place, deque(maxlen=most)).append(now)
            self._attempts.move_to_end(place)
        while len(self._attempts) > _REMEMBERED:
            self._attempts.popitem(last=False)
        return _LocalAttempt(self, address, account, now)

    def forgive(self, address: str, account: str, at: float) -> None:
        """Take back an attempt of that time, and forget those for the account from here."""
        for place in places_of(address, account):
            with suppress(KeyError, ValueError):  # it may be forgotten by now
                self._attempts[place].remove(at)
        if account:
            self._attempts.pop((address, account), None)

    def _wait(self, place: Place, most: int) -> float:
        """Return how long until one more attempt is within the limit."""
        attempts, now = self._attempts.get(place, deque()), self._clock()
        while attempts and now - attempts[0] >= WINDOW:
            attempts.popleft()
        return WINDOW - (now - attempts[-most]) if len(attempts) >= most else 0.0


@dataclass(frozen=True, slots=True)
class _LocalAttempt:
    throttle: LocalThrottle
    address: str
    account: str
    at: float

    def succeeded(self) -> None:
        """Take it back, and forget those before for the account from here."""
        self.throttle.forgive(self.address, self.account, self.at)


def refusal(wait: float) -> LimitReached:
    """Return the refusal of an attempt that may be made in so many seconds."""
    msg = "Too many attempts; wait a little, then try again."
    return LimitReached(msg, code="too_many_attempts", retry_after=math.ceil(wait))


def places_of(address: str, account: str) -> dict[Place, int]:
    """Return where an attempt counts, and how many may fail there."""
    if not account:
        return {(address, ""): MOST_PER_ADDRESS}
    return {
        (address, account): MOST_HERE,
        (address, ""): MOST_PER_ADDRESS,
        ("", account): MOST_PER_ACCOUNT,
    }
