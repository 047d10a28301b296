"""Frames of RFC 6455 as a client meets them: bytes in, whole text messages out.

Law: however the network cuts the bytes, the same messages come out; after a goodbye or a
violation none do. Pure: no socket, no clock; the key of a mask is an argument.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum

try:
    from websockets.speedups import apply_mask
except ImportError:  # an installation without its compiled part
    from websockets.utils import apply_mask

LARGEST_MESSAGE = 64 * 1024 * 1024
"""What an upstream may send at once, in bytes: results of image tools are large."""


class Opcode(IntEnum):
    """RFC 6455, 5.2; all others are reserved."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class CloseCode(IntEnum):
    """RFC 6455, 7.4.1: those that we send."""

    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_TEXT = 1007
    MESSAGE_TOO_BIG = 1009


@dataclass(frozen=True, slots=True)
class Goodbye:
    """What a close frame says: its code, 1005 where it has none (RFC 6455, 7.1.5), and a reason."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Violation:
    """Why the connection is to be failed (RFC 6455, 7.1.7): the code to close with, the reason."""

    code: CloseCode
    why: str


_FINAL, _RESERVED, _OPCODE = 0x80, 0x70, 0x0F
_MASKED, _SIZE = 0x80, 0x7F
_CONTROL = 0x8
_WHOLE_TEXT = _FINAL | Opcode.TEXT
_SIZE_16, _SIZE_64 = 126, 127
_PLAIN_TEXT = _WHOLE_TEXT << 8 | _SIZE_16
_PLAIN_HEAD = 4
_read_head = struct.Struct(">HH").unpack_from
_LARGEST_CONTROL = 125
_LARGEST_16 = 0xFFFF
_NO_CODE = 1005
_KNOWN = frozenset(Opcode)
_CODES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))
"""What a close frame may carry (RFC 6455, 7.4, and the registry of codes that it opened)."""


@dataclass(slots=True)
class Frames:
    """What one connection receives; `is_eventful` when there is more to act on than messages.

    `pings` are to be answered in order; whoever does clears them, and `is_eventful`. `is_joining`
    while a message has come in part. After a `goodbye` or a `violation` nothing comes.
    """

    _held: bytearray = field(default_factory=bytearray)
    _lacking: int = 0
    _fragments: bytearray = field(default_factory=bytearray)
    is_eventful: bool = False
    is_joining: bool = False
    pings: list[bytes] = field(default_factory=list)
    goodbye: Goodbye | None = None
    violation: Violation | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.goodbye is not None or self.violation is not None

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take what was read; return the text messages that are whole now, in order."""
        if self._lacking:
            chunk = self._gathered(chunk)
        messages: list[bytes] = []
        begins, end = 0, len(chunk)
        # For every event: a final text frame of 126 bytes to 64 KiB calls nothing here.
        while begins < end:
            start = begins + _PLAIN_HEAD
            head, size = _read_head(chunk, begins) if start <= end else (0, 0)
            stop = start + size
            if head != _PLAIN_TEXT or stop > end or self.is_joining:
                stop = self._take(chunk, begins, messages)
            else:
                message = chunk[start:stop]
                if message.isascii() or _is_utf8(message):
                    messages.append(message)
                else:
                    stop = self._fail(_NOT_UTF8, end)
            begins = stop
        return messages

    def _gathered(self, chunk: bytes) -> bytes:
        """Return all that was held back once a frame is whole, nothing before."""
        if self.is_over:
            return b""
        self._held += chunk
        self._lacking -= len(chunk)
        if self._lacking > 0:
            return b""
        whole = bytes(self._held)
        self._held.clear()
        self._lacking = 0
        return whole

    def _take(self, chunk: bytes, begins: int, messages: list[bytes]) -> int:
        """Take any frame; return where the next one begins, the end where none does by now."""
        end = len(chunk)
        start, size = _measured(chunk, begins)
        violation = self._breach(chunk[begins], chunk[begins + 1 : begins + 2], size)
        if violation is not None:
            return self._fail(violation, end)
        stop = start + size
        if stop > end:
            self._held += chunk[begins:]
            self._lacking = stop - end
            return end
        self._take_payload(chunk[begins], chunk[start:stop], messages)
        return end if self.is_over else stop

    def _breach(self, first: int, second: bytes, size: int) -> Violation | None:
        """Say what the head of a frame breaks, of which the second byte may be missing yet.

        What the first byte breaks comes first, so that it does not matter where a head is cut.
        """
        return self._breach_of_kind(first) or self._breach_of_size(first, second, size)

    def _breach_of_kind(self, first: int) -> Violation | None:
        opcode = first & _OPCODE
        if first & _RESERVED:  # 5.2: no extension was agreed on
            return _broken("a reserved bit is set")
        if opcode not in _KNOWN:  # 5.2
            return _broken(f"opcode {opcode} is reserved")
        if opcode & _CONTROL and not first & _FINAL:  # 5.5
            return _broken("a control frame is cut or too long")
        if opcode == Opcode.BINARY:  # 7.4.1: a kind that we cannot accept
            return Violation(CloseCode.UNSUPPORTED_DATA, "the upstream sent a binary frame")
        if not opcode & _CONTROL and (opcode == Opcode.TEXT) == self.is_joining:  # 5.4
            return Violation(CloseCode.PROTOCOL_ERROR, "the upstream mixed fragmented messages")
        return None

    def _breach_of_size(self, first: int, second: bytes, size: int) -> Violation | None:
        length = second[0] if second else 0
        if length & _MASKED:  # 5.1: a client closes when it is sent a masked frame
            return _broken("a frame is masked")
        if first & _CONTROL and length & _SIZE > _LARGEST_CONTROL:  # 5.5
            return _broken("a control frame is cut or too long")
        if len(self._fragments) + size > LARGEST_MESSAGE:  # 10.4
            return Violation(CloseCode.MESSAGE_TOO_BIG, "the upstream sent a message over 64 MiB")
        return None

    def _take_payload(self, first: int, payload: bytes, messages: list[bytes]) -> None:
        match first & _OPCODE:
            case Opcode.PING:  # 5.5.2
                self.pings.append(payload)
                self.is_eventful = True
            case Opcode.PONG:  # 5.5.3: also unsolicited; a sign of life like any frame
                pass
            case Opcode.CLOSE:
                self._part(payload)
            case _:
                self._join(payload, messages, is_final=bool(first & _FINAL))

    def _join(self, payload: bytes, messages: list[bytes], *, is_final: bool) -> None:
        """Join a fragmented message: a text frame first, then continuations (5.4)."""
        self.is_eventful |= not self.is_joining and not is_final
        self.is_joining = not is_final
        self._fragments += payload
        if not is_final:
            return
        message = bytes(self._fragments)
        self._fragments.clear()
        if _is_utf8(message):  # 8.1
            messages.append(message)
        else:
            self._fail(_NOT_UTF8, 0)

    def _part(self, payload: bytes) -> None:
        """Take the body of a close frame (5.5.1): nothing, or a code and words in UTF-8."""
        code = int.from_bytes(payload[:2]) if payload else _NO_CODE
        if payload and not any(code in codes for codes in _CODES):  # 7.4
            self._fail(_broken("a close frame has no code that may be sent"), 0)
        elif not _is_utf8(payload[2:]):
            self._fail(_NOT_UTF8, 0)
        else:
            self.goodbye = Goodbye(code, payload[2:].decode())
            self._end()

    def _fail(self, violation: Violation, end: int) -> int:
        self.violation = violation
        self._end()
        return end

    def _end(self) -> None:
        """Take nothing any more, and keep nothing."""
        self.is_eventful = True
        self._lacking = 1
        self._held.clear()
        self._fragments.clear()


