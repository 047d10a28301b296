"""The Responses API's WebSocket mode for one client: what its messages ask for, until it ends.

Law: an error ends its request, not the connection; every error says its status.
"""

import asyncio
from collections.abc import Mapping

from starlette.types import Receive, Send

from longwire.core.errors import ClientGone, InvalidRequest
from longwire.dialects.raw_json import decode_members, text_of
from longwire.dialects.responses import websocket_mode
from longwire.server.data.client_socket import ClientSocket, SocketLimits
from longwire.server.data.lane_turns import LaneTurns, SocketContext, Upgrade, error_event
from longwire.server.problems import problem_of, report

_GOING_AWAY, _NO_BINARY = 1001, 1003
_REFUSED = {
    "response.steer": websocket_mode.steer_failed,
    "response.inject": websocket_mode.inject_failed,
    "response.interrupt": websocket_mode.interrupt_rejected,
}


class WebSocketSession:
    """One connection from its upgrade to its end, with a task for each turn under way."""

    def __init__(
        self,
        context: SocketContext,
        limits: SocketLimits,
        headers: Mapping[str, str],
        receive: Receive,
        send: Send,
    ) -> None:
        self._readiness = context.readiness
        self._idle = limits.idle
        self._upgrade = Upgrade.of(headers)
        self._socket = ClientSocket(receive, send, limits.stall)
        self._tasks = asyncio.TaskGroup()
        self._turns = LaneTurns(
            context, limits, self._upgrade, self._socket, self._tasks, self._rest
        )
        self._leaves = False
        self._patience: asyncio.Timeout | None = None

    async def serve(self) -> None:
        """Agree to the upgrade and serve until either side ends it."""
        try:
            with self._readiness.guest(self._leave):
                upgrade = self._upgrade
                await self._socket.accept({"x-request-id": upgrade.request_id}, upgrade.subprotocol)
                async with self._tasks:
                    await self._listen()
        except* ClientGone:
            pass

    def _leave(self) -> None:
        """End as soon as no turn is under way."""
        self._leaves = True
        self._rest()

    def _rest(self) -> None:
        """Let the wait for the next message end in time, unless a turn is under way."""
        if self._patience is None or self._patience.expired():
            return
        if not self._turns.are_idle:
            self._patience.reschedule(None)
            return
        seconds = 0.0 if self._leaves else self._idle
        self._patience.reschedule(asyncio.get_running_loop().time() + seconds)

    async def _listen(self) -> None:
        try:
            async with asyncio.timeout(None) as self._patience:
                while True:
                    self._rest()
                    await self._take(await self._socket.receive())
        except TimeoutError:
            reason = "the gateway is shutting down" if self._leaves else "idle for too long"
            await self._socket.close(_GOING_AWAY, reason)
        finally:
            self._patience = None

    async def _take(self, message: str | bytes) -> None:
        """Take one message; whatever is wrong with it is answered."""
        if isinstance(message, bytes):
            await self._refuse(InvalidRequest("Send JSON in text messages, not binary."), None)
            await self._socket.close(_NO_BINARY, "text messages only")
            raise ClientGone
        lane: str | None = None
        try:
            content = message.encode()
            members = decode_members(content)
            lane = websocket_mode.lane_of(members)
            await self._obey(members, lane, len(content))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            await self._refuse(error, lane)

    async def _obey(self, members: Mapping[str, bytes], lane: str | None, size: int) -> None:
        kind = text_of(members, "type")
        match kind:
            case "response.create":
                self._turns.start(websocket_mode.decode_create(members, size), lane, size)
            case "response.cancel":
                self._turns.cancel(text_of(members, "response_id"), lane)
            case "response.steer" | "response.inject" | "response.interrupt":
                answer = _REFUSED[kind](members)
                await self._socket.write([websocket_mode.on_lane(answer, lane)])
            case "response.processed":
                pass
            case _:
                fault = f"'type' has the unknown value '{kind}'" if kind else "'type' is required"
                raise InvalidRequest(f"{fault}; send 'response.create'.", param="type")

    async def _refuse(self, error: Exception, lane: str | None) -> None:
        problem = problem_of(error)
        report(problem, error, self._upgrade.request_id)
        await self._socket.write([error_event(problem, lane)])
