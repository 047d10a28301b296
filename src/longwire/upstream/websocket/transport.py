"""Turns over pooled WebSocket sessions: decide, send one `response.create`, read to the terminal.

Law: what a turn leaves behind is committed before its terminal is handed on, for some clients
disconnect the instant they have read it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from longwire.core.errors import (
    FrameTooLarge,
    InvalidRequest,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
)
from longwire.core.events import Event, Kind
from longwire.core.rules.continuity import AsGiven, Chain, Continue, Decision, Fresh, Reason, extend
from longwire.core.rules.exchange import Ending, Exchange, Phase
from longwire.core.rules.lease import ABANDONED, LeaseOutcome
from longwire.core.rules.recovery import RULES, Trouble
from longwire.dialects.responses.call import encode_create
from longwire.dialects.responses.errors import trouble_of
from longwire.dialects.responses.image import replies
from longwire.upstream.event_reader import EventReader
from longwire.upstream.oauth.credentials import Credentials, StaticKey
from longwire.upstream.ports import Call, Delivery, FastPath, Timeouts
from longwire.upstream.websocket.connection import Connection
from longwire.upstream.websocket.dialer import Endpoint, dial
from longwire.upstream.websocket.pool import Dialer, Lease, Pool

LARGEST_CREATE = 16 * 1024 * 1024 - 1
"""The largest frame that upstreams accept, in bytes; a larger one they drop, or close."""

_DIGESTED_AT_ONCE = 64
_UNDER_WAY = (Phase.AWAITING, Phase.STREAMING)
_DIAL_RESULTS = {UpstreamRejected: "refused", UpstreamTimeout: "timeout"}
_FORGETTING = frozenset({Trouble.FORGOT, Trouble.EXPIRED})


class WebSocketTransport:
    """Sends turns to one endpoint over the connections of a pool."""

    def __init__(
        self,
        endpoint: Endpoint,
        pool: Pool,
        timeouts: Timeouts,
        count_dial: Callable[[str], None],
        credentials: Credentials | None = None,
        observe_headers: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        """Send to an endpoint; `count_dial` is called with how each handshake ended.

        `credentials` are read at each dial; without them the endpoint's own headers are all.
        `observe_headers` is called with the headers of each 101.
        """
        self._observe_headers = observe_headers
        self._endpoint = endpoint
        self._credentials = credentials or StaticKey({})
        self._pool = pool
        self._timeouts = timeouts
        self._count_dial = count_dial

    def open(self, call: Call) -> "_StreamContext":
        """Send the turn on a connection of its session; see `Transport.open`."""
        return _StreamContext(self._pool, call, partial(self._dial, call.headers), self._timeouts)

    async def _dial(
        self, headers: Mapping[str, str], on_closed: Callable[[Connection], None]
    ) -> Connection:
        own = await self._credentials.headers()
        endpoint = replace(self._endpoint, headers={**self._endpoint.headers, **own.headers})
        try:
            connection = await dial(endpoint, headers, on_closed)
        except UpstreamError as error:
            if isinstance(error, UpstreamRejected):
                error.tokens_revision = own.revision
            self._count_dial(_DIAL_RESULTS.get(type(error), "unreachable"))
            raise
        self._count_dial("opened")
        connection.tokens_revision = own.revision
        self._observe_headers(connection.headers)
        return connection


class _StreamContext:
    """The context of one exchange; a class, as a generator costs a turn a dozen calls more."""

    __slots__ = ("_call", "_dial", "_pool", "_stream", "_timeouts")

    def __init__(self, pool: Pool, call: Call, dial: Dialer, timeouts: Timeouts) -> None:
        self._pool = pool
        self._call = call
        self._dial = dial
        self._timeouts = timeouts

    async def __aenter__(self) -> "WebSocketStream":
        lease = await self._pool.borrow(self._call, self._dial)
        stream = self._stream = WebSocketStream(lease, self._call, self._timeouts)
        try:
            await stream.send()
        except BaseException:
            stream.close()
            raise
        return stream

    async def __aexit__(self, *_: object) -> None:
        self._stream.close()


class WebSocketStream:
    """One exchange on a leased connection; `aggregate` is what was seen of the response so far."""

    __slots__ = (
        "_adapt_input",
        "_clock",
        "_event_reader",
        "_heard_at",
        "_lease",
        "_silent_since",
        "_timeouts",
        "_turn",
        "aggregate",
        "delivery",
        "headers",
    )
    delivery: Delivery

    def __init__(self, lease: Lease, call: Call, timeouts: Timeouts) -> None:
        self._lease = lease
        self._turn = call.turn
        self._adapt_input = call.adapt_input
        self._timeouts = timeouts
        self._event_reader = EventReader(Exchange(lease.connection.last_response_id))
        self.aggregate = self._event_reader.aggregate
        self.headers = lease.connection.headers
        self._clock = asyncio.get_running_loop().time
        self._heard_at = self._silent_since = self._clock()

    async def send(self) -> None:
        """Send the turn as one frame. Raises `FrameTooLarge`, `InvalidRequest`, `UpstreamError`."""
        try:
            frame = encode_create(self._turn, self._lease.decision, self._adapt_input)
        except InvalidRequest:
            self._lease.cancel()
            raise
        if len(frame) > LARGEST_CREATE:
            self._lease.cancel()
            raise FrameTooLarge(LARGEST_CREATE)
        lease, (continuity, reason) = self._lease, _continuity(self._lease.decision)
        self.delivery = Delivery(
            "websocket", continuity, reason, len(frame), lease.queued, lease.id
        )
        await self._lease.connection.send(frame)
        self._event_reader.exchange.step(Kind.SENT)
        self._heard_at = self._silent_since = self._clock()
        if isinstance(self._lease.decision, Fresh):
            await self._digest_history()

    async def _digest_history(self) -> None:
        """Digest a history seen for the first time while the upstream thinks, a piece at a time."""
        history = self._turn.history
        for count in range(_DIGESTED_AT_ONCE, len(history), _DIGESTED_AT_ONCE):
            history.digest(count)
            await asyncio.sleep(0)

    def set_fast_path(self, fast_path: FastPath) -> None:
        """Offer events to `fast_path` from the socket's callback, once the response streams."""
        exchange = self._event_reader.exchange
        if exchange.ending is not None:
            return  # all came at once, and the connection may serve another turn by now
        streaming = Phase.STREAMING  # for every event: on Python 3.11 it is dear to name

        def streaming_path(frames: Sequence[bytes]) -> int:
            if exchange.phase is not streaming:
                return 0
            taken = fast_path(frames)
            if taken:
                self._heard_at = self._silent_since = self._clock()
            return taken

        self._lease.connection.set_fast_path(streaming_path)

    def __aiter__(self) -> "WebSocketStream":
        """Iterate batches of events; an empty one means silence. See `ports.Stream`."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch."""
        while self._event_reader.exchange.ending is None:
            frames = await self._receive()
            events = self._take(frames)
            if events or not frames:
                return events
        if self._event_reader.failure is not None:
            raise self._event_reader.failure
        raise StopAsyncIteration

    def close(self) -> None:
        """End the lease, or drain a response under way for a while so that its chain is kept."""
        seconds = self._timeouts.drain
        if not seconds or self._event_reader.exchange.phase not in _UNDER_WAY:
            self._lease.settle(ABANDONED)
            return
        asyncio.get_running_loop().call_later(seconds, self._lease.settle, ABANDONED)
        self._lease.connection.drain(lambda frame: self._take((frame,)))

    async def _receive(self) -> Sequence[bytes]:
        """Wait for frames, or for one span of silence. Raises when the exchange broke."""
        timeout, phase = self._timeouts.idle_event, "next event"
        if self._event_reader.exchange.phase is Phase.AWAITING:
            timeout, phase = self._timeouts.first_event, "first event"
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
                raise self._event_reader.fail(Kind.LOST, error) from None
        return frames

    def _take(self, frames: Sequence[bytes]) -> Sequence[Event]:
        event_reader = self._event_reader
        events = event_reader.read_all(frames)
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
                cause = RULES[trouble].reason or cause
        chain = self._chain() if ending.remembers else None
        if self._event_reader.exchange.response_id:
            self._lease.connection.last_response_id = self._event_reader.exchange.response_id
        saved = max(self._turn.source.body_size - self.delivery.bytes_sent, 0)
        self._lease.settle(LeaseOutcome(ending.keeps_connection, chain, cause, saved))

    def _chain(self) -> Chain | None:
        response_id = self._event_reader.exchange.response_id
        if not response_id:
            return None
        decision = self._lease.decision
        continued = decision.chain if isinstance(decision, Continue) else None
        return extend(self._turn, response_id, replies(self.aggregate), continued)


def _continuity(decision: Decision) -> tuple[str, str | None]:
    """Say how a turn is sent, in the words of the response headers."""
    match decision:
        case Continue():
            return "continued", None
        case Fresh(reason):
            return "fresh", reason.value
        case AsGiven():
            return "as-given", None