def encode(opcode: Opcode, payload: bytes, mask: bytes) -> tuple[bytes, bytes]:
    """Return head and payload of one final frame, masked (5.3) with an unpredictable key."""
    size, first = len(payload), _FINAL | opcode
    if size < _SIZE_16:
        head = struct.pack(">BB", first, _MASKED | size)
    elif size <= _LARGEST_16:
        head = struct.pack(">BBH", first, _MASKED | _SIZE_16, size)
    else:
        head = struct.pack(">BBQ", first, _MASKED | _SIZE_64, size)
    return head + mask, apply_mask(payload, mask)


def _measured(chunk: bytes, begins: int) -> tuple[int, int]:
    """Return where a frame's payload begins, and its size: 0 while its head is not whole (5.2)."""
    second = chunk[begins + 1 : begins + 2]
    size = second[0] & _SIZE if second else 0
    if size < _SIZE_16:
        return begins + 2, size
    start = begins + (4 if size == _SIZE_16 else 10)
    is_whole = start <= len(chunk)
    return start, int.from_bytes(chunk[begins + 2 : start]) if is_whole else 0


def _is_utf8(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True


def _broken(what: str) -> Violation:
    return Violation(CloseCode.PROTOCOL_ERROR, f"the upstream broke the protocol: {what}")


_NOT_UTF8 = Violation(CloseCode.INVALID_TEXT, "the upstream sent text that is not UTF-8")
