"""How channels fare at all nodes: what one of them has found out by failing, the others may not."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from longwire.core.rules.health import Health
from longwire.fleet.asking import Asking, LatestAnswers
from longwire.relay.channels.channel import Channel
from longwire.server.fleet_sessions import FleetSessions

_KIND: Final = "health"


class Trust(Enum):
    """Whether turns go there, from the best to the worst."""

    SOUND = "sound"
    FAILING = "failing"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Fare:
    """How a channel does at one node; None for what does not run. `problem` is why it failed."""

    channel: Trust | None = None
    websocket: Trust | None = None
    connections: int = 0
    problem: str = ""


class FleetHealth:
    """How channels fare here and elsewhere; `running` gives a channel as it runs, `ids` theirs."""

    def __init__(
        self,
        running: Callable[[str], Sequence[Channel]],
        ids: Callable[[], Collection[str]],
        sessions: FleetSessions,
        asking: Asking,
    ) -> None:
        self.running = running
        self._ids = ids
        self._sessions = sessions
        self._node = asking.node
        self._others = LatestAnswers(asking, _KIND)
        asking.answer(_KIND, lambda _: msgspec.to_builtins(self._own(self._ids())))

    async def of(self, channel_id: str) -> Mapping[str, Fare]:
        """Return how a channel fares, by node; nodes that do not answer are left out."""
        own = {self._node: self._own([channel_id])[channel_id]}
        answers = await self._others.get()
        others = {node: _read(fares.get(channel_id)) for node, fares in answers.by_node.items()}
        return own | others

    def _own(self, ids: Collection[str]) -> dict[str, Fare]:
        connections = self._sessions.live.of_channels()
        return {each: _fare(self.running(each), connections[each]) for each in ids}


def worst(fares: Collection[Fare]) -> Fare:
    """Return how a channel does where it does worst, with its connections at all nodes."""
    return Fare(
        _worst(fare.channel for fare in fares),
        _worst(fare.websocket for fare in fares),
        sum(fare.connections for fare in fares),
        next((fare.problem for fare in fares if fare.problem), ""),
    )


def _worst(found: Iterable[Trust | None]) -> Trust | None:
    order = list(Trust)
    return max((each for each in found if each is not None), key=order.index, default=None)


def _read(fare: object) -> Fare:
    """Return what another node tells of a channel; one of another version may say it otherwise."""
    try:
        return msgspec.convert(fare, Fare)
    except msgspec.ValidationError:
        return Fare()


def _fare(running: Sequence[Channel], connections: int) -> Fare:
    healths = [each for one in running for each in (one.state.health, one.state.websocket_health)]
    return Fare(
        _best(each.state.health for each in running),
        _best(each.state.websocket_health for each in running if each.websocket is not None),
        connections,
        next((each.problem for each in healths if each.problem), ""),
    )


def _best(healths: Iterable[Health]) -> Trust | None:
    """Return the trust in the best of them: where an account serves, the channel does."""
    now = time.monotonic()
    found = {trust_of(health, now) for health in healths}
    return next((trust for trust in Trust if trust in found), None)


def trust_of(health: Health, now: float) -> Trust:
    """Return whether turns go to an endpoint, and whether they did well."""
    if health.is_sound:
        return Trust.SOUND
    return Trust.FAILING if health.is_trusted(now) else Trust.RESTING
