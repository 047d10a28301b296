"""Turns over pooled WebSocket sessions: decide, send one `response.create`, read to the terminal.

Law: what a turn leaves behind is committed before its terminal is handed on, for some clients
disconnect the instant they have read it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from longwire.core.aggregate import Aggregate
from longwire.core.continuity import AsGiven, Chain, Continue, Decision, Fresh, Reason, extend
from longwire.core.errors import (
    FrameTooLarge,
    UpstreamDisconnected,
    UpstreamRejected,
    UpstreamTimeout,
)
from longwire.core.events import Event, Kind
from longwire.core.exchange import Ending, Phase
from longwire.core.ledger import Returned
from longwire.core.turn import Turn
from longwire.dialects.response_errors import CONNECTION_LIMIT, PREVIOUS_NOT_FOUND
from longwire.dialects.response_events import replies
from longwire.dialects.responses import encode_create
from longwire.upstream.dialer import Endpoint, dial
from longwire.upstream.pool import Lease, Pool
from longwire.upstream.reception import Reception
from longwire.upstream.transport import Call, Facts, Patience

LARGEST_CREATE = 16 * 1024 * 1024 - 1
"""What upstreams take in one frame, in bytes; above it they close, or drop it silently."""

_CAUSES = {
    PREVIOUS_NOT_FOUND: Reason.UPSTREAM_FORGOT,
    CONNECTION_LIMIT: Reason.CONNECTION_EXPIRED,
}


class WebSocketTransport:
    """Sends turns to one endpoint over the connections of a pool."""

    def __init__(self, endpoint: Endpoint, pool: Pool, patience: Patience) -> None:
        self._endpoint = endpoint
        self._pool = pool
        self._patience = patience

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator["WebSocketStream"]:
        """Send the turn on a connection of its session; see `Transport.open`."""
        dialer = partial(dial, self._endpoint, call.headers)
        async with self._pool.lease(call.key, call.turn, dialer) as lease:
            stream = WebSocketStream(lease, call.turn, self._patience)
            await stream.send()
            yield stream


class WebSocketStream:
    """One exchange on a leased connection."""

    __slots__ = ("_lease", "_patience", "_reception", "_silent_for", "_turn", "facts")

    def __init__(self, lease: Lease, turn: Turn, patience: Patience) -> None:
        self._lease = lease
        self._turn = turn
        self._patience = patience
        self._reception = Reception()
        self._silent_for = 0.0
        self.facts = Facts("websocket", *_continuity(lease.decision), bytes_sent=0)

    @property
    def aggregate(self) -> Aggregate:
        """What was seen of the response so far."""
        return self._reception.aggregate

    async def send(self) -> None:
        """Send the turn as one frame. Raises `FrameTooLarge` or `UpstreamError`."""
        frame = encode_create(self._turn, self._lease.decision)
        if len(frame) > LARGEST_CREATE:
            self._lease.cancel()
            raise FrameTooLarge(LARGEST_CREATE)
        self.facts = Facts("websocket", *_continuity(self._lease.decision), len(frame))
        await self._lease.connection.send(frame)
        self._reception.exchange.step(Kind.SENT)

    async def __aiter__(self) -> AsyncIterator[Sequence[Event]]:
        """Give batches of events; an empty one tells of silence. See `transport.Stream`."""
        while self._reception.exchange.ending is None:
            frames = await self._receive()
            events = self._take(frames)
            if events or not frames:
                yield events
        if self._reception.failure is not None:
            raise self._reception.failure

    async def _receive(self) -> Sequence[bytes]:
        """Wait for frames, or for one span of silence. Raises when the exchange broke."""
        patience, phase = self._patience.idle_event, "next event"
        if self._reception.exchange.phase is Phase.AWAITING:
            patience, phase = self._patience.first_event, "first event"
        now = asyncio.get_running_loop().time
        began = now()
        try:
            frames = await self._lease.connection.receive(
                min(self._patience.silence, patience - self._silent_for)
            )
        except UpstreamDisconnected:
            self._reception.exchange.step(Kind.LOST)
            raise
        self._silent_for += now() - began
        if not frames and self._silent_for >= patience:
            self._reception.exchange.step(Kind.TIMEOUT)
            raise UpstreamTimeout(phase, patience)
        return frames

    def _take(self, frames: Sequence[bytes]) -> Sequence[Event]:
        reception = self._reception
        events = [event for raw in frames if (event := reception.take(raw)) is not None]
        if events:
            self._silent_for = 0.0
        if reception.exchange.ending is not None:
            self._settle(reception.exchange.ending)
        return events

    def _settle(self, ending: Ending) -> None:
        """Give the connection back, with what it remembers from now on."""
        failure = self._reception.failure
        code = failure.code if isinstance(failure, UpstreamRejected) else ""
        cause = _CAUSES.get(code, Reason.TURN_FAILED)
        if not ending.keeps_connection:
            cause = _CAUSES.get(code, Reason.CONNECTION_LOST)
        chain = self._chain() if ending.remembers else None
        self._lease.settle(Returned(ending.keeps_connection, chain, cause))

    def _chain(self) -> Chain | None:
        response_id = self._reception.exchange.response_id
        if not response_id:
            return None
        decision = self._lease.decision
        continued = decision.chain if isinstance(decision, Continue) else None
        return extend(self._turn, response_id, replies(self.aggregate), continued)


def _continuity(decision: Decision) -> tuple[str, str | None]:
    """Say how a turn travels in the words of the response headers."""
    match decision:
        case Continue():
            return "continued", None
        case Fresh(reason):
            return "fresh", reason.value
        case AsGiven():
            return "as-given", None
