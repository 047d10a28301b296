"""Whether something that failed is asked again: a circuit breaker.

Law: after `_FAILURES` failures in a row it is open, and stays so until a probe succeeds: one at a
time, the next after a rest that doubles up to a bound. Times are arguments, in seconds.
"""

from typing import Final

_FAILURES: Final = 3
_BASE: Final = 0.5
_LONGEST: Final = 5.0
_MOST_DOUBLINGS: Final = 10


class Breaker:
    """Counts failures in a row; while it `is_open`, nobody asks but who probes."""

    __slots__ = ("_failures", "_until")

    def __init__(self) -> None:
        self._failures = 0
        self._until = float("-inf")

    def __repr__(self) -> str:
        return f"<Breaker failures={self._failures} is_open={self.is_open}>"

    @property
    def is_open(self) -> bool:
        """Whether nobody is to ask."""
        return self._failures >= _FAILURES

    def rests(self, now: float) -> float:
        """Return after how many seconds the next probe is due; 0 where asking is free."""
        return max(0.0, self._until - now)

    def succeed(self) -> bool:
        """Count a success; whether it is the one by which others ask again."""
        was_open, self._failures, self._until = self.is_open, 0, float("-inf")
        return was_open

    def fail(self, now: float) -> None:
        """Count a failure."""
        self._failures += 1
        beyond = self._failures - _FAILURES
        if beyond >= 0:
            self._until = now + min(_LONGEST, _BASE * 2.0 ** min(beyond, _MOST_DOUBLINGS))

    def suspect(self) -> None:
        """Let the next failure be the one by which others stop asking."""
        self._failures = max(self._failures, _FAILURES - 1)
