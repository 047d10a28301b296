"""One upstream WebSocket: read from the first moment to the last, and one exchange at a time.

What arrived in one read is handled in the socket's callback and handed over as one batch, without a
task, queue or lock per event.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_bytes
from typing import cast

from longwire.core.errors import UpstreamDisconnected, UpstreamTimeout
from longwire.core.events import Kind
from longwire.core.rules.continuity import Reason
from longwire.dialects.responses.errors import is_expiry
from longwire.dialects.responses.stream import MalformedEvent, decode_event
from longwire.upstream.net.tls_transport import ByteTransport
from longwire.upstream.ports import FastPath
from longwire.upstream.websocket.flow import HIGH_WATER, ReceiveQueue, WriteFlow
from longwire.upstream.websocket.frames import CloseCode, Frames, Goodbye, Opcode, encode
from longwire.upstream.websocket.keepalive import Heartbeat, Keepalive

_ABNORMAL = 1006
_CLOSE_TIMEOUT = 2.0
_STRAY = "the upstream sent a frame that belongs to no turn"

# Law: a connection begins Idle, is in one mode at a time, and never leaves Closed. Its transitions,
# where a dash means that the mode stays:
#
# mode      begin    drain     finish    a message               the connection's end
# --------  -------  --------  --------  ----------------------  --------------------
# Idle      Reading  -         -         dropped, or Closed (1)  Closed
# Reading   -        Draining  Idle (2)  queued, or passed on    Closed
# Draining  -        -         Idle (2)  given to its sink       Closed
# Closed    -        -  (3)    -  (3)    dropped                 -
#
# (1) A vendor's notice is dropped. Anything else belongs to no turn: the connection is closed.
# (2) What is still queued is judged as in Idle; so is a message of which a part has come.
# (3) What was queued before the end can be received until then, and is dropped.
#
# RFC 6455 names the ends of a connection: the close frame of either side (5.5.1, 7.1.2), one that
# breaks the protocol (7.1.7), the loss of the socket (7.1.5, code 1006). An `abort` is for a socket
# from which nothing is to be expected any more, as after a ping without an answer (5.5.2).


@dataclass(frozen=True, slots=True)
class Idle:
    """No exchange is under way."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An exchange is under way: its messages are queued for its reader.

    While the reader waits, they are offered to its `fast_path` first.
    """

    fast_path: FastPath | None = None


@dataclass(frozen=True, slots=True)
class Draining:
    """The reader of the exchange has left: `sink` takes the rest, message by message.

    `lost` is called where the connection ends before the exchange does.
    """

    sink: Callable[[bytes], object]
    lost: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing can be sent; `reason` is a clause that says why, `cause` what it means for turns."""

    reason: str
    cause: Reason


Mode = Idle | Reading | Draining | Closed
_IDLE, _READING = Idle(), Reading()


