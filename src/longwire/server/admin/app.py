"""The admin API as an ASGI application: queries and mutations by POST, subscriptions by WebSocket.

Law: whatever is sent, the answer is GraphQL's: JSON with `errors`, each with its code.
"""

import json
from datetime import timedelta
from typing import Any, Final

from cross_web import HTTPException
from starlette.exceptions import HTTPException as NotFoundHere
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from longwire.core.errors import CallerError, LongwireError
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Context
from longwire.server.admin.errors import failure_of
from longwire.server.admin.gate import Gate
from longwire.server.admin.limits import MOST_LETTERS
from longwire.server.admin.schema import build_schema
from longwire.server.admin.sign_on import CALLBACK
from longwire.server.admin.sign_on_callback import come_back
from longwire.server.problems import request_id

MOST_BYTES: Final = 1 << 20
_HELLO_WITHIN: Final = timedelta(seconds=10)
_MOST_SUBSCRIPTIONS: Final = 20
_STATUS: Final = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403, "LIMIT": 429, "UNAVAILABLE": 503}


def admin_app(administration: Administration) -> ASGIApp:
    """Return what serves `/admin/graphql`."""
    view = AdminView(administration)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await view(scope, receive, send)
            return
        request = Request(scope, _bounded(receive))
        if scope["path"] == CALLBACK:
            await (await _callback(administration, request))(scope, receive, send)
            return
        answer = await _answer(view, request)
        answer.headers["cache-control"] = "no-store"
        await answer(scope, receive, send)

    return serve


class AdminView(GraphQL[Context, str]):
    """The view of the schema; who asks is found out by the gate."""

    def __init__(self, administration: Administration) -> None:
        super().__init__(
            build_schema(),
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=_HELLO_WITHIN,
            max_subscriptions_per_connection=_MOST_SUBSCRIPTIONS,
        )
        self._gate = Gate(administration)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """Return who asks, and what they can reach."""
        return await self._gate.admit(request, response)

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """Whether it is our own all the same: the gate knows where a proxy has cut off a port."""
        return self._gate.is_own(origin, request.headers.get("host", ""))

    async def get_root_value(self, request: Request | WebSocket) -> str:
        """Return the way that a query came by."""
        return str(request.scope["type"])

    def decode_json(self, data: str | bytes) -> object:
        """Read a request or a message. Raises `JSONDecodeError` for what is none."""
        try:
            message = json.loads(data) if len(data) <= MOST_BYTES else None
        except (ValueError, RecursionError):
            message = None
        if not _is_message(message):
            raise json.JSONDecodeError("no request of GraphQL", "", 0)
        return message


def _is_message(message: object) -> bool:
    """Whether it is shaped like a request over HTTP, or like a message of graphql-transport-ws."""
    if not isinstance(message, dict):
        return False
    payload = message.get("payload", {})
    texts = (message.get("id", ""), message.get("type", ""), message.get("query") or "")
    return all(isinstance(text, str) and len(text) <= MOST_LETTERS for text in texts) and (
        message.get("type") != "subscribe" or _is_request(payload)
    )


def _is_request(payload: object) -> bool:
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and len(payload["query"]) <= MOST_LETTERS
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


async def _callback(administration: Administration, request: Request) -> Response:
    if administration.sign_on is None:
        raise NotFoundHere(404)
    if request.method != "GET":
        return Response(status_code=405, headers={"allow": "GET"})
    return await come_back(administration, administration.sign_on, request)


async def _answer(view: AdminView, request: Request) -> Response:
    if request.method != "POST":
        return _refusal(405, "Use POST, or a WebSocket with graphql-transport-ws.", {})
    try:
        return await view.run(request)
    except HTTPException as error:
        return _refusal(error.status_code, error.reason, {})
    except LongwireError as error:
        message, extensions = failure_of(error, request_id(request.headers))
        status = 400 if isinstance(error, CallerError) else 500
        return _refusal(_STATUS.get(extensions["code"], status), message, extensions)


def _refusal(status: int, message: str, extensions: dict[str, Any]) -> Response:
    extensions = {"code": "INVALID_QUERY", **extensions}
    headers = {"allow": "POST"} if status == 405 else {}  # noqa: PLR2004
    body = {"data": None, "errors": [{"message": message, "extensions": extensions}]}
    return JSONResponse(body, status, headers)


def _bounded(receive: Receive) -> Receive:
    """Return what receives a body of bounded size."""
    left = MOST_BYTES

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"A request has at most {MOST_BYTES:,} bytes.")
        return message

    return bounded
