"""How channels fare at all nodes: what one of them has found out by failing, the others may not."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import msgspec

from longwire.core.rules.health import Health, Rest
from longwire.fleet.asking import Asking, LatestAnswers
from longwire.relay.channels.channel import Channel
from longwire.relay.records.last_failures import ChannelFailure, LastFailures
from longwire.server.fleet_sessions import FleetSessions

HEALTH: Final = "health"
"""The kind of the question that nodes are asked."""


class Trust(Enum):
    """Whether turns go there, from the best to the worst."""

    SOUND = "sound"
    FAILING = "failing"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Resting:
    """That nothing is sent there: why, since and until when in ms since 1970 UTC, None unknown."""

    why: Rest
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Fare:
    """How a channel does at one node; None for what does not run.

    `problem` is why it failed, and `cause` the failure itself, while it is not sound;
    `last_failure` is there after it has recovered, too. `resting_keys` are those of its several
    keys that rest, by their ids.
    """

    channel: Trust | None = None
    websocket: Trust | None = None
    connections: int = 0
    problem: str = ""
    resting: Resting | None = None
    websocket_resting: Resting | None = None
    cause: ChannelFailure | None = None
    last_failure: ChannelFailure | None = None
    resting_keys: Mapping[str, Resting] = field(default_factory=dict)


class FleetHealth:
    """How channels fare here and elsewhere; `running` gives a channel as it runs, `ids` theirs."""

    def __init__(
        self,
        running: Callable[[str], Sequence[Channel]],
        ids: Callable[[], Collection[str]],
        sessions: FleetSessions,
        asking: Asking,
        failures: LastFailures | None = None,
    ) -> None:
        self.running = running
        self._ids = ids
        self._sessions = sessions
        self._failures = failures or LastFailures()
        self._node = asking.node
        self._others = LatestAnswers(asking, HEALTH)
        asking.answer(HEALTH, lambda _: self.own())

    def own(self) -> object:
        """Return how all channels fare here, by their ids, as other nodes are answered."""
        return msgspec.to_builtins(self._own(self._ids()))

    async def of(self, channel_id: str) -> Mapping[str, Fare]:
        """Return how a channel fares, by node; nodes that do not answer are left out."""
        own = {self._node: self._own([channel_id])[channel_id]}
        answers = await self._others.get()
        others = {node: fare_of(fares.get(channel_id)) for node, fares in answers.by_node.items()}
        return own | others

    def _own(self, ids: Collection[str]) -> dict[str, Fare]:
        connections = self._sessions.live.of_channels()
        return {each: self._fare(each, connections[each]) for each in ids}

    def _fare(self, channel_id: str, connections: int) -> Fare:
        running, failed = self.running(channel_id), self._failures.of(channel_id)
        healths = [each.state.health for each in running]
        wires = [each.state.websocket_health for each in running if each.websocket is not None]
        # Without HTTP beside it a WebSocket that fails is tried by every turn: it does not rest.
        spared = [
            each.state.websocket_health
            for each in running
            if each.websocket is not None and each.http is not None
        ]
        wire = _best(wires)
        clocks = time.monotonic(), time.time()
        problem = next((each.problem for each in (*healths, *wires) if each.problem), "")
        return Fare(
            _best(healths),
            Trust.FAILING if wire is Trust.RESTING and not spared else wire,
            connections,
            problem,
            _unavailable(running, clocks[1]) or resting_of(healths, *clocks),
            resting_of(spared, *clocks),
            failed.blamed if problem else None,
            failed.last,
            _resting_keys(running, *clocks),
        )


def worst(fares: Collection[Fare]) -> Fare:
    """Return how a channel does where it does worst, with its connections at all nodes."""
    order = [None, *Trust]
    least = max(fares, key=lambda each: order.index(each.channel), default=Fare())
    failures = [fare.last_failure for fare in fares if fare.last_failure]
    return Fare(
        least.channel,
        _worst(fare.websocket for fare in fares),
        sum(fare.connections for fare in fares),
        least.problem or next((fare.problem for fare in fares if fare.problem), ""),
        least.resting or next((fare.resting for fare in fares if fare.resting), None),
        next((fare.websocket_resting for fare in fares if fare.websocket_resting), None),
        least.cause or next((fare.cause for fare in fares if fare.cause), None),
        max(failures, key=lambda each: each.at, default=None),
    )


def fare_of(answer: object) -> Fare:
    """Return what another node says of a channel; one of another version may say it otherwise."""
    try:
        return msgspec.convert(answer, Fare)
    except msgspec.ValidationError:
        return Fare()


def _worst(found: Iterable[Trust | None]) -> Trust | None:
    order = list(Trust)
    return max((each for each in found if each is not None), key=order.index, default=None)


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


def resting_of(healths: Sequence[Health], now: float, wall: float) -> Resting | None:
    """Return why all of them rest, and for how long the first of them; None where one does not."""
    if not healths or any(now >= each.until for each in healths):
        return None
    first = min(healths, key=lambda each: each.until)
    since, until = (round((wall + at - now) * 1000) for at in (first.since, first.until))
    return Resting(first.why, since, until)


def _resting_keys(running: Sequence[Channel], now: float, wall: float) -> dict[str, Resting]:
    pairs = ((each.key, resting_of([each.state.health], now, wall)) for each in running)
    return {key.id: rests for key, rests in pairs if key is not None and rests is not None}


def _unavailable(running: Sequence[Channel], now: float) -> Resting | None:
    """Return why none of a channel's accounts can be used; None where one can, or it has none."""
    accounts = [each for each in running if each.account is not None]
    if not accounts or len(accounts) < len(running):
        return None
    signed_in = [each for each in accounts if not each.is_signed_out()]
    if not signed_in:
        return Resting(Rest.SIGN_IN)
    quotas = [each.state.quota.quota for each in signed_in]
    ends = [until for each in quotas if (until := each.blocked_until(now)) is not None]
    if len(ends) < len(quotas):
        return None
    seen = min(each.seen_at for each in quotas)
    return Resting(Rest.LIMIT, round(seen * 1000), round(min(ends) * 1000))