class Connection(asyncio.Protocol):
    """A live connection; `on_closed` is called once, when it can no longer be used.

    `headers` are those of the upstream's 101, `tokens_revision` says which set of tokens opened it,
    `last_response_id` which response it carried last.
    """

    def __init__(self, heartbeat: Heartbeat, on_closed: Callable[["Connection"], None]) -> None:
        self._on_closed = on_closed
        self._transport: ByteTransport | None = None
        self._parser = Frames()
        self._mode: Mode = _IDLE
        self._queue = ReceiveQueue()
        self._write_flow = WriteFlow()
        self._send_timeout = heartbeat.send_timeout
        self._keepalive = Keepalive(heartbeat)
        self._close_timer: asyncio.TimerHandle | None = None
        self.headers: Mapping[str, str] = {}
        self.tokens_revision = 0
        self.last_response_id: str | None = None

    def __repr__(self) -> str:
        mode, closed = self._mode, self.is_closed
        words = {
            "awaited": self._queue.is_awaited,
            "paused": self._queue.size > HIGH_WATER and not closed,
            "blocked": self._write_flow.is_paused,
            "joining": self._parser.is_joining,
            "lingering": closed and self._transport is not None,
        }
        said = [type(mode).__name__.lower(), f"queued={self._queue.size}"]
        said += [word for word, holds in words.items() if holds]
        reason = f": {mode.reason}" if isinstance(mode, Closed) else ""
        return f"<Connection {' '.join(said)}{reason}>"

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent or received any more."""
        return type(self._mode) is Closed

    @property
    def close_code(self) -> int:
        """The code that the upstream closed it with, 1006 without one (RFC 6455, 7.1.5)."""
        goodbye = self._parser.goodbye
        return goodbye.code if goodbye is not None else _ABNORMAL

    @property
    def cause(self) -> Reason:
        """What its end means for the turns of its session."""
        return self._mode.cause if isinstance(self._mode, Closed) else Reason.CONNECTION_LOST

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch the connection."""
        self._transport = cast("ByteTransport", transport)
        self._keepalive.start(self._ping, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Take what one read brought: to the fast path while the reader waits, else by the mode."""
        # For every event: no calls here that most of them do not need.
        self._keepalive.was_heard = True
        parser = self._parser
        messages = parser.feed(data)
        if messages:
            mode, waiter = self._mode, self._queue.waiter
            if type(mode) is Reading and mode.fast_path and waiter and not waiter.done():
                messages = messages[mode.fast_path(messages) :]
            if messages:
                self._deliver(messages)
        if parser.is_eventful:
            self._answer()

    def _deliver(self, messages: Sequence[bytes]) -> None:
        """Give messages to whom they are for; each may change the mode for those after it."""
        if type(self._mode) is Reading:
            self._queue.put(messages)
            if self._queue.size > HIGH_WATER:
                self._pause_reading()
            return
        for message in messages:
            match self._mode:
                case Draining(sink=sink):
                    sink(message)
                case Idle():
                    self._drop_notice(message)
                case _:
                    return

    def _drop_notice(self, message: bytes) -> None:
        """Drop a vendor's notice; close for anything else, which belongs to no turn."""
        try:
            is_notice = decode_event(message).kind is Kind.VENDOR
        except MalformedEvent:
            is_notice = False
        if not is_notice:
            self._close(CloseCode.OK, _STRAY, message)

    def _answer(self) -> None:
        """Answer what came beside messages; what an upstream does not read is not sent."""
        parser = self._parser
        parser.is_eventful = False
        for payload in parser.pings:
            if not self._write_flow.is_paused and not self.is_closed:
                self._write(Opcode.PONG, payload)
        parser.pings.clear()
        if parser.violation is not None and self.is_closed and self._transport is not None:
            self._transport.close()
        elif parser.violation is not None:
            self._close(parser.violation.code, parser.violation.why)
        elif parser.goodbye is not None:
            self._answer_close(parser.goodbye)
        elif parser.is_joining and type(self._mode) is Idle:
            self._close(CloseCode.OK, _STRAY)

    def _answer_close(self, goodbye: Goodbye) -> None:
        """Answer a close frame, unless it answers ours, and close the socket (RFC 6455, 5.5.1)."""
        transport = self._transport
        self._close(CloseCode.OK, _reason_of(goodbye))
        if transport is not None:
            transport.close()

    def _write(self, opcode: Opcode, payload: bytes = b"") -> None:
        if self._transport is not None:
            self._transport.writelines(encode(opcode, payload, token_bytes(4)))

    def _ping(self) -> None:
        self._write(Opcode.PING)

    def _give_up(self) -> None:
        self.abort("the upstream answered no ping")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Notice that the other side, the network or the close timer ended it."""
        self._end("the upstream closed the connection")
        self._transport = None
        if self._close_timer is not None:
            self._close_timer.cancel()

    def pause_writing(self) -> None:
        """Notice that the socket takes no more for now."""
        self._write_flow.pause()

    def resume_writing(self) -> None:
        """Notice that the socket takes more again."""
        self._write_flow.resume(took_all=not self.is_closed)

    def begin(self) -> None:
        """Begin an exchange: what arrives from now on belongs to it."""
        if self._mode is _IDLE:
            self._mode = _READING

    def set_fast_path(self, fast_path: FastPath) -> None:
        """Offer the messages of this exchange to a fast path, whenever its reader waits for some.

        What it does not take, and all that came with it afterwards, is for the reader.
        """
        if type(self._mode) is Reading:
            self._mode = Reading(fast_path)

    def drain(self, sink: Callable[[bytes], object], lost: Callable[[], object]) -> None:
        """Give the rest of the exchange to a sink, message by message: its reader has left."""
        unread = self._take_queue()
        if type(self._mode) is Reading:
            self._mode = Draining(sink, lost)
            self._deliver(unread)

    def finish(self) -> None:
        """End an exchange; what it left unread makes the connection useless and closes it."""
        if type(self._mode) is not Closed:
            self._mode = _IDLE
        if self._queue.messages:
            self._deliver(self._take_queue())
        if self._parser.is_joining:
            self._close(CloseCode.OK, _STRAY)

    async def send(self, message: bytes) -> None:
        """Send one text frame and wait until the socket took it.

        Raises `UpstreamDisconnected` or, after `Heartbeat.send_timeout` seconds, `UpstreamTimeout`.
        """
        if self.is_closed:
            raise self._disconnected()
        self._write(Opcode.TEXT, message)
        if not self._write_flow.is_paused:
            return
        try:
            was_sent = await self._write_flow.drain(self._send_timeout)
        except TimeoutError:
            raise UpstreamTimeout("send", self._send_timeout) from None
        # A connection that broke after the socket took the message fails no send.
        if not was_sent:
            raise self._disconnected()

    async def receive(self, seconds: float) -> Sequence[bytes]:
        """Return all messages that have arrived, or none after `seconds` of silence.

        Raises `UpstreamDisconnected` once the connection is closed and everything was read.
        """
        queue = self._queue
        if not queue.messages and type(self._mode) is not Closed:
            await queue.wait(seconds)
        messages = self._take_queue()
        if not messages and self.is_closed:
            raise self._disconnected()
        return messages

    def _take_queue(self) -> Sequence[bytes]:
        """Empty the queue, and read on where it was full."""
        if self._queue.size > HIGH_WATER:
            self._resume_reading()
        return self._queue.take()

    def _pause_reading(self) -> None:
        """Read no more for now; no sign of life can be seen meanwhile, so none is expected."""
        if self._transport is not None:
            self._transport.pause_reading()
            self._keepalive.stop()

    def _resume_reading(self) -> None:
        if self._transport is not None and not self.is_closed:
            self._transport.resume_reading()
            self._keepalive.start(self._ping, self._give_up)

    def close(self, code: int = CloseCode.OK) -> None:
        """Close with a handshake that is given two seconds. May be called at any time, twice."""
        self._close(code, "closed by the gateway")

    def _close(self, code: int, reason: str, last_message: bytes = b"") -> None:
        if not self.is_closed:
            self._end(reason, last_message)
            self._write(Opcode.CLOSE, code.to_bytes(2))

    def abort(self, reason: str) -> None:
        """Close at once, without a handshake."""
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, reason: str, last_message: bytes = b"") -> None:
        """Be closed from now on; what the other side still owes is given two seconds."""
        if self.is_closed:
            return
        queue = self._queue
        if queue.size > HIGH_WATER:
            self._resume_reading()  # the answer to our close is behind what waits
        if not last_message and queue.messages:
            last_message = queue.messages[-1]
        mode, self._mode = self._mode, Closed(reason, _cause_of(last_message))
        self._keepalive.stop()
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            self._close_timer = loop.call_later(_CLOSE_TIMEOUT, self._transport.abort)
        queue.wake()
        self._write_flow.resume(took_all=False)
        self._on_closed(self)
        if isinstance(mode, Draining):
            mode.lost()

    def _disconnected(self) -> UpstreamDisconnected:
        reason = self._mode.reason if isinstance(self._mode, Closed) else ""
        return UpstreamDisconnected(
            f"The connection to the upstream ended before the response did: {reason}."
        )


def _cause_of(message: bytes) -> Reason:
    """Say why a connection ended whose last message this was: its time may have been up."""
    return Reason.CONNECTION_EXPIRED if is_expiry(message) else Reason.CONNECTION_LOST


def _reason_of(goodbye: Goodbye) -> str:
    words = f" ({goodbye.reason})" if goodbye.reason else ""
    return f"the upstream closed it with code {goodbye.code}{words}"
