"""Upstream connections and the turns that wait for them; `core/rules/ledger` decides, this acts.

Closing is the pool's work, never a request's; however a lease ends, it ends here.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from longwire.core.errors import Overloaded
from longwire.core.rules.continuity import Decision
from longwire.core.rules.lease import (
    Closes,
    ConnectionId,
    Dial,
    LeaseOutcome,
    Lend,
    PoolLimits,
    Wait,
)
from longwire.core.rules.ledger import Ledger
from longwire.core.rules.turn import SessionKey
from longwire.upstream.ports import Call
from longwire.upstream.websocket.connection import Connection
from longwire.upstream.websocket.frames import CloseCode

Dialer = Callable[[Callable[[Connection], None]], Awaitable[Connection]]
_JITTER = 0.05


@dataclass(frozen=True, slots=True)
class PoolTimes:
    """Seconds: the longest life of a connection, the longest wait of a turn, between two sweeps."""

    max_lifetime: float = 3000.0
    queue_timeout: float = 30.0
    sweep_interval: float = 5.0


@dataclass(slots=True)
class _Waiter:
    call: Call
    granted: asyncio.Future[Lend | Dial]


@dataclass(slots=True)
class Lease:
    """The right to use one connection for one exchange, until it is settled or cancelled."""

    id: ConnectionId
    connection: Connection
    decision: Decision
    queued: float
    _return: Callable[[ConnectionId, LeaseOutcome | None], None] | None

    def settle(self, outcome: LeaseOutcome | None) -> None:
        """End the lease; only the first call counts. Without an outcome nothing was sent."""
        give_back, self._return = self._return, None
        if give_back is not None:
            self.connection.finish()
            give_back(self.id, outcome)

    def cancel(self) -> None:
        """End the lease as if it had never been."""
        self.settle(None)


class Pool:
    """All upstream WebSocket connections of this process.

    `on_dial` takes the session for which one was opened.
    """

    def __init__(
        self,
        limits: PoolLimits,
        times: PoolTimes | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.ledger = Ledger(limits)
        self._times = times or PoolTimes()
        self._jitter = jitter
        self._connections: dict[ConnectionId, Connection] = {}
        self._waiters: deque[_Waiter] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self.on_dial: Callable[[SessionKey], None] | None = None

    def __repr__(self) -> str:
        return f"<Pool {self.ledger!r} waiting={len(self._waiters)}>"

    async def borrow(self, call: Call, dial: Dialer) -> Lease:
        """Lend a connection for a call, dialing one where needed; who gets the lease settles it.

        Raises `Overloaded` when none became free in time, and whatever `dial` raises.
        """
        queued = 0.0
        connection: Connection | None = None
        while connection is None:
            chosen = self._choose(call)
            if isinstance(chosen, Wait):
                start = self._now()
                chosen = await self._wait(call)
                queued += self._now() - start
            identity, decision = chosen.connection, chosen.decision
            if isinstance(chosen, Dial):
                connection = await self._open(identity, dial)
            else:
                # None when it was lost after it was granted to this turn, before it woke up.
                connection = self._connections.get(identity)
        connection.begin()
        return Lease(identity, connection, decision, queued, self._release)

    def waiting(self) -> Counter[SessionKey | None]:
        """Count the turns that wait for a connection, by session."""
        return Counter(waiter.call.session_key for waiter in self._waiters)

    async def _wait(self, call: Call) -> Lend | Dial:
        """Wait until a connection is granted. Raises `Overloaded` when none became free in time."""
        waiter = _Waiter(call, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._times.queue_timeout):
                return await waiter.granted
        except TimeoutError:
            self._hand_back(waiter)
            msg = "All upstream connections that this session may use are busy; try again shortly."
            raise Overloaded(msg, retry_after=1) from None
        except asyncio.CancelledError:
            self._hand_back(waiter)
            raise
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _hand_back(self, waiter: _Waiter) -> None:
        """Return a connection that was granted in the very moment its turn gave up."""
        if waiter.granted.done() and not waiter.granted.cancelled():
            self._cancel(waiter.granted.result().connection)

    def _choose(self, call: Call) -> Lend | Dial | Wait:
        chosen = self.ledger.acquire(call.session_key, call.turn, self._now(), call.reason)
        if chosen.closes:
            self._close(chosen.closes)
        return chosen

    async def _open(self, identity: ConnectionId, dial: Dialer) -> Connection:
        try:
            connection = await dial(partial(self._lost, identity))
        except BaseException:
            self._cancel(identity)
            raise
        shortened = 1.0 - _JITTER * self._jitter()
        self._connections[identity] = connection
        entry = self.ledger.opened(identity, self._now() + self._times.max_lifetime * shortened)
        if self.on_dial is not None and entry.key is not None:
            self.on_dial(entry.key)
        return connection

    def _cancel(self, identity: ConnectionId) -> None:
        self._close(self.ledger.cancel(identity))
        self._serve_waiters()

    def _lost(self, identity: ConnectionId, connection: Connection) -> None:
        """Remove a connection that ended, whoever ended it."""
        self._connections.pop(identity, None)
        if self.ledger.closed(identity, connection.cause):
            self._serve_waiters()

    def _release(self, identity: ConnectionId, outcome: LeaseOutcome | None) -> None:
        if outcome is None:
            self._cancel(identity)
            return
        closes = self.ledger.release(identity, outcome, self._now())
        if closes:
            self._close(closes)
        if self._waiters:
            self._serve_waiters()

    def _serve_waiters(self) -> None:
        """Let the turns that wait try again, the oldest first."""
        for waiter in tuple(self._waiters):
            if waiter.granted.done():
                continue
            chosen = self._choose(waiter.call)
            if not isinstance(chosen, Wait):
                waiter.granted.set_result(chosen)

    def _close(self, closes: Closes, code: CloseCode = CloseCode.OK) -> None:
        for identity in closes:
            connection = self._connections.pop(identity, None)
            if connection is not None:
                connection.close(code)

    def start(self) -> None:
        """Begin to sweep; needs a running loop."""
        self._sweeper = asyncio.get_running_loop().call_later(
            self._times.sweep_interval, self._sweep
        )

    def _sweep(self) -> None:
        self._close(self.ledger.sweep(self._now()))
        self._serve_waiters()
        self.start()

    def drain(self) -> None:
        """Close idle connections now and leased ones as their turns end."""
        self._close(self.ledger.retire_all(), CloseCode.GOING_AWAY)

    def retire(self, endpoint: str) -> None:
        """Close an endpoint's idle connections now and its leased ones as their turns end."""
        self._close(self.ledger.retire(endpoint))
        self._serve_waiters()

    def retire_session(self, key: SessionKey) -> None:
        """Close a session's idle connections now and its leased ones as their turns end."""
        self._close(self.ledger.retire_session(key))

    def end(self, connection: int) -> bool:
        """Close a connection, or let it end with the turn it serves; False if there is none."""
        closes = self.ledger.retire_one(ConnectionId(connection))
        self._close(closes or ())
        self._serve_waiters()
        return closes is not None

    def close(self) -> None:
        """Close everything; for the end of the process."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        self.drain()
        self._close(tuple(self._connections), CloseCode.GOING_AWAY)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
