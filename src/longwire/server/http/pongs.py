"""How pings of clients are answered: where a client reads nothing, not all of them are.

Law: what a client sends must not fill the gateway's memory, whatever it reads.
"""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class BoundedPongs(WebSocketsSansIOProtocol):
    """The server's WebSocket protocol, without pongs for a client whose socket is full.

    RFC 6455, 5.5.3 allows it: an endpoint may answer the newest of several pings alone.
    """

    def handle_ping(self) -> None:
        """Answer a ping, if the client reads what it is sent."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)
