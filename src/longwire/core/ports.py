"""What the second floor gives to the floors above, where a fleet serves it as well as one process.

The nouns and rules are those of `core`; whoever waits for something shared waits a bounded time.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from longwire.core.rules.homes import HomeKey
from longwire.core.rules.limits import NOTHING, Permit, Spent, Subject


class Limits(Protocol):
    """Counts turns and what they cost, by subject."""

    async def enter(self, subject: Subject, expected: Spent = NOTHING) -> Permit:
        """Admit a turn. Raises `LimitReached`.

        Until it leaves, it counts as what it is expected to cost.
        """

    def leave(self, permit: Permit, spent: Spent) -> None:
        """Count what an admitted turn cost in place of what was expected; each leaves once."""

    def correct(self, permit: Permit, by: Spent) -> None:
        """Count what the estimate that a turn left with was off by, once."""

    async def waits(self, subjects: Collection[Subject]) -> Mapping[str, int]:
        """Return in how many seconds a turn could be admitted, by the ids of those that refuse."""

    def spent(self, subject: Subject) -> Sequence[Spent]:
        """Return what each period of a subject cost, as this process knows."""

    def set_spent(
        self, subject: Subject, now: float, *sums: Spent, before: Sequence[Spent] | None = None
    ) -> None:
        """Take over what each period of a subject had cost at a time, in all processes.

        With `before`, what was `spent` when all of that was in the sums, they may be less.
        """


class Attempt(Protocol):
    """An attempt to sign in, which counts as one that failed until it has succeeded."""

    def succeeded(self) -> None:
        """Take it back, and forget those before for the account from here.

        Never waits, never fails.
        """


class Throttle(Protocol):
    """Slows down who guesses passwords or tokens; an attempt that fails counts for minutes."""

    async def attempt(self, address: str, account: str = "") -> Attempt:
        """Count an attempt. Raises `LimitReached` where there were too many before.

        Tokens that are guessed have no account.
        """


REVISION: Final = "revision"
"""The kind of tiding that says: what the store holds has changed, look at once."""

Hear = Callable[[str, Mapping[str, Any]], None]
"""Takes what a node, by its name, has told; of what was recalled the name is not known.

A lookup, type or value that fails is that of another version's facts: they are passed over.
"""


class Tidings(Protocol):
    """What nodes tell each other: nobody relies on it, and who misses one does as if alone."""

    def tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Tell the other nodes. Never waits, never fails."""

    def hear(self, kind: str, hear: Hear) -> None:
        """Have each of a kind that another node tells taken, from now on."""

    def pin(self, kind: str, subject: str, facts: Mapping[str, Any], lasts: int) -> None:
        """Tell the other nodes what lasts so many seconds, those too that start meanwhile."""

    async def recall(self, kind: str, subjects: Collection[str]) -> None:
        """Have taken what was pinned last of these subjects and still lasts."""

    def claim(self, session: str, lasts: int) -> None:
        """Say that a session, by its digest, is served here: who served it hears that it `moved`.

        It is forgotten after so many seconds. Never waits, never fails.
        """


class SharedHomes(Protocol):
    """Where sessions are at home, as all nodes know it; who cannot be asked knows nothing."""

    async def find(self, key: HomeKey) -> str | None:
        """Return a home, None where it is not known."""

    def keep(self, key: HomeKey, home: str, *, has_moved: bool) -> None:
        """Write a home soon. Never waits, never fails."""

    def hear(self, moved: Callable[[bytes, str], None]) -> None:
        """Have each digest and home taken that another node says has moved, from now on."""


class Pacer(Protocol):
    """Tells when something may be done again."""

    async def reserve(self, longest: float = math.inf) -> float:
        """Return how long to wait for the next place, in seconds; beyond `longest` take none.

        A place that is not used need not be given back.
        """


class Paces(Protocol):
    """Gives pacers; those of one route, on whichever node, are one."""

    def of(self, route: str, rate: float, burst: int = 1) -> Pacer:
        """Return what paces a route: at most `burst` at once and `rate` a second."""
