"""All routes and middleware, in one list. The data plane goes past the router, straight on."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from longwire.server.errors import Edge, headers_of, request_id, response_to
from longwire.server.health import Probes
from longwire.server.models import Models
from longwire.server.openapi import openapi

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

_USE_POST = "Use POST: this gateway answers over HTTP, and speaks WebSocket to the upstream."


def application(
    data_plane: ASGIApp,
    admin: ASGIApp,
    pages: ASGIApp,
    models: Models,
    probes: Probes,
    lifespan: Lifespan,
) -> ASGIApp:
    """Return the whole server as one ASGI application."""
    router = Starlette(
        routes=[
            Route("/health", probes.health),
            Route("/ready", probes.ready),
            Route("/metrics", probes.metrics),
            Route("/openapi.json", openapi),
            Route("/v1/models", models.index),
            Route("/v1/models/{id:path}", models.one),
            Route("/v1/responses", _upgrade_wanted, methods=["GET", "POST"]),
            WebSocketRoute("/v1/responses", _no_upgrade),
            Route("/admin/graphql", _Whole(admin)),
            WebSocketRoute("/admin/graphql", _Whole(admin)),
        ],
        middleware=[Middleware(Edge)],
        exception_handlers={HTTPException: _refuse},
        lifespan=lifespan,
    )
    router.router.default = pages
    past_router: dict[tuple[str, str], ASGIApp] = {("POST", "/v1/responses"): data_plane}

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        place = (scope.get("method", ""), scope.get("path", ""))
        await past_router.get(place, router)(scope, receive, send)

    return serve


class _Whole:
    """An application at a route of its own: to the router a function would be an endpoint."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._app(scope, receive, send)


async def _no_upgrade(socket: WebSocket) -> None:
    """Refuse the WebSocket as the route refuses a plain GET: clients then use HTTP."""
    error = HTTPException(426, _USE_POST, {"upgrade": "websocket"})
    await socket.send_denial_response(response_to(error, request_id(headers_of(socket.scope))))


async def _upgrade_wanted(_request: Request) -> Response:
    raise HTTPException(426, _USE_POST, {"upgrade": "websocket"})


async def _refuse(request: Request, error: Exception) -> Response:
    return response_to(error, request_id(headers_of(request.scope)))
