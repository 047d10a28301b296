"""One upstream WebSocket: read from the first moment to the last, and one exchange at a time.

What arrived in one read is taken in the reader's callback and handed over as one batch, without a
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
from longwire.upstream.websocket.frames import CloseCode, Frames, Goodbye, Opcode, encode

_PAUSE_ABOVE = 256 * 1024
_CLOSE_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How a connection is kept under watch: `interval` between pings, `timeout` for an answer."""

    interval: float = 20.0
    timeout: float = 20.0
    send_timeout: float = 30.0


class Connection(asyncio.Protocol):
    """A live connection; `on_closed` is called once, when it can no longer be used.

    `headers` are those of the upstream's 101.
    """

    def __init__(self, heartbeat: Heartbeat, on_closed: Callable[["Connection"], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._heartbeat = heartbeat
        self._on_closed = on_closed
        self._transport: ByteTransport | None = None
        self._parser = Frames()
        self._frames: list[bytes] = []
        self._queued = 0
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._silent_at = 0.0
        self._was_heard = False
        self._is_paused = False
        self._is_leased = False
        self._close_reason = ""
        self._divert: Callable[[bytes], None] | None = None
        self._pass: Callable[[Sequence[bytes]], int] | None = None
        self.cause = Reason.CONNECTION_LOST
        self.last_response_id: str | None = None
        self.headers: Mapping[str, str] = {}
        self.tokens_revision = 0

    def __repr__(self) -> str:
        """Tell the whole state in one line."""
        state = "closed" if self.is_closed else "leased" if self._is_leased else "idle"
        return f"<Connection {state} queued={self._queued} {self._close_reason}>"

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent or received any more."""
        return bool(self._close_reason)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch the connection."""
        self._transport = cast("ByteTransport", transport)
        self._timer = self._loop.call_later(self._heartbeat.interval, self._ping)

    def data_received(self, data: bytes) -> None:
        """Take what one read brought: pass it on while the reader waits, else keep it for it."""
        # For every event: no calls here that most of them do not need.
        self._was_heard = True
        parser = self._parser
        messages = parser.feed(data)
        if messages and not self._close_reason:
            take, waiter = self._pass, self._waiter
            if take is not None and waiter is not None and not waiter.done():
                passed = take(messages)
                if passed < len(messages):
                    self._take(messages[passed:])
            else:
                self._take(messages)
        if parser.is_eventful:
            self._answer()

    def _take(self, messages: Sequence[bytes]) -> None:
        """Take messages that are not passed on, each for whoever it is for by then."""
        for message in messages:
            if self._close_reason:
                return
            if self._divert is not None:
                self._divert(message)
            elif not self._is_leased:
                self._take_while_idle(message)
            else:
                self._frames.append(message)
                self._queued += len(message)
        if self._frames and self._waiter is not None:
            _wake(self._waiter)
        if self._queued > _PAUSE_ABOVE and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def _answer(self) -> None:
        """Answer what came beside messages; what an upstream does not read is not sent."""
        parser = self._parser
        parser.is_eventful = False
        for payload in parser.pings:
            if self._drained is None and not self.is_closed:
                self._write(Opcode.PONG, payload)
        parser.pings.clear()
        if parser.violation is not None and self.is_closed and self._transport is not None:
            self._transport.close()
        elif parser.violation is not None:
            self.close(parser.violation.code, parser.violation.why)
        elif parser.goodbye is not None:
            self._part(parser.goodbye)
        elif parser.is_joining and not self._is_leased:
            self._close_for_stray()

    def _part(self, goodbye: Goodbye) -> None:
        """Answer a close frame, unless it answers ours, and close the socket (RFC 6455, 5.5.1)."""
        transport = self._transport
        if not self.is_closed:
            self._end(_said_goodbye(goodbye))
            self._write(Opcode.CLOSE, CloseCode.OK.to_bytes(2))
        if transport is not None:
            transport.close()

    def _write(self, opcode: Opcode, payload: bytes = b"") -> None:
        if self._transport is not None:
            self._transport.writelines(encode(opcode, payload, token_bytes(4)))

    def eof_received(self) -> None:
        """Let the transport close itself: half a connection is none."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Notice that the other side, the network or the close timer ended it."""
        self._end("the upstream closed the connection")
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        """Notice that the socket takes no more for now."""
        if self._drained is None:
            self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Notice that the socket takes more again."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(not self.is_closed)
        self._drained = None

    def _take_while_idle(self, message: bytes) -> None:
        """Nobody waits for it: a vendor's notice is dropped, anything else belongs to no turn."""
        try:
            kind = decode_event(message).kind
        except MalformedEvent:
            kind = Kind.ERROR
        if _tells_expiry(message):
            self.cause = Reason.CONNECTION_EXPIRED
        if kind is not Kind.VENDOR:
            self._close_for_stray()

    def _close_for_stray(self) -> None:
        self.close(CloseCode.OK, "the upstream sent a frame that belongs to no turn")

    def begin(self) -> None:
        """Begin an exchange: what arrives from now on belongs to it."""
        self._is_leased = True

    def pass_on(self, take: Callable[[Sequence[bytes]], int]) -> None:
        """Offer messages to `take` as they arrive, while the reader waits for some.

        It returns how many of them it took, from the first on; the reader gets the others.
        """
        self._pass = take

    def divert(self, take: Callable[[bytes], None]) -> None:
        """Give the rest of the exchange to `take`, message by message: nobody reads it any more."""
        left, self._frames, self._queued = self._frames, [], 0
        self._divert, self._pass = take, None
        self._resume_reading()
        self._take(left)
        if self.is_closed:
            self._divert = None

    def finish(self) -> None:
        """End an exchange; what it left unread makes the connection useless and closes it."""
        self._is_leased = False
        self._divert = self._pass = None
        left, self._frames = self._frames, []
        self._queued = 0
        self._resume_reading()
        for message in left:
            self._take_while_idle(message)
        if self._parser.is_joining:
            self._close_for_stray()

    async def send(self, message: bytes) -> None:
        """Send one text frame and wait until the socket took it.

        Raises `UpstreamDisconnected` or, after `Heartbeat.send_timeout` seconds, `UpstreamTimeout`.
        """
        if self.is_closed or self._transport is None:
            raise UpstreamDisconnected(self._sentence())
        self._write(Opcode.TEXT, message)
        if self._drained is None:
            return
        try:
            async with asyncio.timeout(self._heartbeat.send_timeout):
                was_taken = await self._drained
        except TimeoutError:
            raise UpstreamTimeout("send", self._heartbeat.send_timeout) from None
        # A connection that broke after it took the message is not told here: it was sent.
        if not was_taken:
            raise UpstreamDisconnected(self._sentence())

    async def receive(self, seconds: float) -> Sequence[bytes]:
        """Return all messages that have arrived, or none after `seconds` of silence.

        Raises `UpstreamDisconnected` once the connection is closed and everything was read.
        """
        if not self._frames and not self.is_closed:
            await self._wait(seconds)
        if self._frames:
            frames, self._frames, self._queued = self._frames, [], 0
            self._resume_reading()
            return frames
        if self.is_closed:
            raise UpstreamDisconnected(self._sentence())
        return ()

    async def _wait(self, seconds: float) -> None:
        self._waiter = self._loop.create_future()
        self._silent_at = self._loop.time() + seconds
        if self._silence is None or self._silence.when() > self._silent_at:
            self._watch_silence()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _watch_silence(self) -> None:
        """Wake the reader at the end of its patience: one timer serves many waits."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if self._waiter is None:
            return
        if self._loop.time() >= self._silent_at:
            _wake(self._waiter)
        else:
            self._silence = self._loop.call_at(self._silent_at, self._watch_silence)

    def _resume_reading(self) -> None:
        if self._is_paused and self._transport is not None and not self.is_closed:
            self._is_paused = False
            self._was_heard = True
            self._transport.resume_reading()

    def _ping(self) -> None:
        """Ask for a sign of life after a silent interval; a paused reader hears nothing."""
        if self._was_heard or self._is_paused:
            self._was_heard = False
            self._timer = self._loop.call_later(self._heartbeat.interval, self._ping)
            return
        self._write(Opcode.PING)
        self._timer = self._loop.call_later(self._heartbeat.timeout, self._expect_pong)

    def _expect_pong(self) -> None:
        if self._was_heard or self._is_paused:
            self._ping()
        else:
            self.abort("the upstream answered no ping")

    def close(self, code: int = CloseCode.OK, why: str = "closed by the gateway") -> None:
        """Close with a handshake that is given two seconds. May be called at any time, twice."""
        if self.is_closed:
            return
        self._resume_reading()
        self._end(why)
        self._write(Opcode.CLOSE, code.to_bytes(2))

    def abort(self, why: str) -> None:
        """Close at once, without a handshake."""
        self._end(why)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, why: str) -> None:
        """Be closed from now on; what the other side still owes is given two seconds."""
        if self.is_closed:
            return
        self._close_reason = why
        self._divert = None
        if self._frames and _tells_expiry(self._frames[-1]):
            self.cause = Reason.CONNECTION_EXPIRED
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._timer = self._loop.call_later(_CLOSE_TIMEOUT, self._transport.abort)
        if self._waiter is not None:
            _wake(self._waiter)
        self.resume_writing()
        self._on_closed(self)

    def _sentence(self) -> str:
        reason = self._close_reason or "it was never opened"
        return f"The connection to the upstream ended before the response did: {reason}."


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _tells_expiry(message: bytes) -> bool:
    """Whether it is the error that announces the end of a connection's life."""
    try:
        is_fatal = decode_event(message).kind is Kind.FATAL_ERROR
    except MalformedEvent:
        return False
    return is_fatal and is_expiry(message)


def _said_goodbye(goodbye: Goodbye) -> str:
    text = f" ({goodbye.reason})" if goodbye.reason else ""
    return f"the upstream closed it with code {goodbye.code}{text}"
