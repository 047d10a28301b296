"""How running channels fare: the trust in them and what is known of their quotas.

It changes with every turn, and goes from snapshot to snapshot with a channel's connections; a
channel that is provisioned anew begins anew.
"""

from dataclasses import dataclass, field

from longwire.core.nouns.quota import QuotaTracker
from longwire.core.rules.health import Cooling, Health

_CHANNEL_COOLING = Cooling(failures=3, base=15.0, longest=600.0)
_WEBSOCKET_COOLING = Cooling(failures=1, base=60.0, longest=3600.0)


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The trust in a channel, that in its WebSocket, and the quota of its account."""

    health: Health = field(default_factory=lambda: Health(_CHANNEL_COOLING))
    websocket_health: Health = field(default_factory=lambda: Health(_WEBSOCKET_COOLING))
    quota: QuotaTracker = field(default_factory=QuotaTracker)
