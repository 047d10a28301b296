"""`GET /v1/responses` with an upgrade: the Responses API's WebSocket mode for clients.

Whoever may not come in is refused before the upgrade, as over HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from longwire.core.rules.session import SUBPROTOCOLS_HEADER
from longwire.server.data.client_socket import SocketLimits
from longwire.server.data.lane_turns import SocketContext
from longwire.server.data.sockets import WebSocketSession
from longwire.server.problems import headers_of, request_id, response_to

_SWITCHED_OFF = "Use POST: this gateway's WebSocket mode is switched off (server.websocket)."


@dataclass
class WebSocketTurns:
    """The data plane over WebSocket, as a raw ASGI application."""

    context: SocketContext
    limits: SocketLimits
    is_offered: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or refuse it."""
        headers = headers_of(scope)
        if scope["subprotocols"]:
            headers[SUBPROTOCOLS_HEADER] = ", ".join(scope["subprotocols"])  # of all such lines
        await receive()  # the connect, which brings nothing
        try:
            self._admit(headers)
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            await response_to(error, request_id(headers))(scope, receive, send)
            return
        await WebSocketSession(self.context, self.limits, headers, receive, send).serve()

    def _admit(self, headers: Mapping[str, str]) -> None:
        if not self.is_offered:
            raise HTTPException(426, _SWITCHED_OFF, {"upgrade": "websocket"})
        self.context.readiness.admit()
        self.context.keys.authenticate(headers)
