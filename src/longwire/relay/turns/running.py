"""A turn on its way, with what stays the same over all its attempts; and how turns travel."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from longwire.core.rules.session import fingerprint
from longwire.core.rules.turn import Principal, SessionKey, Turn
from longwire.dialects.responses.call import renamed
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.vendors.codex import as_sent

Price = Callable[..., int | None]
"""What tokens cost by the first of the models, in billionths of a US dollar, None if unknown."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How turns travel, as set, and what the pool tells of a session and its turn.

    `holds`: a connection may serve it; `continues`: an idle one holds its history. `price` gives
    what tokens of the first model that has a price cost, in billionths of a US dollar.
    """

    holds: Callable[[SessionKey, Turn], bool]
    replays_after_created: bool = False
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    continues: Callable[[SessionKey, Turn], bool] = lambda _key, _turn: False
    price: Price = lambda *_: None


@dataclass(frozen=True, slots=True)
class Passage:
    """What stays the same over all attempts of a turn; `given` are all headers of the caller."""

    turn: Turn
    caller: Principal
    session: str
    headers: Mapping[str, str]
    given: Mapping[str, str] = field(default_factory=dict)
    _sent: dict[str, Turn] = field(default_factory=dict)

    def key(self, channel: Channel) -> SessionKey | None:
        """Return the key under which this turn may share connections of a channel."""
        if self.caller.scope is None:
            return None
        identity = fingerprint(self.headers.items())
        return SessionKey(channel.endpoint, self.caller.scope, self.session, identity)

    def sent(self, channel: Channel) -> Turn:
        """Return the turn as a channel sends it, made once for each channel."""
        known = self._sent.get(channel.id)
        if known is None:
            known = as_sent(channel, renamed(self.turn, channel.renames))
            self._sent[channel.id] = known
        return known

    @property
    def conversation(self) -> tuple[str | None, str]:
        """Return what stays the same from turn to turn, whatever channel serves it."""
        return self.caller.scope, self.session or self.turn.history.opening
