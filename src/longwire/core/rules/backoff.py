"""How fast something may be done again: a burst at once, then a steady rate.

Time is an argument, in seconds on one clock.
"""


class Pace:
    """At most `burst` at once and `rate` a second on average (the generic cell rate algorithm)."""

    __slots__ = ("_due", "_interval", "_slack")

    def __init__(self, rate: float, burst: int = 1) -> None:
        self._interval = 1.0 / rate
        self._slack = self._interval * (burst - 1)
        self._due = float("-inf")

    def reserve(self, now: float) -> float:
        """Take the next place; return how long to wait for it, in seconds."""
        due = max(self._due, now)
        self._due = due + self._interval
        return max(due - self._slack - now, 0.0)
