"""How far a channel, or its WebSocket, is trusted after it failed: cool down, probe, recover.

Law: one probe at a time after a cool-down, each failed one doubles the next; one success forgets
all. Time is an argument, in seconds on one clock.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Cooling:
    """After `failures` in a row wait `base` seconds, then twice as long, up to `longest`."""

    failures: int = 1
    base: float = 60.0
    longest: float = 3600.0


class Rest(Enum):
    """Why something rests."""

    FAILURES = "failures"
    RETRY_AFTER = "retry_after"
    ELSEWHERE = "elsewhere"
    LIMIT = "limit"
    SIGN_IN = "sign_in"


class Health:
    """The trust in one endpoint; `problem` is why it failed last, "" while it is sound.

    It rests for the reason `why`, `since` it was first not trusted after it last succeeded, `until`
    a probe is due; these are 0 while it never rested.
    """

    __slots__ = ("_cooling", "_failures", "_probes_since", "problem", "since", "until", "why")

    def __init__(self, cooling: Cooling) -> None:
        self._cooling = cooling
        self._failures = 0
        self._probes_since: float | None = None
        self.since = self.until = 0.0
        self.why = Rest.FAILURES
        self.problem = ""

    def __repr__(self) -> str:
        return f"<Health failures={self._failures} until={self.until:g}>"

    @property
    def is_sound(self) -> bool:
        """Whether it has not failed since it last succeeded."""
        return self._failures == 0

    def is_trusted(self, now: float) -> bool:
        """Whether to use it: always, until it failed; then for one probe after the cool-down."""
        if now < self.until:
            return False
        return self._probes_since is None or now >= self._probes_since + self._cooling.base

    def rests_for(self, now: float) -> float:
        """Return for how many seconds more it is not used; 0 where it is, or is being probed."""
        return max(0.0, self.until - now)

    def begin(self, now: float) -> None:
        """Note that it is being used; after a cool-down this is the probe."""
        if self._failures >= self._cooling.failures:
            self._probes_since = now

    def succeed(self) -> None:
        """Trust it again."""
        self._failures, self._probes_since, self.since, self.until = 0, None, 0.0, 0.0
        self.problem = ""

    def fail(self, now: float, retry_after: float | None = None, problem: str = "") -> float:
        """Note a failure; `retry_after` in seconds is what the upstream demands.

        Returns for how many seconds it is not to be trusted now.
        """
        self.problem = problem
        self._failures += 1
        self._probes_since = None
        excess = self._failures - self._cooling.failures
        if excess >= 0:
            wait = min(self._cooling.base * 2 ** min(excess, 30), self._cooling.longest)
            self._rest(now, now + wait, Rest.FAILURES)
        if retry_after:
            self._rest(now, now + min(retry_after, self._cooling.longest), Rest.RETRY_AFTER)
        return max(0.0, self.until - now)

    def take_over(self, now: float, seconds: float, problem: str) -> None:
        """Note that it failed elsewhere, and is not trusted there for so many seconds.

        Here it is not until a first probe is due: that shows whether it fails here, too.
        """
        self._failures = max(self._failures, self._cooling.failures)
        self._rest(now, now + min(seconds, self._cooling.base), Rest.ELSEWHERE)
        self.problem = self.problem or problem

    def _rest(self, now: float, until: float, why: Rest) -> None:
        if until > self.until:
            self.since, self.until, self.why = self.since or now, until, why
