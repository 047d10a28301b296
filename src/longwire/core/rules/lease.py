"""The values of lending: limits, what a request for a connection is answered, an entry of the book.

A lease is the right to use one connection for one exchange.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NewType

from longwire.core.rules.continuity import Chain, Decision, Reason
from longwire.core.rules.turn import SessionKey

ConnectionId = NewType("ConnectionId", int)
Closes = tuple[ConnectionId, ...]


class State(Enum):
    """Where a live connection is."""

    DIALING = "dialing"
    LEASED = "leased"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Caps in connections and spans in seconds; and what still is the same history."""

    connections: int = 128
    connections_per_session: int = 8
    idle_ttl: float = 3000.0
    may_omit_reasoning: bool = True


@dataclass(frozen=True, slots=True)
class Lend:
    """Use this idle connection, now leased."""

    connection: ConnectionId
    decision: Decision
    closes: Closes = ()


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a connection under this id, after closing what has to make room for it."""

    connection: ConnectionId
    decision: Decision
    closes: Closes = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is free: try again when something was released."""

    closes: Closes = ()


@dataclass(slots=True)
class Entry:
    """One live connection.

    `forgot` says why it holds no chain; `exchanges` counts its leases, `continued` those that
    continued a chain; `bytes_saved` is what they spared the upstream.
    """

    id: ConnectionId
    key: SessionKey | None
    born: float
    state: State = State.DIALING
    expires_at: float = float("inf")
    idle_since: float = 0.0
    chain: Chain | None = None
    forgot: Reason = Reason.NEW_SESSION
    exchanges: int = 0
    continued: int = 0
    bytes_saved: int = 0
    decision: Decision | None = None
    retires: bool = False
    replaces: tuple[ConnectionId, int] | None = None

    @property
    def holds_cut_answer(self) -> bool:
        """Whether its upstream holds more than a client saw: who names that must not get at it."""
        return self.chain is None and self.forgot is Reason.ANSWER_CUT


@dataclass(frozen=True, slots=True)
class LeaseOutcome:
    """How a lease ended: whether the connection lives on, what it remembers, else why not."""

    keeps_connection: bool
    chain: Chain | None = None
    cause: Reason = Reason.CONNECTION_LOST
    bytes_saved: int = 0


DISCARDED = LeaseOutcome(keeps_connection=False)
"""The end of a lease that left a response half read."""
