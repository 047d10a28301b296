"""TLS over anything that carries bytes: a protocol towards what is below, a carrier to the above.

A record at a time goes through OpenSSL's buffers, which keep the size of what was most: so an idle
connection holds little, however much it has read. uvloop's own TLS has 256 KiB for each.
"""

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol, cast

_RECORD = 16 * 1024
"""What a record of TLS carries at most, in bytes (RFC 8446, 5.1)."""


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
        """Let what arrives wait."""

    def resume_reading(self) -> None:
        """Take what arrives again."""

    def set_protocol(self, protocol: asyncio.BaseProtocol, /) -> None:
        """Give what arrives to somebody else from now on."""


class TlsTransport(asyncio.Protocol):
    """One end of a TLS connection, a client's."""

    __slots__ = (
        "_above",
        "_below",
        "_incoming",
        "_is_closing",
        "_is_ready",
        "_outgoing",
        "_shaken",
        "_tls",
    )

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        loop = asyncio.get_running_loop()
        self._shaken: asyncio.Future[Exception | None] = loop.create_future()
        self._is_ready = self._is_closing = False
        self._above = asyncio.Protocol()
        self._below: ByteTransport

    async def shaken(self) -> None:
        """Wait for the handshake. Raises `ssl.SSLError` or another `OSError`."""
        failure = await self._shaken
        if failure is not None:
            raise failure

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._below = cast("ByteTransport", transport)
        self._shake()

    def data_received(self, data: bytes) -> None:
        """Open what arrived, and hand it on as one."""
        if self._is_closing:
            return
        try:
            if len(data) <= _RECORD:
                opened = self._opened(data)
            else:
                pieces = range(0, len(data), _RECORD)
                opened = b"".join([self._opened(data[at : at + _RECORD]) for at in pieces])
        except ssl.SSLError:
            self.abort()
            return
        if opened:
            self._above.data_received(opened)
        if self._outgoing.pending and not self._is_closing:
            self._below.write(self._outgoing.read())

    def _opened(self, sealed: bytes) -> bytes:
        """Open records; who reads as much as one may have leaves nothing of it behind."""
        incoming, opened = self._incoming, b""
        incoming.write(sealed)
        if not self._is_ready:
            self._shake()
        try:
            while incoming.pending and self._is_ready:
                part = self._tls.read(_RECORD)
                if not part:
                    self.close()  # a close_notify (RFC 8446, 6.1)
                    break
                opened += part
        except ssl.SSLWantReadError:
            pass
        return opened

    def _shake(self) -> None:
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
        self._below.write(self._outgoing.read())

    def _settle(self, error: Exception | None) -> None:
        if not self._shaken.done():
            self._shaken.set_result(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits for the handshake, and who is above."""
        self._is_closing = True
        self._settle(exc or ConnectionResetError("it hung up during the TLS handshake"))
        self._above.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._above.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._above.resume_writing()

    def write(self, data: bytes) -> None:
        """Seal and send; see `ByteTransport`."""
        if self._is_closing:
            return
        left = memoryview(data)
        sealed = []
        try:
            while left:
                left = left[self._tls.write(left[:_RECORD]) :]
                sealed.append(self._outgoing.read())
        except ssl.SSLError:  # the other side broke it; who reads is told
            self.abort()
            return
        self._below.writelines(sealed)

    def writelines(self, parts: Iterable[bytes]) -> None:
        """Seal and send; see `ByteTransport`."""
        self.write(b"".join(parts))

    def close(self) -> None:
        """Say so with a close_notify, and close; see `ByteTransport`."""
        if self._is_closing:
            return
        self._is_closing = True
        with suppress(ssl.SSLError):  # it would read the other side's, which is not waited for
            self._tls.unwrap()
        self._below.write(self._outgoing.read())
        self._below.close()

    def abort(self) -> None:
        """End at once; see `ByteTransport`."""
        self._is_closing = True
        self._below.abort()

    def pause_reading(self) -> None:
        """Pass it on."""
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Pass it on."""
        self._below.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give what arrives to somebody else; see `ByteTransport`."""
        self._above = cast("asyncio.Protocol", protocol)
