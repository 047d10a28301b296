"""Whether something that failed is asked again: a circuit breaker.

Law: after `_FAILURES` failures in a row nobody asks for a while, which doubles with each further
failure up to a bound; then one may try. Times are arguments, in seconds on one clock.
"""

from typing import Final

_FAILURES: Final = 3
_BASE: Final = 0.5
_LONGEST: Final = 5.0


class Breaker:
    """Counts failures in a row, and says how long to ask nobody."""

    __slots__ = ("_failures", "_until")

    def __init__(self) -> None:
        self._failures = 0
        self._until = float("-inf")

    def is_open(self, now: float) -> bool:
        """Whether nobody is to ask."""
        return now < self._until

    def rests(self, now: float) -> float:
        """Return for how many seconds nobody is to ask yet."""
        return max(0.0, self._until - now)

    def succeed(self) -> None:
        """Count a success."""
        self._failures = 0

    def fail(self, now: float) -> bool:
        """Count a failure; whether it is the one by which others stopped asking."""
        self._failures += 1
        beyond = self._failures - _FAILURES
        if beyond >= 0:
            self._until = now + min(_LONGEST, _BASE * 2.0**beyond)
        return beyond == 0
