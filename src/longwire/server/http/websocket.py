"""The server's side of WebSocket: uvicorn's own, but a client gets no more than it deserves.

Law: what a client sends must not fill the gateway's memory, whatever it reads. An upgrade that is
none is answered, and its connection ends.
"""

from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_WORDS: Final = b"An upgrade to WebSocket is a GET without a body."
_NO_UPGRADE: Final = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_WORDS), _WORDS)
)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection of a client, from its upgrade on."""

    def data_received(self, data: bytes) -> None:
        """Take what the client sent; uvicorn would wait for ever behind what is no upgrade."""
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self.transport.write(b"".join(self.conn.data_to_send()) or _NO_UPGRADE)
            self.transport.close()

    def handle_ping(self) -> None:
        """Answer a ping, if the client reads what it is sent.

        RFC 6455, 5.5.3 allows it: an endpoint may answer the newest of several pings alone.
        """
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)
