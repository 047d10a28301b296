"""How fast something may be done again: a burst at once, then a steady rate.

Time is an argument, in seconds on one clock.
"""

import math


class Pace:
    """At most `burst` at once and `rate` a second on average (the generic cell rate algorithm)."""

    __slots__ = ("_due", "_interval", "_slack")

    def __init__(self, rate: float, burst: int = 1) -> None:
        self._interval = 1.0 / rate
        self._slack = self._interval * (burst - 1)
        self._due = float("-inf")

    def reserve(self, now: float, longest: float = math.inf) -> float:
        """Return how long to wait for the next place, in seconds; beyond `longest` take none."""
        due = max(self._due, now)
        wait = max(due - self._slack - now, 0.0)
        if wait <= longest:
            self._due = due + self._interval
        return wait
