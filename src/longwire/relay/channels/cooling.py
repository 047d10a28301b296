"""Cool-downs of the whole fleet: what fails here is told, and what fails elsewhere is trusted less.

Law: what another node says makes a route the last choice until a probe of this node is due.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from longwire.core.ports import Tidings
from longwire.relay.channels.channel import RoutingTable
from longwire.relay.channels.state import Part

_KIND: Final = "cooling"
_MOST: Final = 1_000
"""So many routes are looked up at a start; each costs a question."""


class CoolDowns:
    """Tells and hears of cool-downs. `clock` gives seconds, as that of turns does."""

    def __init__(
        self,
        tidings: Tidings,
        routing: RoutingTable,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tidings = tidings
        self._routing = routing
        self._clock = clock
        tidings.hear(_KIND, lambda _node, facts: self._take_over(facts))

    def tell(self, route: str, part: Part, seconds: float, problem: str) -> None:
        """Tell that a part of a route is not trusted for so many seconds, and why."""
        facts = {"route": route, "part": part.value, "seconds": seconds, "problem": problem}
        self._tidings.pin(_KIND, _subject(route, part), facts, max(1, round(seconds)))

    async def recall(self) -> None:
        """Take over what was told before this node was there to hear."""
        routes = [*self._routing.snapshot.channels][:_MOST]
        subjects = [_subject(route, part) for route in routes for part in Part]
        await self._tidings.recall(_KIND, subjects)

    def _take_over(self, facts: Mapping[str, Any]) -> None:
        channel = self._routing.snapshot.channels.get(facts["route"])
        if channel is not None:
            health = channel.state.health_of(Part(facts["part"]))
            health.take_over(self._clock(), float(facts["seconds"]), str(facts["problem"]))


def _subject(route: str, part: Part) -> str:
    return route if part is Part.CHANNEL else f"{route}:{part.value}"
