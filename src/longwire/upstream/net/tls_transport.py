"""TLS over any transport of bytes: a protocol for what is below, a transport for what is above.

A record at a time goes through OpenSSL's buffers, which never shrink: so an idle connection holds
little memory, however much it has read. uvloop's own TLS holds 256 KiB for each connection.
"""

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol, cast

_RECORD = 16 * 1024
"""The most that a TLS record carries, in bytes (RFC 8446, 5.1)."""


class ByteTransport(Protocol):
    """What carries bytes: a transport of the loop, or `TlsTransport` over one."""

    def write(self, data: bytes, /) -> None:
        """Send bytes; what cannot be sent yet is kept."""

    def writelines(self, parts: Iterable[bytes], /) -> None:
        """Send parts one after the other."""

    def close(self) -> None:
        """End in order, once all was sent."""

    def abort(self) -> None:
        """End at once."""

    def pause_reading(self) -> None:
        """Leave what arrives in the socket."""

    def resume_reading(self) -> None:
        """Read again."""

    def set_protocol(self, protocol: asyncio.BaseProtocol, /) -> None:
        """Give what arrives to another protocol from now on."""


class TlsTransport(asyncio.Protocol):
    """The client's end of a TLS connection."""

    __slots__ = (
        "_handshake",
        "_incoming",
        "_is_closing",
        "_is_ready",
        "_outgoing",
        "_protocol",
        "_tls",
        "_transport",
    )

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        loop = asyncio.get_running_loop()
        self._handshake: asyncio.Future[Exception | None] = loop.create_future()
        self._is_ready = self._is_closing = False
        self._protocol = asyncio.Protocol()
        self._transport: ByteTransport

    async def handshake(self) -> None:
        """Wait for the handshake. Raises `ssl.SSLError` or another `OSError`."""
        failure = await self._handshake
        if failure is not None:
            raise failure

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast("ByteTransport", transport)
        self._continue_handshake()

    def data_received(self, data: bytes) -> None:
        """Decrypt what arrived, and hand it on as one."""
        if self._is_closing:
            return
        try:
            if len(data) <= _RECORD:
                plain = self._decrypt(data)
            else:
                pieces = range(0, len(data), _RECORD)
                plain = b"".join([self._decrypt(data[at : at + _RECORD]) for at in pieces])
        except ssl.SSLError:
            self.abort()
            return
        if plain:
            self._protocol.data_received(plain)
        if self._outgoing.pending and not self._is_closing:
            self._transport.write(self._outgoing.read())

    def _decrypt(self, encrypted: bytes) -> bytes:
        """Decrypt records; a read of a whole record leaves nothing of it in OpenSSL's buffer."""
        incoming, plain = self._incoming, b""
        incoming.write(encrypted)
        if not self._is_ready:
            self._continue_handshake()
        try:
            while incoming.pending and self._is_ready:
                part = self._tls.read(_RECORD)
                if not part:
                    self.close()  # a close_notify (RFC 8446, 6.1)
                    break
                plain += part
        except ssl.SSLWantReadError:
            pass
        return plain

    def _continue_handshake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._settle(error)
            self._is_closing = True
        else:
            self._is_ready = True
            self._settle(None)
        self._transport.write(self._outgoing.read())

    def _settle(self, error: Exception | None) -> None:
        if not self._handshake.done():
            self._handshake.set_result(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on, and fail a handshake under way."""
        self._is_closing = True
        self._settle(exc or ConnectionResetError("it hung up during the TLS handshake"))
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._protocol.resume_writing()

    def write(self, data: bytes) -> None:
        """Encrypt and send; see `ByteTransport`."""
        if self._is_closing:
            return
        left = memoryview(data)
        records = []
        try:
            while left:
                left = left[self._tls.write(left[:_RECORD]) :]
                records.append(self._outgoing.read())
        except ssl.SSLError:  # the other side broke it; `connection_lost` follows
            self.abort()
            return
        self._transport.writelines(records)

    def writelines(self, parts: Iterable[bytes]) -> None:
        """Encrypt and send; see `ByteTransport`."""
        self.write(b"".join(parts))

    def close(self) -> None:
        """Send a close_notify, and close; see `ByteTransport`."""
        if self._is_closing:
            return
        self._is_closing = True
        with suppress(ssl.SSLError):  # it would read the other side's, which is not waited for
            self._tls.unwrap()
        self._transport.write(self._outgoing.read())
        self._transport.close()

    def abort(self) -> None:
        """End at once; see `ByteTransport`."""
        self._is_closing = True
        self._transport.abort()

    def pause_reading(self) -> None:
        """Pass it on."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Pass it on."""
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give what arrives to another protocol; see `ByteTransport`."""
        self._protocol = cast("asyncio.Protocol", protocol)
