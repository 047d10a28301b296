"""What the second floor gives to the floors above, where a fleet serves it as well as one process.

The nouns and rules are those of `core`; whoever waits for something shared waits a bounded time.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from longwire.core.rules.limits import NOTHING, Spent, Subject


class Limits(Protocol):
    """Counts turns and what they cost, by subject."""

    async def enter(self, subject: Subject, expected: Spent = NOTHING) -> Mapping[str, str]:
        """Admit a turn, and return headers that tell what is left. Raises `LimitReached`.

        Until it leaves, it counts as what it is expected to cost.
        """

    async def leave(self, subject: Subject, spent: Spent, expected: Spent = NOTHING) -> None:
        """Count what an admitted turn cost in place of what was expected; each leaves once."""

    def correct(self, subject: Subject, by: Spent) -> None:
        """Count what the estimate that a turn left with was off by; it never waits."""

    async def wait(self, subject: Subject) -> int:
        """Return in how many seconds a turn could be admitted, 0 for now."""

    def set_spent(self, subject_id: str, now: float, day: Spent, month: Spent) -> None:
        """Take over what day and month of a subject had cost at a time, in all processes."""


class Throttle(Protocol):
    """Slows down who guesses passwords or tokens; an attempt that fails counts for minutes."""

    async def attempt(self, address: str, account: str = "") -> None:
        """Count an attempt. Raises `LimitReached` where there were too many before.

        Tokens that are guessed have no account.
        """

    async def succeeded(self, address: str, account: str = "") -> None:
        """Take the last attempt back, and forget those for the account from here."""


Hear = Callable[[str, Mapping[str, Any]], None]
"""Takes what a node, by its name, has told."""


class Tidings(Protocol):
    """What nodes tell each other: nobody relies on it, and who misses one does as if alone."""

    def tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Tell the other nodes. Never waits, never fails."""

    def hear(self, kind: str, hear: Hear) -> None:
        """Have each of a kind that another node tells taken, from now on."""
