"""How running channels fare: the trust in them and what is known of their quotas.

It stands beside the snapshot, by the identity of a channel's connections, so that a snapshot is
a value; a channel that is provisioned anew begins anew.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from longwire.core.nouns.quota import QuotaTracker
from longwire.core.rules.health import Cooling, Health

_CHANNEL_COOLING = Cooling(failures=3, base=15.0, longest=600.0)
_UPGRADE_COOLING = Cooling(failures=1, base=60.0, longest=3600.0)


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The trust in a channel, that in its WebSocket, and the quota of its account."""

    health: Health = field(default_factory=lambda: Health(_CHANNEL_COOLING))
    upgrade: Health = field(default_factory=lambda: Health(_UPGRADE_COOLING))
    quota: QuotaTracker = field(default_factory=QuotaTracker)


class ChannelStates:
    """The states of all channels that run, by `Channel.endpoint`."""

    __slots__ = ("_states",)

    def __init__(self) -> None:
        self._states: dict[str, ChannelState] = {}

    def begin(self, endpoint: str, quota: QuotaTracker) -> None:
        """Begin with a channel of which nothing but its quota is known."""
        self._states[endpoint] = ChannelState(quota=quota)

    def of(self, endpoint: str) -> ChannelState:
        """Return how a channel fares; one that has been retired begins anew."""
        state = self._states.get(endpoint)
        if state is None:
            state = self._states[endpoint] = ChannelState()
        return state

    def keep(self, endpoints: Collection[str]) -> None:
        """Forget all channels but these."""
        self._states = {each: held for each, held in self._states.items() if each in endpoints}
