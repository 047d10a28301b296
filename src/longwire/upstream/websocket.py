"""One upstream WebSocket: read from the first moment to the last, and one exchange at a time.

Frames are taken in the reader's callback and handed over in batches: frames that arrived in one
read leave as one batch, without a task, queue or lock per event.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import picows
from picows import WSCloseCode, WSMsgType

from longwire.core.continuity import Reason
from longwire.core.errors import UpstreamDisconnected, UpstreamTimeout
from longwire.core.events import Kind
from longwire.dialects.response_errors import CONNECTION_LIMIT, decode_problem
from longwire.dialects.response_events import MalformedEvent, decode_event
from longwire.upstream import read_buffer

LARGEST_MESSAGE = 64 * 1024 * 1024
"""What an upstream may send at once, in bytes: results of image tools are large."""

_PAUSE_ABOVE = 256 * 1024
_GROWN_ABOVE = 32 * 1024
_CLOSE_TIMEOUT = 2.0
_TEXT = WSMsgType.TEXT
_FRAME_HEAD = 14


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a connection is kept under watch: `interval` between pings, `timeout` for an answer."""

    interval: float = 20.0
    timeout: float = 20.0
    send_timeout: float = 30.0


class Connection(picows.WSListener):
    """A live connection; `on_closed` is called once, when it can no longer be used."""

    def __init__(self, pulse: Pulse, on_closed: Callable[["Connection"], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._pulse = pulse
        self._on_closed = on_closed
        self._transport: picows.WSTransport | None = None
        self._frames: list[bytes] = []
        self._queued = 0
        self._has_grown = False
        self._fragments: bytearray | None = None
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

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Begin to watch the connection."""
        self._transport = transport
        answered = transport.response.headers
        self.headers = {name.lower(): value for name, value in answered.items()}
        self._timer = self._loop.call_later(self._pulse.interval, self._ping)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Take one frame: whole and fragmented messages, and the close handshake."""
        # For every event: no calls here that most of them do not need.
        self._was_heard = True
        is_over = self._close_reason or transport.is_close_frame_sent
        if frame.msg_type is _TEXT and frame.fin and self._fragments is None and not is_over:
            message = frame.get_payload_as_bytes()
            if self._is_leased and self._divert is None and message.isascii():
                self._frames.append(message)
                self._queued += len(message)
            else:
                self._take(message)
        else:
            self._take_other(transport, frame, is_over=bool(is_over))
        if frame.last_in_buffer and self._frames and not self._close_reason:
            self._hand_over()

    def _take_other(
        self, transport: picows.WSTransport, frame: picows.WSFrame, *, is_over: bool
    ) -> None:
        """Take a frame that is no whole text message, or comes after the end."""
        match frame.msg_type:
            case WSMsgType.CLOSE:
                self._end(_said_goodbye(frame))
                transport.send_close(WSCloseCode.OK)
                transport.disconnect()
            case _ if is_over:
                pass  # The rest of a connection that either side, or picows, gave up.
            case WSMsgType.TEXT | WSMsgType.CONTINUATION:
                self._take_fragment(frame)
            case WSMsgType.PING:
                transport.send_pong(frame.get_payload_as_bytes())
            case WSMsgType.BINARY:
                self.close(WSCloseCode.UNSUPPORTED_DATA, "the upstream sent a binary frame")
            case _:
                pass

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """Notice that the other side, the network or the close timer ended it."""
        self._end(_broke_off(transport))
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

    def _take_fragment(self, frame: picows.WSFrame) -> None:
        """Join a fragmented message: a text frame first, then continuations (RFC 6455, 5.4)."""
        is_first = frame.msg_type == WSMsgType.TEXT
        if is_first != (self._fragments is None):
            self.close(WSCloseCode.PROTOCOL_ERROR, "the upstream mixed fragmented messages")
            return
        if is_first and not self._is_leased:
            self._close_for_stray()
            return
        message = self._fragments = self._fragments or bytearray()
        message += frame.get_payload_as_memoryview()
        if len(message) > LARGEST_MESSAGE:
            self.close(WSCloseCode.MESSAGE_TOO_BIG, "the upstream sent a message over 64 MiB")
        elif frame.fin:
            self._fragments = None
            self._take(bytes(message))

    def _take(self, message: bytes) -> None:
        if not message.isascii() and not _is_utf8(message):
            self.close(WSCloseCode.INVALID_TEXT, "the upstream sent text that is not UTF-8")
            return
        if not self._is_leased:
            self._take_while_idle(message)
            return
        if self._divert is not None:
            self._divert(message)
            return
        self._frames.append(message)
        self._queued += len(message)

    def _hand_over(self) -> None:
        """Pass on what one read brought, and wake the reader for what cannot be passed on."""
        waiter, frames = self._waiter, self._frames
        if self._queued > _GROWN_ABOVE:
            self._has_grown = True
        if waiter is not None and not waiter.done():
            passed = self._pass(frames) if self._pass is not None else 0
            if passed == len(frames):
                frames.clear()
                self._queued = 0
                return
            del frames[:passed]
            self._queued = sum(map(len, frames))
            waiter.set_result(None)
        if self._queued > _PAUSE_ABOVE and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.underlying_transport.pause_reading()

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
        self.close(WSCloseCode.OK, "the upstream sent a frame that belongs to no turn")

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
        self._divert = take
        self._resume_reading()
        for message in left:
            self._take(message)
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
        if self._fragments is not None:
            self._close_for_stray()
        if self._has_grown and self._transport is not None and not self.is_closed:
            self._has_grown = False
            read_buffer.release(self._transport.underlying_transport)

    async def send(self, message: bytes) -> None:
        """Send one text frame and wait until the socket took it.

        Raises `UpstreamDisconnected` or, after `Pulse.send_timeout` seconds, `UpstreamTimeout`.
        """
        transport = self._transport
        if self.is_closed or transport is None or transport.is_close_frame_sent:
            raise UpstreamDisconnected(self._sentence())
        # picows masks in place: in a buffer of ours, where its own would keep the largest message.
        buffer = bytearray(_FRAME_HEAD)
        buffer += message
        transport.send_reuse_external_bytearray(WSMsgType.TEXT, buffer, _FRAME_HEAD)
        if self._drained is None:
            return
        try:
            async with asyncio.timeout(self._pulse.send_timeout):
                was_taken = await self._drained
        except TimeoutError:
            raise UpstreamTimeout("send", self._pulse.send_timeout) from None
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
            self._transport.underlying_transport.resume_reading()

    def _ping(self) -> None:
        """Ask for a sign of life after a silent interval; a paused reader hears nothing."""
        if self._was_heard or self._is_paused or self._transport is None:
            self._was_heard = False
            self._timer = self._loop.call_later(self._pulse.interval, self._ping)
            return
        self._transport.send_ping()
        self._timer = self._loop.call_later(self._pulse.timeout, self._expect_pong)

    def _expect_pong(self) -> None:
        if self._was_heard or self._is_paused:
            self._ping()
        else:
            self.abort("the upstream answered no ping")

    def close(self, code: WSCloseCode = WSCloseCode.OK, why: str = "closed by the gateway") -> None:
        """Close with a handshake that is given two seconds. May be called at any time, twice."""
        transport = self._transport
        if self.is_closed or transport is None:
            return
        self._resume_reading()
        self._end(why)
        transport.send_close(code)

    def abort(self, why: str) -> None:
        """Close at once, without a handshake."""
        self._end(why)
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

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
        transport = self._transport
        if transport is not None:
            self._timer = self._loop.call_later(
                _CLOSE_TIMEOUT, lambda: transport.disconnect(graceful=False)
            )
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
        is_expulsion = decode_event(message).kind is Kind.EXPULSION
    except MalformedEvent:
        return False
    return is_expulsion and decode_problem(message).code == CONNECTION_LIMIT


def _is_utf8(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True


def _said_goodbye(frame: picows.WSFrame) -> str:
    code = int(frame.get_close_code())  # type: ignore[call-overload]  # a C enum, an int at runtime
    reason = frame.get_close_message()
    text = f" ({reason.decode('utf-8', 'replace')})" if reason else ""
    return f"the upstream closed it with code {code or 1005}{text}"


def _broke_off(transport: picows.WSTransport) -> str:
    """Say why a connection ended without the other side's goodbye (close code 1006)."""
    sent = transport.close_handshake.sent if transport.is_close_frame_sent else None
    if sent is None:
        return "the upstream closed the connection"
    return f"the upstream broke the protocol ({sent.reason})"
