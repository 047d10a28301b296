"""Turns over pooled WebSocket sessions: decide, send one `response.create`, read to the terminal.

Law: what a turn leaves behind is committed before its terminal is handed on, for some clients
disconnect the instant they have read it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

from longwire.core.errors import (
    FrameTooLarge,
    InvalidRequest,
    ThreadUnsupported,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
)
from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import Chain, Continue, Fresh, Reason, extend, words_of
from longwire.core.rules.exchange import Ending, Exchange, Phase
from longwire.core.rules.lease import DISCARDED, LeaseOutcome
from longwire.core.rules.recovery import RECOVERY_RULES, Trouble
from longwire.dialects.responses.call import encode_create
from longwire.dialects.responses.errors import trouble_of
from longwire.dialects.responses.image import output_of
from longwire.upstream.event_reader import EventReader
from longwire.upstream.oauth.credentials import Credentials, StaticKey
from longwire.upstream.ports import Call, Delivery, FastPath, Timeouts
from longwire.upstream.websocket.connection import Connection
from longwire.upstream.websocket.dialer import Endpoint, dial
from longwire.upstream.websocket.frames import CloseCode
from longwire.upstream.websocket.pool import Lease, Pool

LARGEST_CREATE = 16 * 1024 * 1024 - 1
"""The largest frame that upstreams accept, in bytes; a larger one they drop, or close."""

_DIGESTED_AT_ONCE = 64
_UNDER_WAY = (Phase.AWAITING, Phase.OPENED, Phase.STREAMING)
_DIAL_RESULTS = {UpstreamRejected: "refused", UpstreamTimeout: "timeout"}
_FORGETTING = frozenset({Trouble.FORGOT, Trouble.EXPIRED})


def _nothing() -> None:
    """Wait for nobody to ask when a drain is over."""


@dataclass(eq=False, slots=True)
class WebSocketTransport:
    """Sends turns to one endpoint over the connections of a pool.

    `count_dial` is called with how each handshake ended, `observe_headers` with the headers of each
    101. `credentials` are read at each dial; without them the endpoint's own headers are all.
    """

    endpoint: Endpoint
    pool: Pool
    timeouts: Timeouts
    count_dial: Callable[[str], None]
    credentials: Credentials = field(default_factory=lambda: StaticKey({}))
    observe_headers: Callable[[Mapping[str, str]], None] = lambda _: None
    has_answered: bool = field(default=False, init=False)

    def open(self, call: Call) -> "WebSocketStream":
        """Send the turn on a connection of its session; see `Transport.open`."""
        if call.session_key is None and call.turn.source.is_in_thread:
            raise ThreadUnsupported
        return WebSocketStream(self, call, self.timeouts)

    def borrow(self, call: Call) -> Awaitable[Lease]:
        """Return a connection for a call, opened for it where none is free."""
        return self.pool.borrow(call, partial(self._dial, call.headers))

    def patience(self, call: Call) -> tuple[float, str]:
        """Return how long to wait for the first event of a call, in seconds, and for what.

        Until a WebSocket of the endpoint has brought anything, a proxy may let none through.
        """
        first_event, first_frame = self.timeouts.first_of(call), self.timeouts.first_frame
        if self.has_answered or first_frame is None:
            return first_event, "first event"
        return min(first_event, first_frame), "first frame"

    async def _dial(
        self, headers: Mapping[str, str], on_closed: Callable[[Connection], None]
    ) -> Connection:
        own = await self.credentials.headers()
        endpoint = replace(self.endpoint, headers={**self.endpoint.headers, **own.headers})
        try:
            connection = await dial(endpoint, headers, on_closed)
        except UpstreamError as error:
            if isinstance(error, UpstreamRejected):
                error.tokens_revision = own.revision
            self.count_dial(_DIAL_RESULTS.get(type(error), "unreachable"))
            raise
        self.count_dial("opened")
        connection.tokens_revision = own.revision
        self.observe_headers(connection.headers)
        return connection


class WebSocketStream:
    """One exchange: entering it sends the turn on a connection that it is lent, leaving ends that.

    `aggregate` is what was seen of the response so far. It is its own context, as a generator costs
    a turn a dozen calls more.
    """

    _lease: Lease
    _event_reader: EventReader
    _heard_at: float
    _silent_since: float
    aggregate: Aggregate
    delivery: Delivery
    headers: Mapping[str, str]

    def __init__(self, transport: WebSocketTransport, call: Call, timeouts: Timeouts) -> None:
        self._transport = transport
        self._call = call
        self._timeouts = timeouts
        self._clock = asyncio.get_running_loop().time
        self._drained: Callable[[], object] | None = None

    async def __aenter__(self) -> Self:
        """Send the turn as one frame. Raises `CallerError`, `Overloaded` or `UpstreamError`."""
        lease = self._lease = await self._transport.borrow(self._call)
        try:
            await self._send()
        except BaseException:
            lease.settle(DISCARDED)
            raise
        self._event_reader = EventReader(Exchange(lease.connection.last_response_id))
        self._event_reader.exchange.step(Kind.SENT)
        self.aggregate, self.headers = self._event_reader.aggregate, lease.connection.headers
        self._heard_at = self._silent_since = self._clock()
        if isinstance(lease.decision, Fresh):
            await self._digest_history()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the lease, or drain what is under way."""
        self.close()

    async def _send(self) -> None:
        lease, call = self._lease, self._call
        try:
            frame = encode_create(call.turn, lease.decision, call.adapt_input)
        except InvalidRequest:
            lease.cancel()
            raise
        if len(frame) > LARGEST_CREATE:
            lease.cancel()
            raise FrameTooLarge(len(frame))
        continuity, reason, changed = words_of(lease.decision)
        self.delivery = Delivery(
            "websocket", continuity, reason, len(frame), lease.queued, lease.id, changed=changed
        )
        try:
            await lease.connection.send(frame)
        except UpstreamDisconnected as error:
            raise self._too_large() or error from None

    async def _digest_history(self) -> None:
        """Digest a history seen for the first time while the upstream thinks, a piece at a time."""
        history = self._call.turn.history
        try:
            for count in range(_DIGESTED_AT_ONCE, len(history), _DIGESTED_AT_ONCE):
                history.digest(count)
                await asyncio.sleep(0)
        except BaseException:
            self.close()
            raise

    def set_fast_path(self, fast_path: FastPath) -> None:
        """Offer events to `fast_path` from the socket's callback, once the response streams."""
        exchange, aggregate = self._event_reader.exchange, self.aggregate
        if exchange.ending is not None:
            return  # all came at once, and the connection may serve another turn by now
        streaming = Phase.STREAMING  # for every event: on Python 3.11 it is dear to name

        def streaming_path(frames: Sequence[bytes]) -> int:
            if exchange.phase is not streaming:
                return 0
            taken = fast_path(frames)
            if taken:
                aggregate.output_events += taken
                self._heard_at = self._silent_since = self._clock()
            return taken

        self._lease.connection.set_fast_path(streaming_path)

    def __aiter__(self) -> Self:
        """Iterate batches of events; an empty one means silence. See `ports.Stream`."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch."""
        while self._event_reader.exchange.ending is None:
            frames = await self._receive()
            if not frames:
                return ()
            events = self._take(frames)
            if events:
                return events
        if self._event_reader.failure is not None:
            raise self._event_reader.failure
        raise StopAsyncIteration

    def close(self) -> None:
        """End the lease, or drain a response under way for a while so that its chain is kept."""
        seconds = self._timeouts.drain
        if not seconds or self._event_reader.exchange.phase not in _UNDER_WAY:
            self._lease.settle(DISCARDED)
            return
        asyncio.get_running_loop().call_later(seconds, self._give_up)
        self._drained = _nothing
        self._lease.connection.drain(lambda frame: self._take((frame,)), self._give_up)

    def when_drained(self, then: Callable[[], object]) -> bool:
        """Whether the rest is read although its reader has left; once that is over call `then`."""
        if self._drained is None:
            return False
        self._drained = then
        return True

    def _give_up(self) -> None:
        """End a drain whose time is over, or whose connection is."""
        self._lease.settle(DISCARDED)
        self._end_drain()

    def _end_drain(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None:
            drained()

    async def _receive(self) -> Sequence[bytes]:
        """Wait for frames, or for one span of silence. Raises when the exchange broke."""
        timeout, phase = self._timeouts.idle_event, "next event"
        if self._event_reader.exchange.phase is Phase.AWAITING:
            timeout, phase = self._timeouts.first_event, "first event"
            if self._call.is_hurried or not self._transport.has_answered:
                timeout, phase = self._transport.patience(self._call)
        frames: Sequence[bytes] = ()
        while not frames:
            now = self._clock()
            left = self._heard_at + timeout - now
            silence = self._silent_since + self._timeouts.silence - now
            if left <= 0:
                raise self._event_reader.fail(Kind.TIMEOUT, UpstreamTimeout(phase, timeout))
            if silence <= 0:
                self._silent_since = now
                break
            try:
                frames = await self._lease.connection.receive(min(silence, left))
            except UpstreamDisconnected as error:
                has_begun = self._event_reader.exchange.phase is not Phase.AWAITING
                failure = self._event_reader.fail(Kind.LOST, error)
                raise (None if has_begun else self._too_large()) or failure from None
        return frames

    def _too_large(self) -> FrameTooLarge | None:
        """Return what an upstream means that closed the connection for the size of a message."""
        if self._lease.connection.close_code != CloseCode.MESSAGE_TOO_BIG:
            return None
        return FrameTooLarge(self.delivery.bytes_sent)

    def _take(self, frames: Sequence[bytes]) -> Sequence[Event]:
        event_reader = self._event_reader
        events = event_reader.read_all(frames)
        self._transport.has_answered = True
        for event in events:
            if event.kind is not Kind.VENDOR:
                self._heard_at = self._silent_since = self._clock()
                break
        if event_reader.exchange.ending is not None:
            self._settle(event_reader.exchange.ending)
        return events

    def _settle(self, ending: Ending) -> None:
        """Give the connection back, with what it remembers from now on."""
        failure = self._event_reader.failure
        cause = Reason.TURN_FAILED if ending.keeps_connection else Reason.CONNECTION_LOST
        if isinstance(failure, UpstreamRejected):
            failure.tokens_revision = self._lease.connection.tokens_revision
            if (trouble := trouble_of(failure)) in _FORGETTING:
                cause = RECOVERY_RULES[trouble].reason or cause
        chain, response_id = None, self._event_reader.exchange.response_id
        if response_id:
            self._lease.connection.last_response_id = response_id
            if ending.remembers:
                chain, cause = self._chain(response_id), Reason.ANSWER_CUT
        saved = max(self._call.turn.source.body_size - self.delivery.bytes_sent, 0)
        self._lease.settle(LeaseOutcome(ending.keeps_connection, chain, cause, saved))
        if self._drained is not None:
            self._end_drain()

    def _chain(self, response_id: str) -> Chain | None:
        """Return what the connection holds; None for an answer that the gateway has cut."""
        decision, turn = self._lease.decision, self._call.turn
        replies = turn.image(output_of(self.aggregate))
        if replies is None:
            return None
        continued = decision.chain if isinstance(decision, Continue) else None
        return extend(turn, response_id, replies, continued)
