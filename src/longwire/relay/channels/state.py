"""How running channels fare: the trust in them and what is known of their quotas.

It changes with every turn, and goes from snapshot to snapshot with a channel's connections; a
channel that is provisioned anew begins anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from longwire.core.nouns.quota import QuotaTracker
from longwire.core.rules.health import Cooling, Health

_CHANNEL_COOLING = Cooling(failures=3, base=15.0, longest=600.0)
_WEBSOCKET_COOLING = Cooling(failures=1, base=60.0, longest=3600.0)


class Part(Enum):
    """What of a channel is trusted by itself."""

    CHANNEL = "channel"
    WEBSOCKET = "websocket"


TellCooling = Callable[[Part, float, str], None]
"""Takes what cools down, for how many seconds, and why."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The trust in a channel, that in its WebSocket, and the quota of its account.

    Where one of them cools down, `tell_cooling` is called.
    """

    health: Health = field(default_factory=lambda: Health(_CHANNEL_COOLING))
    websocket_health: Health = field(default_factory=lambda: Health(_WEBSOCKET_COOLING))
    quota: QuotaTracker = field(default_factory=QuotaTracker)
    tell_cooling: TellCooling = lambda *_: None

    def health_of(self, part: Part) -> Health:
        """Return the trust in a part."""
        return self.health if part is Part.CHANNEL else self.websocket_health

    def fail(
        self, part: Part, now: float, retry_after: float | None = None, problem: str = ""
    ) -> None:
        """Note a failure of a part; `retry_after` in seconds is what the upstream demands."""
        seconds = self.health_of(part).fail(now, retry_after, problem)
        if seconds:
            self.tell_cooling(part, seconds, problem)
